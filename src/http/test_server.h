// SPDX-License-Identifier: Apache-2.0
// Tests only, header only: a server that does what a script says, byte for byte, so that a client
// can be shown every kind of bad behaviour. Each accepted connection runs the script once and
// closes when it ends. TLS: see test_tls.h.
//
// A script is a function that returns a coroutine, never a coroutine lambda with captures.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "async/task.h"
#include "async/task_group.h"

namespace spotkeeper::http {

// One accepted connection, as a script sees it. A client that hangs up ends the script by an
// exception, which is no failure: clients may do that at any time.
class Peer {
 public:
  explicit Peer(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  virtual Task<> handshake() { co_return; }

  // The next request: its head and, by Content-Length, its body.
  Task<std::string> request() {
    size_t head = 0;
    while ((head = waiting_.find("\r\n\r\n")) == std::string::npos) co_await fill();
    size_t size = head + 4;
    const size_t length = waiting_.find("Content-Length: ");
    if (length < head) size += std::strtoul(waiting_.c_str() + length + 16, nullptr, 10);
    while (waiting_.size() < size) co_await fill();
    std::string request = waiting_.substr(0, size);
    waiting_.erase(0, size);
    co_return request;
  }

  virtual Task<> write(std::string bytes) {
    co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes),
                                      boost::asio::use_awaitable);
  }

  // Waits until the other side closes; what it sends meanwhile is thrown away.
  Task<> wait_for_close() {
    for (;;) {
      char bytes[4096];
      const auto [error, size] = co_await socket_.async_read_some(
          boost::asio::buffer(bytes), boost::asio::as_tuple(boost::asio::use_awaitable));
      if (error == boost::asio::error::operation_aborted) {
        throw boost::system::system_error(error);
      }
      if (error) co_return;
    }
  }

  // Makes the coming close a TCP reset instead of an orderly end.
  void reset() { socket_.set_option(boost::asio::socket_base::linger(true, 0)); }

 protected:
  virtual Task<size_t> read_some(char* into, size_t room) {
    co_return co_await socket_.async_read_some(boost::asio::buffer(into, room),
                                               boost::asio::use_awaitable);
  }

  boost::asio::ip::tcp::socket socket_;

 private:
  Task<> fill() {
    char bytes[4096];
    const size_t size = co_await read_some(bytes, sizeof bytes);
    waiting_.append(bytes, size);
  }

  std::string waiting_;  // read, and not yet part of a request
};

class ScriptServer {
 public:
  using Script = std::function<Task<>(Peer&)>;
  using MakePeer = std::function<std::unique_ptr<Peer>(boost::asio::ip::tcp::socket)>;

  // Listens on a free port of 127.0.0.1; its tasks run in `group` and keep what they need alive.
  ScriptServer(TaskGroup& group, Script script, MakePeer make_peer = {})
      : state_(std::make_shared<State>(group.executor())), tls_(make_peer != nullptr) {
    state_->script = std::move(script);
    state_->make_peer = std::move(make_peer);
    group.spawn("script server", accept(state_, &group));
  }
  ~ScriptServer() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
  }
  ScriptServer(const ScriptServer&) = delete;
  ScriptServer& operator=(const ScriptServer&) = delete;

  uint16_t port() const { return state_->acceptor.local_endpoint().port(); }
  std::string url(std::string_view path = "/") const {
    return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) +
           std::string(path);
  }
  int connections() const { return state_->connections; }

 private:
  struct State {
    explicit State(const boost::asio::any_io_executor& executor)
        : acceptor(executor, {boost::asio::ip::address_v4::loopback(), 0}) {}
    boost::asio::ip::tcp::acceptor acceptor;
    Script script;
    MakePeer make_peer;
    int connections = 0;
  };

  static Task<> accept(std::shared_ptr<State> state, TaskGroup* group) {
    for (;;) {
      auto socket = co_await state->acceptor.async_accept(boost::asio::use_awaitable);
      ++state->connections;
      socket.set_option(boost::asio::ip::tcp::no_delay(true));
      auto peer = state->make_peer ? state->make_peer(std::move(socket))
                                   : std::make_unique<Peer>(std::move(socket));
      group->spawn("script", serve(state, std::move(peer)));
    }
  }

  static Task<> serve(std::shared_ptr<State> state, std::unique_ptr<Peer> peer) {
    try {
      co_await peer->handshake();
      co_await state->script(*peer);
    } catch (const boost::system::system_error& e) {
      if (e.code() == boost::asio::error::operation_aborted) throw;
    }
  }

  std::shared_ptr<State> state_;
  bool tls_;
};

// A complete answer with a Content-Length. `more` are whole header lines with their line breaks.
inline std::string answer(std::string_view body, std::string_view status = "200 OK",
                          std::string_view more = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Script: every request gets the same bytes.
inline Task<> always(Peer& peer, std::string bytes) {
  for (;;) {
    co_await peer.request();
    co_await peer.write(bytes);
  }
}
inline ScriptServer::Script always(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) { return always(peer, bytes); };
}

// Script: one request gets these bytes, then the connection closes.
inline Task<> once(Peer& peer, std::string bytes) {
  co_await peer.request();
  co_await peer.write(bytes);
}
inline ScriptServer::Script once(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) { return once(peer, bytes); };
}

// Script: one request gets these bytes (or none), then nothing more comes.
inline Task<> stall(Peer& peer, std::string bytes) {
  co_await peer.request();
  co_await peer.write(bytes);
  co_await peer.wait_for_close();
}
inline ScriptServer::Script stall(std::string bytes = "") {
  return [bytes = std::move(bytes)](Peer& peer) { return stall(peer, bytes); };
}

}  // namespace spotkeeper::http
