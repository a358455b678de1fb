// SPDX-License-Identifier: Apache-2.0
// The implementation of script_server.h; in a _test.cc, so that it is linked into tests only.
#include "kube/script_server.h"

#include <stdlib.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <sstream>

#include "async/timing.h"

namespace spotkeeper::kube {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

Seen parse_head(const std::string& head) {
  std::istringstream lines(head);
  Seen request;
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.target;
  while (std::getline(lines, line) && line != "\r") {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    request.headers.push_back(
        {.name = line.substr(0, colon), .value = line.substr(colon + 2, line.size() - colon - 3)});
  }
  return request;
}

std::string head_of(const Reply& reply) {
  std::ostringstream head;
  head << "HTTP/1.1 " << reply.status << " X\r\nContent-Type: application/json\r\n";
  for (const http::Header& header : reply.headers) {
    head << header.name << ": " << header.value << "\r\n";
  }
  if (reply.pieces.empty() && reply.then == Reply::Then::kEnd) {
    head << "Content-Length: " << reply.body.size() << "\r\n\r\n" << reply.body;
  } else {
    head << "Transfer-Encoding: chunked\r\n\r\n";
  }
  return head.str();
}

std::string chunk(const std::string& piece) {
  std::ostringstream text;
  text << std::hex << piece.size() << "\r\n" << piece << "\r\n";
  return text.str();
}

}  // namespace

ScriptServer::ScriptServer(asio::any_io_executor executor)
    : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      connections_(executor) {}

void ScriptServer::on(const std::string& part, Reply reply) {
  for (Rule& rule : rules_) {
    if (rule.part == part) return rule.replies.push_back(std::move(reply));
  }
  rules_.push_back({.part = part, .replies = {std::move(reply)}});
}

std::string ScriptServer::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

size_t ScriptServer::count(const std::string& part) const {
  size_t found = 0;
  for (const Seen& request : seen) {
    if ((request.method + " " + request.target).find(part) != std::string::npos) ++found;
  }
  return found;
}

Reply ScriptServer::reply_to(const Seen& request) {
  const std::string line = request.method + " " + request.target;
  for (Rule& rule : rules_) {
    if (line.find(rule.part) == std::string::npos) continue;
    Reply reply = rule.replies.front();
    if (rule.replies.size() > 1) rule.replies.pop_front();
    return reply;
  }
  return {.status = 599};
}

Task<> ScriptServer::run() {
  try {
    for (;;) {
      auto socket = std::make_shared<Socket>(acceptor_.get_executor());
      co_await acceptor_.async_accept(*socket, asio::use_awaitable);
      socket->set_option(tcp::no_delay(true));
      connections_.spawn("connection", serve(socket));
    }
  } catch (const boost::system::system_error&) {
    connections_.cancel();
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await connections_.join();
}

Task<> ScriptServer::serve(std::shared_ptr<Socket> socket) {
  std::string buffer;
  for (;;) {
    const auto [failed, size] =
        co_await asio::async_read_until(*socket, asio::dynamic_buffer(buffer), "\r\n\r\n", kTuple);
    if (failed) co_return;
    Seen request = parse_head(buffer.substr(0, size));
    buffer.erase(0, size);
    const std::string length = request.header("Content-Length");
    const size_t wanted = length.empty() ? 0 : std::stoul(length);
    if (buffer.size() < wanted) {
      const auto [cut, more] =
          co_await asio::async_read(*socket, asio::dynamic_buffer(buffer),
                                    asio::transfer_exactly(wanted - buffer.size()), kTuple);
      if (cut) co_return;
    }
    request.body = buffer.substr(0, wanted);
    buffer.erase(0, wanted);
    Reply reply = reply_to(request);
    seen.push_back(std::move(request));
    if (!co_await answer(*socket, std::move(reply))) co_return;
  }
}

Task<bool> ScriptServer::answer(Socket& socket, Reply reply) {
  const std::string head = head_of(reply);
  const auto [failed, sent] = co_await asio::async_write(socket, asio::buffer(head), kTuple);
  if (failed) co_return false;
  for (const std::string& piece : reply.pieces) {
    const std::string bytes = chunk(piece);
    const auto [cut, size] = co_await asio::async_write(socket, asio::buffer(bytes), kTuple);
    if (cut) co_return false;
    co_await sleep_for(Millis(5));  // so that pieces arrive as pieces; nothing depends on it
  }
  if (reply.then == Reply::Then::kCut) co_return false;
  if (reply.then == Reply::Then::kHang) {
    char byte = 0;
    co_await socket.async_read_some(asio::buffer(&byte, 1), kTuple);  // until the client leaves
    co_return false;
  }
  if (!reply.pieces.empty()) {
    const std::string end = "0\r\n\r\n";
    const auto [cut, size] = co_await asio::async_write(socket, asio::buffer(end), kTuple);
    co_return !cut;
  }
  co_return true;
}

KubeTest::KubeTest() : group_(loop_.get_executor()), server_(loop_.get_executor()) {
  std::string name = (std::filesystem::temp_directory_path() / "spotkeeper-kube-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  group_.spawn("server", server_.run());
  connect();
}

KubeTest::~KubeTest() {
  group_.cancel();
  EXPECT_TRUE(until([this] { return group_.size() == 0; }));
  EXPECT_EQ(group_.first_failure(), "");
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool KubeTest::until(const std::function<bool()>& done) {
  const auto at_most = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > at_most) return false;
    loop_.restart();
    loop_.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

void KubeTest::connect(const std::function<void(Access&)>& change) {
  Access access;
  access.server = server_.url();
  access.tls.use_environment_proxy = false;
  if (change) change(access);
  api_ = std::make_unique<Api>(loop_.get_executor(), access);
  api_->on_answer = [this](const std::string& verb, const std::string& resource, int status) {
    answers_.push_back(verb + " " + resource + " " + std::to_string(status));
  };
}

std::string KubeTest::write_file(const std::string& name, const std::string& content) {
  const std::filesystem::path path = folder_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << content;
  return path.string();
}

}  // namespace spotkeeper::kube
