// SPDX-License-Identifier: Apache-2.0
#include "app/question.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

// The first letter counts; an empty line asks again.
std::string meaning(char first) {
  switch (first) {
    case 'u':
    case 'U':
      return "undo";
    case 'l':
    case 'L':
      return "leave";
    case 'c':
    case 'C':
      return "continue";
    default:
      return {};
  }
}

}  // namespace

Task<std::string> ask_at_interrupt(asio::signal_set& signals) {
  fmt::print(stderr,
             "\nInterrupted: no pod is asked to leave any more. Pods that were told go on ending.\n"
             "  u  undo: uncordon what this drain has cordoned\n"
             "  l  leave: hosts stay marked ('spotkeeper drain --undo' takes it back)\n"
             "  c  continue the drain\n");
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor, dup(STDIN_FILENO));
  for (;;) {
    fmt::print(stderr, "[u/l/c]? ");
    std::array<char, 256> line{};
    auto [order, read_error, size, signal_error, number] =
        co_await asio::experimental::make_parallel_group(
            input.async_read_some(asio::buffer(line), asio::deferred),
            signals.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] != 0 || read_error || size == 0) {
      fmt::print(stderr, "leave\n");
      co_return "leave";
    }
    if (std::string answer = meaning(line[0]); !answer.empty()) co_return answer;
  }
}

}  // namespace spotkeeper::app
