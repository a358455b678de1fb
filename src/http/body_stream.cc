// SPDX-License-Identifier: Apache-2.0
#include "http/body_stream.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

namespace spotkeeper::http {

namespace asio = boost::asio;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadSize = 4096;

// What a task threw, in words; empty when it did not, or was only cancelled.
std::string describe(const std::exception_ptr& failure) {
  if (!failure) return "";
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted ? "" : e.what();
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

BodyStream::BodyStream(boost::beast::tcp_stream* stream, boost::beast::flat_buffer* buffer,
                       Millis write_timeout, bool chunked)
    : stream_(stream),
      buffer_(buffer),
      write_timeout_(write_timeout),
      chunked_(chunked),
      stopped_(stream->get_executor(), asio::steady_timer::time_point::max()) {}

Task<std::string> BodyStream::run(BodyProducer producer) {
  const auto executor = co_await asio::this_coro::executor;
  auto [order, failure, read_failure, stop_failure] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(executor, producer(*this), asio::deferred),
          asio::co_spawn(executor, until_client_leaves(), asio::deferred),
          asio::co_spawn(executor, until_stopped(), asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  std::string what = describe(failure);
  const bool client_left = order[0] == 1;
  if (!what.empty() || client_left || broken_) co_return what;
  if (chunked_) complete_ = co_await send("0\r\n\r\n");
  co_return what;
}

void BodyStream::stop() {
  stopping_ = true;
  stopped_.cancel();
}

Task<bool> BodyStream::write(std::string piece) {
  if (piece.empty()) co_return !broken_;
  if (!chunked_) co_return co_await send(std::move(piece));
  std::string chunk = fmt::format("{:x}\r\n", piece.size());
  chunk += piece;
  chunk += "\r\n";
  co_return co_await send(std::move(chunk));
}

Task<bool> BodyStream::send(std::string bytes) {
  if (broken_) co_return false;
  broken_ = true;  // until it is written: a cancellation in between leaves half a piece
  stream_->expires_after(write_timeout_);
  const auto [error, size] = co_await asio::async_write(*stream_, asio::buffer(bytes), kTuple);
  if (error) co_return false;
  stream_->expires_never();
  broken_ = false;
  co_return true;
}

// Reads from the socket itself: the stream's timeout is that of the writes.
Task<> BodyStream::until_client_leaves() {
  while (buffer_->max_size() - buffer_->size() >= kReadSize) {
    const auto [error, size] =
        co_await stream_->socket().async_read_some(buffer_->prepare(kReadSize), kTuple);
    if (error) co_return;
    buffer_->commit(size);
  }
  // It sends request after request into an answer that does not end: as good as gone.
}

Task<> BodyStream::until_stopped() {
  if (!stopping_) co_await stopped_.async_wait(kTuple);
}

}  // namespace spotkeeper::http
