// SPDX-License-Identifier: Apache-2.0
// One streamed answer of the Server, between its header and its end; private to src/http. Owned by
// the connection's task. While the producer runs it also reads, to learn that the client has hung
// up; what a pipelining client sends meanwhile is kept in the connection's buffer.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <string>

#include "async/task.h"
#include "http/server.h"

namespace spotkeeper::http {

class BodyStream final : public BodyWriter {
 public:
  BodyStream(boost::beast::tcp_stream* stream, boost::beast::flat_buffer* buffer,
             Millis write_timeout, bool chunked);

  // Runs the producer to its end, or until the client has gone or stop() is called. Gives what the
  // producer threw, in words, or nothing. A cancellation of the task is thrown on.
  Task<std::string> run(BodyProducer producer);

  // Ends the body now: what has been written stays, and the client sees a regular end.
  void stop();

  // After run(): the client has been sent the whole of it, with its end.
  bool complete() const { return complete_; }

  Task<bool> write(std::string piece) override;

 private:
  Task<bool> send(std::string bytes);
  Task<> until_client_leaves();
  Task<> until_stopped();

  boost::beast::tcp_stream* stream_;
  boost::beast::flat_buffer* buffer_;
  Millis write_timeout_;
  bool chunked_;
  boost::asio::steady_timer stopped_;  // never expires; stop() cancels it
  bool stopping_ = false;
  bool broken_ = false;  // a piece was not written to its end: nothing can follow
  bool complete_ = false;
};

}  // namespace spotkeeper::http
