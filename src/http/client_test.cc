// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "async/timing.h"
#include "http/http_fixture.h"
#include "http/test_server.h"

namespace spotkeeper::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ClientTest : public HttpFixture {
 protected:
  // The request as a server received it.
  std::string received(Request request) {
    ScriptServer server(tasks_, [this](Peer& peer) { return record(peer, &text_); });
    request.url = server.url("/path?query=1");
    EXPECT_TRUE(send(std::move(request)).has_value());
    return text_;
  }

  bool seen_ = false;
  bool closed_ = false;
  int requests_ = 0;

 private:
  static Task<> record(Peer& peer, std::string* text) {
    *text = co_await peer.request();
    co_await peer.write(answer(""));
  }

  std::string text_;
};

void expect_error(const Result<Response>& result, ErrorKind kind, const std::string& text) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, kind) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(text));
  EXPECT_THAT(result.error().message, Not(HasSubstr("\n")));
}

TEST_F(ClientTest, GetsStatusHeadersAndBody) {
  ScriptServer server(tasks_, always(answer("hello", "207 Multi-Status", "X-Odd:  a b \r\n")));
  const auto response = get(server.url());
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 207);
  EXPECT_EQ(response->body, "hello");
  ASSERT_NE(find_header(response->headers, "x-odd"), nullptr);
  EXPECT_EQ(*find_header(response->headers, "x-odd"), "a b");
  EXPECT_EQ(client_.in_flight(), 0u);
}

TEST_F(ClientTest, AnErrorStatusIsAResponse) {
  ScriptServer server(tasks_, always(answer("no", "503 Service Unavailable")));
  const auto response = get(server.url());
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 503);
  EXPECT_FALSE(response->ok());
}

TEST_F(ClientTest, ARedirectIsNotFollowed) {
  ScriptServer server(tasks_, always(answer("", "302 Found", "Location: http://127.0.0.1:1/\r\n")));
  EXPECT_EQ(get(server.url())->status, 302);
}

TEST_F(ClientTest, SendsNothingItWasNotToldTo) {
  const std::string text = received({});
  EXPECT_TRUE(text.starts_with("GET /path?query=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << text;
  EXPECT_THAT(text, HasSubstr("\r\nUser-Agent: spotkeeper/"));
  EXPECT_THAT(text, Not(HasSubstr("Accept-Encoding")));
  EXPECT_THAT(text, Not(HasSubstr("Content-")));
}

TEST_F(ClientTest, SendsABodyWithItsOwnContentType) {
  const std::string text = received({.method = Method::kPatch,
                                     .headers = {{"Content-Type", "application/json"}},
                                     .body = "{\"a\":1}"});
  EXPECT_TRUE(text.starts_with("PATCH /path?query=1 ")) << text;
  EXPECT_THAT(text, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_F(ClientTest, SendsAnEmptyPutWithItsLength) {
  const std::string text = received({.method = Method::kPut, .headers = {{"X-Empty", ""}}});
  EXPECT_TRUE(text.starts_with("PUT ")) << text;
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nX-Empty:\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Content-Type")));
}

// Script: the first request of all has an answer; the others get the end of their connection.
Task<> answer_the_first(Peer& peer, int* requests) {
  for (;;) {
    co_await peer.request();
    if (++*requests > 1) co_return;
    co_await peer.write(answer("hello"));
  }
}

TEST_F(ClientTest, WhatMeetsTheEndOfAKeptConnectionIsSentAgain) {
  ScriptServer server(tasks_, [this](Peer& peer) { return answer_the_first(peer, &requests_); });
  EXPECT_TRUE(get(server.url()).has_value());
  EXPECT_FALSE(send({.method = Method::kPost, .url = server.url()}).has_value());
  EXPECT_EQ(requests_, 3);
}

TEST_F(ClientTest, OnAConnectionOfItsOwnItIsSentOnce) {
  ScriptServer server(tasks_, [this](Peer& peer) { return answer_the_first(peer, &requests_); });
  EXPECT_TRUE(get(server.url()).has_value());
  EXPECT_FALSE(
      send({.method = Method::kPost, .url = server.url(), .fresh_connection = true}).has_value());
  EXPECT_EQ(requests_, 2);
}

TEST_F(ClientTest, SendsADeleteWithABody) {
  const std::string text = received({.method = Method::kDelete, .body = "{}"});
  EXPECT_TRUE(text.starts_with("DELETE ")) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n{}"));
}

TEST_F(ClientTest, SendsALargeBodyWithoutWaitingForContinue) {
  const std::string body(3uz * 1024 * 1024, 'x');
  const std::string text = received({.method = Method::kPost, .body = body});
  EXPECT_THAT(text.substr(0, 400), Not(HasSubstr("Expect")));
  EXPECT_TRUE(text.ends_with(body));
}

TEST_F(ClientTest, RefusesHeadersThatWouldForgeOthers) {
  const uint16_t nobody = 1;
  const std::string url = "http://127.0.0.1:" + std::to_string(nobody) + "/";
  expect_error(send({.url = url, .headers = {{"X-A", "1\r\nX-B: 2"}}}), ErrorKind::kPermanent,
               "header \"X-A\" has a name or value that may not be sent");
  expect_error(send({.url = url, .headers = {{"X A", "1"}}}), ErrorKind::kPermanent,
               "may not be sent");
}

TEST_F(ClientTest, SkipsInformationalAnswers) {
  ScriptServer server(tasks_,
                      always("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + answer("x")));
  const auto response = get(server.url());
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(find_header(response->headers, "X-Early"), nullptr);
}

TEST_F(ClientTest, ReadsAChunkedBody) {
  ScriptServer server(tasks_,
                      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  const auto response = get(server.url());
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "hello world");
  EXPECT_EQ(find_header(response->headers, "X-Trailer"), nullptr);
}

TEST_F(ClientTest, RefusedIsRetryable) {
  expect_error(get("http://127.0.0.1:1/"), ErrorKind::kRetryable,
               "GET http://127.0.0.1:1/: connection refused");
}

TEST_F(ClientTest, AnUnresolvableNameIsRetryable) {
  // Never asked of a name server: a label has at most 63 characters.
  expect_error(get("http://" + std::string(64, 'a') + ".test/"), ErrorKind::kRetryable,
               "the host's name cannot be resolved");
}

TEST_F(ClientTest, AMalformedUrlIsPermanent) {
  expect_error(get("not a url"), ErrorKind::kPermanent, "not an absolute http or https URL");
}

TEST_F(ClientTest, ASlowHeadIsATimeOut) {
  ScriptServer server(tasks_, stall());
  expect_error(send({.url = server.url("/slow"), .timeout = Millis(30)}), ErrorKind::kRetryable,
               "/slow: no answer within 30 ms");
  EXPECT_EQ(client_.in_flight(), 0u);
}

TEST_F(ClientTest, ASlowBodyIsATimeOut) {
  ScriptServer server(tasks_, stall("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  expect_error(send({.url = server.url(), .timeout = Millis(30)}), ErrorKind::kRetryable,
               "the answer was not complete within 30 ms");
}

TEST_F(ClientTest, ACutBodyIsRetryable) {
  ScriptServer server(tasks_, once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  expect_error(get(server.url()), ErrorKind::kRetryable, "the body was cut off");
}

TEST_F(ClientTest, ACutChunkedBodyIsRetryable) {
  ScriptServer server(tasks_,
                      once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
  expect_error(get(server.url()), ErrorKind::kRetryable, server.url());
}

TEST_F(ClientTest, AMangledChunkIsRetryable) {
  ScriptServer server(tasks_,
                      once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n"));
  expect_error(get(server.url()), ErrorKind::kRetryable, server.url());
}

TEST_F(ClientTest, ACloseWithoutAnAnswerIsRetryable) {
  ScriptServer server(tasks_, once(""));
  expect_error(get(server.url()), ErrorKind::kRetryable, "connection closed without an answer");
}

Task<> reset_after_request(Peer& peer) {
  co_await peer.request();
  peer.reset();
}

TEST_F(ClientTest, AResetIsRetryable) {
  ScriptServer server(tasks_, reset_after_request);
  expect_error(get(server.url()), ErrorKind::kRetryable, server.url());
}

TEST_F(ClientTest, AnAnswerThatIsNotHttpIsRetryable) {
  ScriptServer server(tasks_, once("SSH-2.0-OpenSSH_9.2\r\n"));
  expect_error(get(server.url()), ErrorKind::kRetryable, "the answer is not HTTP");
}

TEST_F(ClientTest, AnOversizedBodyIsPermanent) {
  ScriptServer server(tasks_, always(answer(std::string(1001, 'x'))));
  expect_error(send({.url = server.url(), .max_body = 1000}), ErrorKind::kPermanent,
               "the body is larger than 1000 bytes");
  EXPECT_EQ(send({.url = server.url(), .max_body = 1001})->body.size(), 1001u);
}

TEST_F(ClientTest, AnEndlessBodyIsCutAtTheLimit) {
  ScriptServer server(tasks_, stall("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x')));
  expect_error(send({.url = server.url(), .max_body = 1000}), ErrorKind::kPermanent,
               "the body is larger than 1000 bytes");
}

TEST_F(ClientTest, AnOversizedHeadIsPermanent) {
  std::string lines;
  for (int i = 0; i < 70; ++i) lines += "X-Filler: " + std::string(1000, 'x') + "\r\n";
  ScriptServer server(tasks_, always(answer("", "200 OK", lines)));
  expect_error(get(server.url()), ErrorKind::kPermanent,
               "the answer's head is larger than 65536 bytes");
}

TEST_F(ClientTest, KeepsItsConnection) {
  ScriptServer server(tasks_, always(answer("x")));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(get(server.url())->body, "x");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, ReplacesAConnectionTheServerHasClosed) {
  ScriptServer server(tasks_, once(answer("x")));
  for (int i = 0; i < 3; ++i) ASSERT_EQ(get(server.url())->body, "x");
  EXPECT_EQ(server.connections(), 3);
}

// Answers one request; hangs up on the second, as a server does whose idle time has just run out.
Task<> hang_up_on_the_second(Peer& peer) {
  co_await peer.request();
  co_await peer.write(answer("x"));
  co_await peer.request();
}

TEST_F(ClientTest, TriesAgainWhenAKeptConnectionTurnsOutToBeDead) {
  ScriptServer server(tasks_, hang_up_on_the_second);
  for (int i = 0; i < 3; ++i) {
    const auto response = send({.method = Method::kPut, .url = server.url(), .body = "data"});
    ASSERT_TRUE(response.has_value()) << response.error().message;
  }
  EXPECT_EQ(server.connections(), 3);
}

Task<> send_and_drop(Client* client, Request request) {
  co_await client->send(std::move(request));
  ADD_FAILURE() << "the request was to be cancelled";
}

Task<> see_request_and_close(Peer& peer, bool* seen, bool* closed) {
  co_await peer.request();
  *seen = true;
  co_await peer.wait_for_close();
  *closed = true;
}

TEST_F(ClientTest, ACancelledRequestLeavesNothingBehind) {
  ScriptServer server(tasks_,
                      [this](Peer& peer) { return see_request_and_close(peer, &seen_, &closed_); });
  TaskGroup group(executor());
  group.spawn("request", send_and_drop(&client_, {.url = server.url(), .timeout = Millis(0)}));
  run_until([&] { return seen_; });
  EXPECT_EQ(client_.in_flight(), 1u);
  group.cancel();
  run(group.join());
  EXPECT_EQ(client_.in_flight(), 0u);
  EXPECT_TRUE(group.first_failure().empty());
  run_until([&] { return closed_; });
}

TEST_F(ClientTest, ARequestOutlivesItsClient) {
  ScriptServer server(tasks_,
                      [this](Peer& peer) { return see_request_and_close(peer, &seen_, &closed_); });
  TaskGroup group(executor());
  {
    Client client(executor(), {});
    group.spawn("request", send_and_drop(&client, {.url = server.url(), .timeout = Millis(0)}));
    run_until([&] { return seen_; });
  }
  group.cancel();
  run(group.join());
  run_until([&] { return closed_; });
}

TEST_F(ClientTest, CanBeCancelledWhileConnecting) {
  TaskGroup group(executor());
  // TEST-NET-1: packets to it vanish, or the host has no route; either way nobody answers.
  for (int i = 0; i < 3; ++i) {
    group.spawn("request", send_and_drop(&client_, {.url = "http://192.0.2.1:9/"}));
  }
  group.cancel();
  run(group.join());
  EXPECT_EQ(client_.in_flight(), 0u);
}

}  // namespace
}  // namespace spotkeeper::http
