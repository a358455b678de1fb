// SPDX-License-Identifier: Apache-2.0
// What a client sends to our server (metrics, probes): the input is all it sends before it ends its
// side. The first byte chooses how much is sent at a time.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "async/fuzz_loop.h"
#include "base/fuzz.h"
#include "http/server.h"

namespace spotkeeper {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMaxBody = 200;
constexpr const char* kBody = "it is well\n";

// Not a lambda: what a handler is given lives as long as its coroutine.
Task<http::ServerResponse> answer(http::ServerRequest request) {
  must(!request.method.empty() && is_one_line(request.method), "a request has a method");
  must(is_one_line(request.path) && !request.path.contains('?'), "a path is a path");
  must(is_one_line(request.query), "a query is a query");
  must(request.body.size() <= kMaxBody, "a body has its limit");
  for (const http::Header& header : request.headers) {
    must(!header.name.empty() && is_one_line(header.name), "a header has a name");
    must(!header.value.contains('\n') && !header.value.contains('\r'), "a value is a line");
  }
  co_return http::ServerResponse{.body = kBody};
}

// One event loop and one server for all inputs; never ended.
struct World {
  FuzzLoop loop;
  std::unique_ptr<http::Server> server;

  World() {
    const http::ServerOptions options{
        .address = "127.0.0.1",
        .max_body = kMaxBody,
        .max_header = 1'000,
        .on_failure = [](const std::string&) { must(false, "no handler fails"); }};
    auto listening = http::Server::listen(loop.executor(), options, &answer);
    must(listening.has_value(), "the server listens");
    server = std::move(*listening);
    loop.tasks().spawn("server", server->run());
  }
};

// All that the server has to say to these bytes.
Task<std::string> talk(World* world, std::string bytes, size_t at_a_time) {
  tcp::socket socket(world->loop.executor());
  socket.connect({asio::ip::address_v4::loopback(), world->server->port()});
  for (size_t at = 0; at < bytes.size(); at += at_a_time) {
    const auto piece = asio::buffer(bytes.data() + at, std::min(at_a_time, bytes.size() - at));
    const auto [broken, size] = co_await asio::async_write(socket, piece, kTuple);
    if (broken) break;  // it has answered and closed
  }
  boost::system::error_code closed;
  socket.shutdown(tcp::socket::shutdown_send, closed);
  std::string text;
  for (;;) {
    char piece[4096];
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(piece), kTuple);
    if (error) co_return text;
    text.append(piece, size);
  }
}

// An answer for a request of HTTP/1.0 or 1.1 that was read, or why it was not.
void check(std::string_view text) {
  while (!text.empty()) {
    must(text.starts_with("HTTP/1."), "an answer begins with its version");
    const std::string_view status = text.substr(8, 5);
    must(status == " 100 " || status == " 200 " || status == " 400 " || status == " 413 " ||
             status == " 431 ",
         "an answer asks for more, is well, or says what the client did wrong");
    const size_t body = text.find("\r\n\r\n");
    must(body != std::string_view::npos, "an answer has an end of its head");
    const size_t next = text.find("HTTP/1.", body);
    text.remove_prefix(std::min(next, text.size()));
  }
}

}  // namespace

void fuzz(std::string_view input) {
  static World& world = *new World;
  if (input.empty()) return;
  const size_t at_a_time = 1 + static_cast<unsigned char>(input[0]) * size_t{4};
  check(world.loop.run(talk(&world, std::string(input.substr(1)), at_a_time)));
}

}  // namespace spotkeeper
