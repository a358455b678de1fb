// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <gmock/gmock.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "http/http_fixture.h"

namespace spotkeeper::http {
namespace {

using boost::asio::ip::tcp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A client that sends bytes and looks at bytes.
class RawClient {
 public:
  RawClient(const boost::asio::any_io_executor& executor, uint16_t port) : socket_(executor) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
  }

  Task<> write(std::string bytes) {
    // The server may already have answered and closed.
    co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes),
                                      boost::asio::as_tuple(boost::asio::use_awaitable));
  }

  // All that comes until the server closes, or until `end` has come.
  Task<std::string> read(std::string end) {
    std::string text;
    while (end.empty() || text.find(end) == std::string::npos) {
      char bytes[4096];
      const auto [error, size] = co_await socket_.async_read_some(
          boost::asio::buffer(bytes), boost::asio::as_tuple(boost::asio::use_awaitable));
      if (error) break;
      text.append(bytes, size);
    }
    co_return text;
  }

  void close_writing() { socket_.shutdown(tcp::socket::shutdown_send); }

 private:
  tcp::socket socket_;
};

class ServerTest : public HttpFixture {
 protected:
  void listen(ServerOptions options = {}) {
    options.address = "127.0.0.1";
    options.on_failure = [this](const std::string& what) { failures_.push_back(what); };
    auto server = Server::listen(executor(), std::move(options),
                                 [this](ServerRequest request) { return handle(this, request); });
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
    server_tasks_.spawn("server", server_->run());
  }

  void TearDown() override {
    stop();
    HttpFixture::TearDown();
  }
  void stop() {
    server_tasks_.cancel();
    run(server_tasks_.join());
  }

  static Task<ServerResponse> handle(ServerTest* test, ServerRequest request) {
    ++test->handled_;
    test->last_ = request;
    if (request.path == "/throw") throw std::runtime_error("a bug");
    if (request.path == "/wait") co_await test->go_.wait(Millis(10'000));
    ServerResponse response;
    response.body = "you said " + request.method + " " + request.path;
    if (request.path == "/forge") response.headers.push_back({"X-A", "1\r\nX-B: 2"});
    if (request.path == "/nothing") response.status = 204;
    if (request.path == "/big") response.body.assign(20uz * 1024 * 1024, 'x');
    if (request.path.starts_with("/stream")) {
      response.stream = [test, path = request.path](BodyWriter& out) {
        return produce(test, path, out);
      };
    }
    co_return response;
  }

  static Task<> produce(ServerTest* test, std::string path, BodyWriter& out) {
    struct Count {
      int* ended;
      ~Count() { ++*ended; }
    };
    const Count count{&test->streams_ended_};
    ++test->streams_;
    co_await out.write("one,");
    co_await out.write("");
    if (path == "/stream/throw") throw std::runtime_error("a bug");
    if (path == "/stream/flood") {
      while (co_await out.write(std::string(100'000, 'x'))) ++test->pieces_;
      co_return;
    }
    if (path == "/stream/wait") co_await test->go_.wait(Millis(10'000));
    co_await out.write("two");
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }

  // Sends these bytes on a new connection; gives all that comes until the server closes it.
  std::string exchange(std::string bytes) {
    RawClient client(executor(), server_->port());
    run(client.write(std::move(bytes)));
    return run(client.read(""));
  }

  Event go_{executor()};
  int handled_ = 0;
  int streams_ = 0;
  int streams_ended_ = 0;
  int pieces_ = 0;
  ServerRequest last_;
  std::vector<std::string> failures_;
  std::unique_ptr<Server> server_;
  TaskGroup server_tasks_{executor(),
                          [](const std::string& what) { ADD_FAILURE() << "server: " << what; }};
};

constexpr const char* kClose = "Connection: close\r\n";

std::string request_text(const std::string& path, const std::string& headers = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

TEST_F(ServerTest, AnswersARequest) {
  listen();
  const auto response = run(client_.send({.method = Method::kPost,
                                          .url = url("/a%20b?c=d&e"),
                                          .headers = {{"X-Test", "1"}},
                                          .body = "hello"}));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "you said POST /a%20b");
  EXPECT_EQ(*find_header(response->headers, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(last_.query, "c=d&e");
  EXPECT_EQ(last_.body, "hello");
  EXPECT_EQ(*find_header(last_.headers, "x-test"), "1");
}

TEST_F(ServerTest, KeepsAConnection) {
  listen();
  const size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get(url("/")).has_value());
  EXPECT_EQ(open_descriptors(), before + 2) << "one connection, both ends";
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  listen();
  const std::string text =
      exchange(request_text("/one") + request_text("/two") + request_text("/three", kClose));
  const size_t one = text.find("you said GET /one");
  const size_t two = text.find("you said GET /two");
  const size_t three = text.find("you said GET /three");
  ASSERT_NE(three, std::string::npos) << text;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST_F(ServerTest, ReadsARequestThatComesInPieces) {
  listen();
  RawClient client(executor(), server_->port());
  for (const char c : request_text("/slow", kClose)) run(client.write(std::string(1, c)));
  EXPECT_THAT(run(client.read("")), HasSubstr("you said GET /slow"));
}

TEST_F(ServerTest, ReadsAChunkedBody) {
  listen();
  exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(last_.body, "hello");
}

TEST_F(ServerTest, TellsAClientThatAsksToContinue) {
  listen();
  RawClient client(executor(), server_->port());
  run(
      client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                   "Expect: 100-continue\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(run(client.read("\r\n\r\n")), StartsWith("HTTP/1.1 100 Continue\r\n"));
  run(client.write("hi"));
  EXPECT_THAT(run(client.read("")), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(last_.body, "hi");
}

TEST_F(ServerTest, ServesHttp10AndClosesThen) {
  listen();
  EXPECT_THAT(exchange("GET /old HTTP/1.0\r\n\r\n"), HasSubstr("you said GET /old"));
}

TEST_F(ServerTest, AnswersHeadWithoutTheBody) {
  listen();
  const std::string text = exchange("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("Content-Length: 16\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
}

TEST_F(ServerTest, SendsNoBodyWith204) {
  listen();
  const std::string text = exchange(request_text("/nothing", kClose));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
}

TEST_F(ServerTest, RefusesGarbage) {
  listen();
  for (const char* bytes :
       {"\r\n\x01\x02\x03\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_THAT(exchange(bytes), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bytes;
  }
  EXPECT_EQ(handled_, 0);
  EXPECT_TRUE(failures_.empty()) << "a bad client is not our bug";
}

TEST_F(ServerTest, RefusesAHugeHeader) {
  listen();
  const std::string text =
      exchange(request_text("/", "X-Big: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(text, HasSubstr("Connection: close"));
}

TEST_F(ServerTest, RefusesAnEndlessHeader) {
  listen();
  EXPECT_THAT(exchange("GET /" + std::string(1'000'000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, RefusesAHugeBody) {
  listen({.max_body = 1000});
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                       std::string(2000, 'x')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(handled_, 0);
  EXPECT_TRUE(
      run(client_.send({.method = Method::kPost, .url = url("/"), .body = std::string(1000, 'x')}))
          .has_value());
}

TEST_F(ServerTest, AnOversizedUploadStillSeesItsAnswer) {
  listen({.max_body = 1000});
  const auto response = run(
      client_.send({.method = Method::kPost, .url = url("/"), .body = std::string(200'000, 'x')}));
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST_F(ServerTest, ClosesOnASlowClient) {
  listen({.idle_timeout = Millis(30)});
  EXPECT_EQ(exchange(""), "");
  EXPECT_EQ(exchange("GET / HTTP/1.1\r\nHost: "), "");
  EXPECT_EQ(exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe"), "");
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, ClosesOnAClientThatDoesNotRead) {
  listen({.idle_timeout = Millis(30)});
  RawClient client(executor(), server_->port());
  const size_t before = open_descriptors();
  run(client.write(request_text("/big")));
  run_until([this] { return handled_ == 1; });
  // The answer does not fit the kernel's buffers and nobody reads, so the server gives up. Then all
  // there is to read is what the buffers hold.
  run_until([before] { return open_descriptors() == before; });
  EXPECT_LT(run(client.read("")).size(), 20uz * 1024 * 1024);
}

TEST_F(ServerTest, AClientThatHangsUpIsForgotten) {
  listen();
  const size_t before = open_descriptors();
  {
    RawClient client(executor(), server_->port());
    run(client.write("GET / HT"));
    client.close_writing();
    EXPECT_EQ(run(client.read("")), "");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ServerTest, TurnsSurplusConnectionsAway) {
  listen({.max_connections = 2});
  RawClient first(executor(), server_->port());
  RawClient second(executor(), server_->port());
  for (RawClient* client : {&first, &second}) {
    run(client->write(request_text("/")));
    EXPECT_THAT(run(client->read("you said")), HasSubstr("200 OK"));
  }
  RawClient third(executor(), server_->port());
  EXPECT_THAT(run(third.read("")), StartsWith("HTTP/1.1 503 "));
  run(first.write(request_text("/again", kClose)));
  EXPECT_THAT(run(first.read("")), HasSubstr("you said GET /again"));
  RawClient fourth(executor(), server_->port());
  run(fourth.write(request_text("/", kClose)));
  EXPECT_THAT(run(fourth.read("")), HasSubstr("200 OK"));
}

TEST_F(ServerTest, AHandlerThatThrowsIsA500AndReported) {
  listen();
  EXPECT_EQ(get(url("/throw"))->status, 500);
  EXPECT_THAT(failures_, ElementsAre("handler of GET /throw: a bug"));
  EXPECT_EQ(get(url("/fine"))->status, 200) << "the server goes on";
}

TEST_F(ServerTest, AnAnswerThatWouldForgeHeadersIsA500) {
  listen();
  EXPECT_EQ(get(url("/forge"))->status, 500);
  EXPECT_EQ(failures_.size(), 1u);
}

TEST_F(ServerTest, AHandlerThatTakesTooLongIsA503) {
  listen({.handle_timeout = Millis(20)});
  EXPECT_EQ(get(url("/wait"))->status, 503);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(ServerTest, StreamsABodyInChunks) {
  listen();
  const std::string text = exchange(request_text("/stream") + request_text("/after", kClose));
  EXPECT_THAT(text, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length: 0")));
  EXPECT_THAT(text, HasSubstr("\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(text, HasSubstr("you said GET /after")) << "the connection goes on";
}

TEST_F(ServerTest, OurOwnClientUnderstandsAStream) {
  listen();
  for (int i = 0; i < 2; ++i) {
    const auto response = get(url("/stream"));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "one,two");
  }
}

TEST_F(ServerTest, StreamsToHttp10UntilItCloses) {
  listen();
  const std::string text = exchange("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(text, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_TRUE(text.ends_with("\r\n\r\none,two")) << text;
}

TEST_F(ServerTest, HeadOfAStreamHasNoBodyAndStartsNoProducer) {
  listen();
  const std::string text =
      exchange("HEAD /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
  EXPECT_EQ(streams_, 0);
}

TEST_F(ServerTest, APieceArrivesBeforeTheNextIsMadeAndNoTimeLimitApplies) {
  listen({.idle_timeout = Millis(300), .handle_timeout = Millis(200)});
  RawClient client(executor(), server_->port());
  run(client.write(request_text("/stream/wait", kClose)));
  EXPECT_THAT(run(client.read("one,")), HasSubstr("4\r\none,"));
  run(sleep_for(Millis(500)));
  EXPECT_EQ(streams_ended_, 0);
  go_.set();
  EXPECT_THAT(run(client.read("")), HasSubstr("3\r\ntwo\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, AStreamEndsWhenItsClientHangsUp) {
  listen();
  const size_t before = open_descriptors();
  {
    RawClient client(executor(), server_->port());
    run(client.write(request_text("/stream/wait")));
    run(client.read("one,"));
  }
  run_until([this] { return streams_ended_ == 1; });
  run_until([before] { return open_descriptors() == before; });
  EXPECT_TRUE(failures_.empty());
}

TEST_F(ServerTest, AStreamWaitsForASlowClientAndGivesUpAfterAWhile) {
  listen({.idle_timeout = Millis(1000)});
  RawClient client(executor(), server_->port());
  run(client.write(request_text("/stream/flood")));
  run_until([this] { return streams_ended_ == 1; });
  EXPECT_LT(pieces_, 200) << "what the kernel's buffers hold, and no more";
}

TEST_F(ServerTest, AProducerThatThrowsBreaksTheConnectionAndIsReported) {
  listen();
  const std::string text = exchange(request_text("/stream/throw"));
  EXPECT_TRUE(text.ends_with("4\r\none,\r\n")) << "no end: " << text;
  EXPECT_THAT(failures_, ElementsAre("body of GET /stream/throw: a bug"));
}

TEST_F(ServerTest, AnAddressInUseIsPermanent) {
  listen();
  const auto second =
      Server::listen(executor(), {.address = "127.0.0.1", .port = server_->port()},
                     [this](ServerRequest request) { return handle(this, std::move(request)); });
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::kPermanent);
  EXPECT_EQ(second.error().message, "cannot listen on 127.0.0.1 port " +
                                        std::to_string(server_->port()) +
                                        ": Address already in use");
}

TEST_F(ServerTest, ANonsenseAddressIsPermanent) {
  const auto server =
      Server::listen(executor(), {.address = "nowhere"},
                     [this](ServerRequest request) { return handle(this, std::move(request)); });
  ASSERT_FALSE(server.has_value());
  EXPECT_THAT(server.error().message, StartsWith("cannot listen on nowhere port 0: "));
}

Task<> read_into(RawClient* client, std::string* text) {
  *text = co_await client->read("");
}

class ServerStop : public ServerTest {
 protected:
  std::string text_;
  std::unique_ptr<RawClient> raw_;
};

TEST_F(ServerStop, ClosesIdleConnectionsAtOnce) {
  listen({.stop_grace = Millis(3'600'000)});
  RawClient idle(executor(), server_->port());
  run(idle.write(request_text("/")));
  run(idle.read("you said"));
  stop();
  EXPECT_EQ(run(idle.read("")), "");
  EXPECT_FALSE(get(url("/")).has_value()) << "nobody listens any more";
}

TEST_F(ServerStop, LetsARequestUnderWayEnd) {
  listen({.stop_grace = Millis(3'600'000)});
  raw_ = std::make_unique<RawClient>(executor(), server_->port());
  run(raw_->write(request_text("/wait")));
  run_until([this] { return handled_ == 1; });
  server_tasks_.cancel();
  tasks_.spawn("reader", read_into(raw_.get(), &text_));
  run(sleep_for(Millis(0)));
  go_.set();
  run(server_tasks_.join());
  run(tasks_.join());
  EXPECT_THAT(text_, HasSubstr("you said GET /wait"));
  EXPECT_THAT(text_, HasSubstr("Connection: close"));
}

TEST_F(ServerStop, EndsAStreamAtOnceAndProperly) {
  listen({.stop_grace = Millis(3'600'000)});
  RawClient client(executor(), server_->port());
  run(client.write(request_text("/stream/wait")));
  run(client.read("one,"));
  stop();
  EXPECT_EQ(streams_ended_, 1);
  EXPECT_THAT(run(client.read("")), HasSubstr("0\r\n\r\n"));
}

TEST_F(ServerStop, CutsOffARequestThatOutlastsTheGrace) {
  listen({.stop_grace = Millis(10)});
  RawClient client(executor(), server_->port());
  run(client.write(request_text("/wait")));
  run_until([this] { return handled_ == 1; });
  stop();
  EXPECT_EQ(run(client.read("")), "");
  EXPECT_TRUE(failures_.empty()) << "being cancelled is not a failure of the handler";
}

}  // namespace
}  // namespace spotkeeper::http
