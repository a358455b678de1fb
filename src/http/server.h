// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server on Boost.Beast for metrics, probes and emulators. Bounded: header and
// body sizes, number of connections, idle and handling time. A handler that throws is answered
// with 500 and reported to on_failure, unless it was cancelled; the server goes on.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "async/task_group.h"
#include "base/result.h"
#include "http/message.h"

namespace spotkeeper::http {

struct ServerRequest {
  std::string method;  // "GET"; the answer to "HEAD" is sent without its body
  std::string path;    // "/metrics", still percent-encoded
  std::string query;   // "a=b&c=d" without the question mark
  Headers headers;
  std::string body;
};

// Where the producer of a streamed body writes. One piece at a time: it is on its way to the client
// when write() returns, so that a slow client slows its producer and nothing piles up.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;

  // False: the client is gone or too slow (idle_timeout); the producer should end. An empty piece
  // writes nothing.
  virtual Task<bool> write(std::string piece) = 0;
};

// Writes a body piece by piece and returns at its end. It is cancelled when the client hangs up and
// when the server stops; handle_timeout does not concern it. One that throws breaks the connection.
using BodyProducer = std::function<Task<>(BodyWriter&)>;

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  Headers headers = {};
  BodyProducer stream =
      {};  // if set, it makes the body (HTTP/1.1: chunked), and `body` is not sent
};

struct ServerOptions {
  std::string address = "0.0.0.0";
  uint16_t port = 0;  // 0: any free port
  size_t max_body = 1024uz * 1024;
  size_t max_header = 16uz * 1024;
  size_t max_connections = 64;           // one more is answered with 503 and closed
  Millis idle_timeout{30'000};           // waiting for a request's head, and for its body
  Millis handle_timeout{30'000};         // the handler; then it is cancelled and 503 sent
  Millis stop_grace{1'000};              // what a request under way gets when run() is cancelled
  TaskGroup::OnFailure on_failure = {};  // told of handlers that throw: bugs
};

class Server {
 public:
  using Handler = std::function<Task<ServerResponse>(ServerRequest)>;

  // Binds and listens at once; an address that cannot be bound is an Error (kPermanent).
  static Result<std::unique_ptr<Server>> listen(boost::asio::any_io_executor executor,
                                                ServerOptions options, Handler handler);
  ~Server();

  uint16_t port() const;

  // Accepts and serves until cancelled; then closes the listener and every idle connection, ends
  // streamed bodies, lets requests under way end within stop_grace, and throws the cancellation on.
  Task<> run();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::http
