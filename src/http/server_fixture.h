// SPDX-License-Identifier: Apache-2.0
// Tests only: the event loop with a client, and a server on loopback that answers as a test says.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/http_fixture.h"
#include "http/server.h"

namespace spotkeeper::http {

class ServerFixture : public HttpFixture {
 protected:
  // To be called in SetUp(), before url(). `answer` is a static coroutine of the test's own.
  template <class Test>
  void serve(Task<ServerResponse> (*answer)(Test*, ServerRequest)) {
    auto* test = static_cast<Test*>(this);
    auto server = Server::listen(
        executor(), {.address = "127.0.0.1", .stop_grace = Millis(0)},
        [test, answer](ServerRequest request) { return answer(test, std::move(request)); });
    server_ = std::move(server).value();
    tasks_.spawn("server", server_->run());
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

 private:
  std::unique_ptr<Server> server_;
};

}  // namespace spotkeeper::http
