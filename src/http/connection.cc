// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "async/deadline.h"
#include "http/body_stream.h"

namespace spotkeeper::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// After a refusal unread bytes are taken in up to this much and this long: closing a socket with
// bytes unread resets it, and the client might never see the answer.
constexpr size_t kLingerBytes = 256uz * 1024;
constexpr Millis kLingerTime{1'000};

using Parser = bhttp::request_parser<bhttp::string_body>;
using Message = bhttp::response<bhttp::string_body>;

ServerRequest to_request(bhttp::request<bhttp::string_body> message) {
  ServerRequest request;
  request.method = message.method_string();
  const std::string_view target = message.target();
  const size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  if (mark < target.size()) request.query = target.substr(mark + 1);
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  request.body = std::move(message.body());
  return request;
}

ServerResponse plain(int status, std::string text) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

// A line break in a header would let a handler's data forge the rest of the answer.
bool is_sendable(const ServerResponse& response) {
  const auto clean = [](const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  };
  return response.status >= 200 && response.status <= 999 && clean(response.content_type) &&
         std::ranges::all_of(response.headers, [&](const Header& header) {
           return !header.name.empty() && clean(header.name) && clean(header.value);
         });
}

// What to tell a client whose request cannot be read; nothing when it is gone or too slow.
std::optional<ServerResponse> refusal_for(const error_code& error) {
  if (error == bhttp::error::body_limit) return plain(413, "the body is too large");
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return plain(431, "the header is too large");
  }
  const bool broken_off =
      error == bhttp::error::end_of_stream || error == bhttp::error::partial_message;
  if (error.category() == make_error_code(bhttp::error::bad_method).category() && !broken_off) {
    return plain(400, "not an HTTP request: " + error.message());
  }
  return std::nullopt;
}

// The handler's answer, or what it threw. Only a cancellation is thrown on.
Task<ServerResponse> guarded(std::shared_ptr<ServerShared> shared, ServerRequest request) {
  std::string failure;
  const std::string what = request.method + " " + request.path;
  try {
    ServerResponse response = co_await shared->handler(std::move(request));
    if (is_sendable(response)) co_return response;
    failure = "the answer's status or headers cannot be sent";
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    failure = e.what();
  } catch (const std::exception& e) {
    failure = e.what();
  }
  if (shared->options.on_failure) shared->options.on_failure("handler of " + what + ": " + failure);
  co_return plain(500, "internal error");
}

}  // namespace

struct Connection::Impl {
  Impl(asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> s)
      : stream(std::move(socket)),
        shared(std::move(s)),
        buffer(shared->options.max_header + 4096) {}

  Task<bool> serve_one();
  Task<error_code> read(Parser* parser);
  Task<ServerResponse> handle(ServerRequest request);
  Task<bool> write(ServerResponse response, bool keep_alive, unsigned version, bool head_only);
  Task<bool> write_stream(ServerResponse response, std::string what, bool keep_alive,
                          unsigned version, bool head_only);
  Task<> linger();

  beast::tcp_stream stream;
  std::shared_ptr<ServerShared> shared;
  beast::flat_buffer buffer;        // may hold the beginning of the next request
  bool busy = false;                // a request has been read and is not answered yet
  BodyStream* streaming = nullptr;  // the answer under way, if it is a streamed one
};

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared)
    : impl_(std::make_unique<Impl>(std::move(socket), std::move(shared))) {}

Connection::~Connection() = default;

void Connection::stop() {
  if (impl_->streaming != nullptr) {
    impl_->streaming->stop();
  } else if (!impl_->busy) {
    impl_->stream.close();
  }
}

Task<> Connection::serve() {
  while (!impl_->shared->stopping && co_await impl_->serve_one()) {
  }
}

// One request and its answer; whether the connection goes on.
Task<bool> Connection::Impl::serve_one() {
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(shared->options.max_header));
  parser.body_limit(shared->options.max_body);
  if (const error_code error = co_await read(&parser)) {
    if (auto refusal = refusal_for(error)) {
      if (co_await write(std::move(*refusal), false, 11, false)) co_await linger();
    }
    co_return false;
  }
  busy = true;
  const bool wants_more = parser.keep_alive();
  const unsigned version = parser.get().version();
  const bool head_only = parser.get().method() == bhttp::verb::head;
  ServerRequest request = to_request(parser.release());
  std::string what = request.method + " " + request.path;
  ServerResponse response = co_await handle(std::move(request));
  const bool keep_alive = wants_more && !shared->stopping;
  bool written = false;
  if (response.stream) {
    written =
        co_await write_stream(std::move(response), std::move(what), keep_alive, version, head_only);
  } else {
    written = co_await write(std::move(response), keep_alive, version, head_only);
  }
  busy = false;
  co_return written&& keep_alive;
}

Task<error_code> Connection::Impl::read(Parser* parser) {
  stream.expires_after(shared->options.idle_timeout);
  {
    const auto [error, size] = co_await bhttp::async_read_header(stream, buffer, *parser, kTuple);
    if (error) co_return error;
  }
  if (parser->is_done()) co_return error_code();
  stream.expires_after(shared->options.idle_timeout);
  if (beast::iequals(parser->get()[bhttp::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, size] = co_await asio::async_write(stream, asio::buffer(kContinue), kTuple);
    if (error) co_return error;
  }
  const auto [error, size] = co_await bhttp::async_read(stream, buffer, *parser, kTuple);
  co_return error;
}

Task<ServerResponse> Connection::Impl::handle(ServerRequest request) {
  stream.expires_never();
  auto response =
      co_await finish_within(shared->options.handle_timeout, guarded(shared, std::move(request)));
  if (response) co_return std::move(*response);
  co_return plain(503, "the request took too long");
}

Task<bool> Connection::Impl::write(ServerResponse response, bool keep_alive, unsigned version,
                                   bool head_only) {
  Message message(static_cast<bhttp::status>(response.status), version);
  message.keep_alive(keep_alive);
  message.set(bhttp::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.body() = std::move(response.body);
  // 204 and 304 have no body, and 204 may not even announce one.
  if (response.status == 204 || response.status == 304) {
    message.body().clear();
  } else {
    message.content_length(message.body().size());
  }
  bhttp::response_serializer<bhttp::string_body> serializer(message);
  stream.expires_after(shared->options.idle_timeout);
  if (head_only) {
    const auto [error, size] = co_await bhttp::async_write_header(stream, serializer, kTuple);
    co_return !error;
  }
  const auto [error, size] = co_await bhttp::async_write(stream, serializer, kTuple);
  co_return !error;
}

Task<bool> Connection::Impl::write_stream(ServerResponse response, std::string what,
                                          bool keep_alive, unsigned version, bool head_only) {
  const bool chunked = version >= 11;
  bhttp::response<bhttp::empty_body> message(static_cast<bhttp::status>(response.status), version);
  message.set(bhttp::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(keep_alive && chunked);
  if (chunked) message.chunked(true);
  bhttp::response_serializer<bhttp::empty_body> serializer(message);
  stream.expires_after(shared->options.idle_timeout);
  {
    const auto [error, size] = co_await bhttp::async_write_header(stream, serializer, kTuple);
    if (error) co_return false;
  }
  if (head_only) co_return chunked;
  BodyStream body(&stream, &buffer, shared->options.idle_timeout, chunked);
  streaming = &body;
  if (shared->stopping) body.stop();
  const std::string failure = co_await body.run(std::move(response.stream));
  streaming = nullptr;
  if (!failure.empty() && shared->options.on_failure) {
    shared->options.on_failure("body of " + what + ": " + failure);
  }
  co_return body.complete() && chunked;
}

Task<> Connection::Impl::linger() {
  error_code ignored;
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream.expires_after(kLingerTime);
  buffer.clear();
  for (size_t taken = 0; taken < kLingerBytes;) {
    const auto room = buffer.prepare(4096);
    const auto [error, size] = co_await stream.async_read_some(room, kTuple);
    if (error) co_return;
    taken += size;
  }
}

}  // namespace spotkeeper::http
