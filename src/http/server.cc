// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "async/deadline.h"
#include "async/timing.h"
#include "http/connection.h"

namespace spotkeeper::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Accepting fails when descriptors have run out: wait for some to come back.
constexpr Millis kAcceptPause{100};

}  // namespace

struct Server::Impl {
  Impl(asio::any_io_executor executor, ServerOptions options, Handler handler)
      : acceptor(executor),
        connection_tasks(executor, options.on_failure),
        shared(std::make_shared<ServerShared>(std::move(options), std::move(handler))) {}

  Task<> accept();
  Task<> serve(tcp::socket socket);
  Task<> stop();

  tcp::acceptor acceptor;
  TaskGroup connection_tasks;
  std::vector<Connection*> connections;  // each registered by its serve()
  std::shared_ptr<ServerShared> shared;
  uint16_t port = 0;
};

namespace {

// Answers without reading: one more connection must cost nothing.
void turn_away(tcp::socket socket) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kBusy), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::any_io_executor executor,
                                               ServerOptions options, Handler handler) {
  const auto fail = [&](const error_code& error) {
    return permanent(fmt::format("cannot listen on {} port {}: {}", options.address, options.port,
                                 error.message()));
  };
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return fail(error);
  const tcp::endpoint endpoint(address, options.port);
  tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(error);
  auto impl = std::make_unique<Impl>(std::move(executor), std::move(options), std::move(handler));
  impl->port = acceptor.local_endpoint(error).port();
  impl->acceptor = std::move(acceptor);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

uint16_t Server::port() const {
  return impl_->port;
}

Task<> Server::run() {
  // A cancelled task cannot wait for anything, so the cancellation is put aside while we stop.
  bool cancelled = false;
  try {
    co_await impl_->accept();
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) throw;
    cancelled = true;
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await impl_->stop();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

Task<> Server::Impl::accept() {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) {
      co_await sleep_for(kAcceptPause);
    } else if (connection_tasks.size() >= shared->options.max_connections) {
      turn_away(std::move(socket));
    } else {
      connection_tasks.spawn("http connection", serve(std::move(socket)));
    }
  }
}

Task<> Server::Impl::serve(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  Connection connection(std::move(socket), shared);
  connections.push_back(&connection);
  struct Unregister {
    std::vector<Connection*>* from;
    Connection* connection;
    ~Unregister() { std::erase(*from, connection); }
  };
  const Unregister on_exit{&connections, &connection};
  co_await connection.serve();
}

Task<> Server::Impl::stop() {
  error_code ignored;
  acceptor.close(ignored);
  shared->stopping = true;
  for (Connection* connection : connections) connection->stop();
  co_await finish_within(shared->options.stop_grace, connection_tasks.join());
  connection_tasks.cancel();
  co_await connection_tasks.join();
}

}  // namespace spotkeeper::http
