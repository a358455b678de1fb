// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: a loopback HTTP server that plays back replies byte by byte (a watch
// whose event is cut in two, a connection that breaks), and a fixture with an Api that talks to it.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "http/message.h"
#include "kube/api.h"

namespace spotkeeper::kube {

struct Reply {
  enum class Then {
    kEnd,   // the body is complete
    kHang,  // nothing more, the connection stays open
    kCut,   // the connection closes in the middle of the body
  };
  int status = 200;
  std::string body = {};                 // sent whole
  std::vector<std::string> pieces = {};  // or bit by bit, chunked
  Then then = Then::kEnd;
  http::Headers headers = {};
};

struct Seen {
  std::string method;
  std::string target;  // path and query
  http::Headers headers;
  std::string body;

  std::string header(const char* name) const {
    const std::string* value = http::find_header(headers, name);
    return value == nullptr ? "" : *value;
  }
};

class ScriptServer {
 public:
  explicit ScriptServer(boost::asio::any_io_executor executor);

  // The next reply to a request whose "METHOD target" contains `part`; the first rule that matches
  // wins, and its last reply is repeated. No rule: 599.
  void on(const std::string& part, Reply reply);

  std::string url() const;
  Task<> run();

  std::vector<Seen> seen;
  // How many requests contain `part` in "METHOD target".
  size_t count(const std::string& part) const;

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Rule {
    std::string part;
    std::deque<Reply> replies;
  };
  Reply reply_to(const Seen& request);
  Task<> serve(std::shared_ptr<Socket> socket);
  Task<bool> answer(Socket& socket, Reply reply);

  boost::asio::ip::tcp::acceptor acceptor_;
  TaskGroup connections_;
  std::vector<Rule> rules_;
};

// A loop, a server and an Api. Nothing runs but inside until() and await().
class KubeTest : public ::testing::Test {
 protected:
  KubeTest();
  ~KubeTest() override;

  // Runs the loop until `done`, at most 10 s; false when it did not happen.
  bool until(const std::function<bool()>& done);

  // The value of a task; fails the test when it takes longer than 10 s.
  template <class T>
  T await(Task<T> task) {
    auto value = std::make_shared<std::optional<T>>();
    group_.spawn("await", store(std::move(task), value));
    if (!until([&] { return value->has_value(); })) throw std::runtime_error("too slow");
    return std::move(**value);
  }

  // A new Api for the server; `change` may add credentials.
  void connect(const std::function<void(Access&)>& change = {});

  // A file in a folder that is removed with the test.
  std::string write_file(const std::string& name, const std::string& content);

  boost::asio::io_context loop_;
  TaskGroup group_;
  ScriptServer server_;
  std::unique_ptr<Api> api_;
  std::filesystem::path folder_;
  std::vector<std::string> answers_;  // "verb resource status", from Api::on_answer

 private:
  template <class T>
  static Task<> store(Task<T> task, std::shared_ptr<std::optional<T>> into) {
    into->emplace(co_await std::move(task));
  }
};

}  // namespace spotkeeper::kube
