// SPDX-License-Identifier: Apache-2.0
// One connection of the Server, from its first request to its end; private to src/http. Owned by
// the task that serves it. What a client does wrong is answered (400, 413, 431) or ends the
// connection; it is nobody's Error.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "async/task.h"
#include "http/server.h"

namespace spotkeeper::http {

// What the connections of a Server share.
struct ServerShared {
  ServerOptions options;
  Server::Handler handler;
  bool stopping = false;
};

class Connection {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerShared> shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves requests until either side has enough.
  Task<> serve();

  // Ends the connection now if no request is being handled; else after the answer, and a streamed
  // one is ended now.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spotkeeper::http
