// SPDX-License-Identifier: Apache-2.0
#include "app/question.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "observe/terminal.h"

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

void say(const std::string& text) {
  observe::write_text(STDERR_FILENO, text);
}

// Puts a descriptor's flags back as they were.
class Blocking {
 public:
  explicit Blocking(int fd) : fd_(fd), flags_(fcntl(fd, F_GETFL)) {}
  ~Blocking() {
    if (flags_ >= 0) fcntl(fd_, F_SETFL, flags_);
  }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

 private:
  int fd_;
  int flags_;
};

}  // namespace

Task<std::string> ask_at_interrupt(asio::signal_set& signals) {
  say("\nInterrupted: no pod is asked to leave any more. Pods that were told go on ending.\n"
      "  u  undo: uncordon what this drain has cordoned\n"
      "  l  leave: hosts stay marked ('spotkeeper drain --undo' takes it back)\n"
      "  c  continue the drain\n");
  // Asio makes the terminal non-blocking, for everybody who has it open.
  const Blocking afterwards(STDIN_FILENO);
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor, dup(STDIN_FILENO));
  for (;;) {
    say("[u/l/c]? ");
    std::array<char, 256> line{};
    auto [order, read_error, size, signal_error, number] =
        co_await asio::experimental::make_parallel_group(
            input.async_read_some(asio::buffer(line), asio::deferred),
            signals.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (order[0] != 0 || read_error || size == 0) {
      say("leave\n");
      co_return "leave";
    }
    if (std::string answer = meaning(line[0]); !answer.empty()) co_return answer;
  }
}

}  // namespace spotkeeper::app
