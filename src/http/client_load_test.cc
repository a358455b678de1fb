// SPDX-License-Identifier: Apache-2.0
// Many requests against our own server: no descriptor, no transfer and no connection may be left.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "async/timing.h"
#include "http/client.h"
#include "http/http_fixture.h"
#include "http/server.h"

namespace spotkeeper::http {
namespace {

Task<ServerResponse> echo(ServerRequest request) {
  ServerResponse response;
  response.body = request.path;
  if (request.query == "close") response.headers.push_back({"Connection", "close"});
  co_return response;
}

class LoadTest : public HttpFixture {
 protected:
  void SetUp() override {
    auto server =
        Server::listen(executor(), {.address = "127.0.0.1", .max_connections = 300}, echo);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
    tasks_.spawn("server", server_->run());
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }

  std::unique_ptr<Server> server_;
  std::string url_;
  int answered_ = 0;
};

Task<> ask(Client* client, std::string url, int times, int* answered) {
  for (int i = 0; i < times; ++i) {
    Request request;
    request.url = url + "/" + std::to_string(i);
    request.timeout = Millis(60'000);
    const auto response = co_await client->send(std::move(request));
    EXPECT_TRUE(response.has_value()) << response.error().message;
    if (response && response->body == "/" + std::to_string(i)) ++*answered;
  }
}

TEST_F(LoadTest, TenThousandRequestsLeakNothing) {
  run(ask(&client_, url_, 10, &answered_));
  const size_t before = open_descriptors();
  run(ask(&client_, url_, 9'990, &answered_));
  EXPECT_EQ(answered_, 10'000);
  EXPECT_EQ(client_.in_flight(), 0u);
  EXPECT_EQ(open_descriptors(), before);
}

Task<> ask_and_close(Client* client, std::string url, int times, int* answered) {
  for (int i = 0; i < times; ++i) {
    Request request;
    request.url = url + "/x?close";
    const auto response = co_await client->send(std::move(request));
    EXPECT_TRUE(response.has_value()) << response.error().message;
    if (response) ++*answered;
  }
}

TEST_F(LoadTest, AThousandConnectionsLeakNothing) {
  run(ask_and_close(&client_, url_, 10, &answered_));
  const size_t before = open_descriptors();
  run(ask_and_close(&client_, url_, 990, &answered_));
  EXPECT_EQ(answered_, 1'000);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(LoadTest, TwoHundredInParallelLeakNothing) {
  const size_t before = open_descriptors();
  TaskGroup group(executor());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) group.spawn("request", ask(&client_, url_, 5, &answered_));
    run(group.join());
  }
  EXPECT_EQ(answered_, 3'000);
  EXPECT_EQ(client_.in_flight(), 0u);
  // What stays open are kept connections, with an end each for client and server. The server sees a
  // moment later that the client has closed the others.
  const size_t kept = before + 2uz * kKeptConnections + 2;
  for (int i = 0; i < 500 && open_descriptors() > kept; ++i) run(sleep_for(Millis(10)));
  EXPECT_LE(open_descriptors(), kept);
}

}  // namespace
}  // namespace spotkeeper::http
