// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "async/timing.h"
#include "http/client.h"
#include "http/http_fixture.h"
#include "http/test_server.h"

namespace spotkeeper::http {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMiB = 1024uz * 1024;

class StreamTest : public HttpFixture {
 protected:
  std::unique_ptr<Stream> open(std::string url) {
    auto stream = run(client_.open({.url = std::move(url), .timeout = Millis(5'000)}));
    if (!stream) throw std::runtime_error(stream.error().message);
    return std::move(*stream);
  }
  Result<std::string> read(Stream& stream) { return run(stream.read(Stream::kNoLimit)); }

  Event next_{executor()};
  size_t written_ = 0;
};

// Sends a head at once, then one chunk each time the event is set.
Task<> chunk_when_told(Peer& peer, Event* next) {
  co_await peer.request();
  co_await peer.write("HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    co_await next->wait(Millis(10'000));
    co_await peer.write("4\r\npie" + std::to_string(i) + "\r\n");
  }
  co_await next->wait(Millis(10'000));
  co_await peer.write("0\r\n\r\n");
}

TEST_F(StreamTest, ReadsPiecesAsTheyCome) {
  ScriptServer server(tasks_, [this](Peer& peer) { return chunk_when_told(peer, &next_); });
  auto stream = open(server.url());
  EXPECT_EQ(stream->status(), 200);
  EXPECT_EQ(*find_header(stream->headers(), "x-a"), "b");
  for (const char* piece : {"pie0", "pie1", "pie2", ""}) {
    next_.set();
    EXPECT_EQ(*read(*stream), piece);
  }
  EXPECT_EQ(*read(*stream), "") << "the end stays the end";
  stream.reset();
  EXPECT_EQ(client_.in_flight(), 0u);
}

TEST_F(StreamTest, AnErrorStatusIsAStreamToo) {
  ScriptServer server(tasks_, always(answer("gone away", "410 Gone")));
  auto stream = open(server.url());
  EXPECT_EQ(stream->status(), 410);
  EXPECT_EQ(*read(*stream), "gone away");
  EXPECT_EQ(*read(*stream), "");
}

TEST_F(StreamTest, ABodyCutMidwayIsAnErrorAfterItsBytes) {
  ScriptServer server(tasks_,
                      once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  auto stream = open(server.url());
  EXPECT_EQ(*read(*stream), "half");
  for (int i = 0; i < 2; ++i) {
    const auto end = read(*stream);
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().kind, ErrorKind::kRetryable);
  }
}

TEST_F(StreamTest, NoByteInTimeIsAnError) {
  ScriptServer server(tasks_,
                      stall("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  auto stream = open(server.url());
  EXPECT_EQ(*run(stream->read(Millis(5'000))), "half");
  const auto end = run(stream->read(Millis(20)));
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().kind, ErrorKind::kRetryable);
  EXPECT_THAT(end.error().message, HasSubstr("nothing came within 20 ms"));
}

TEST_F(StreamTest, TheTimeOutIsForTheHeadOnly) {
  ScriptServer server(tasks_, stall());
  const auto stream = run(client_.open({.url = server.url(), .timeout = Millis(20)}));
  ASSERT_FALSE(stream.has_value());
  EXPECT_THAT(stream.error().message, HasSubstr("no answer within 20 ms"));
}

TEST_F(StreamTest, RefusedIsAnError) {
  const auto stream = run(client_.open({.url = "http://127.0.0.1:1/"}));
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().kind, ErrorKind::kRetryable);
}

Task<> pour(Peer& peer, size_t total, size_t* written) {
  co_await peer.request();
  co_await peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
  const std::string piece(64uz * 1024, 'x');
  while (*written < total) {
    co_await peer.write(piece);
    *written += piece.size();
  }
}

TEST_F(StreamTest, ASlowReaderHoldsTheSenderBack) {
  constexpr size_t kTotal = 64 * kMiB;
  ScriptServer server(tasks_, [this](Peer& peer) { return pour(peer, kTotal, &written_); });
  auto stream = open(server.url());
  // Nobody reads: run until the loop has had nothing to do for a while.
  io_.restart();
  for (int idle = 0; idle < 1000;) idle = io_.poll() > 0 ? 0 : idle + 1;
  // Beyond our own 1 MiB only the kernel's socket buffers hold anything.
  EXPECT_GT(written_, kMiB);
  EXPECT_LT(written_, 24 * kMiB);
  size_t total = 0;
  size_t largest = 0;
  for (;;) {
    const auto piece = read(*stream);
    ASSERT_TRUE(piece.has_value()) << piece.error().message;
    if (piece->empty()) break;
    total += piece->size();
    largest = std::max(largest, piece->size());
  }
  EXPECT_EQ(total, kTotal);
  EXPECT_LE(largest, kMiB + 32uz * 1024);
}

Task<> read_for_ever(Stream* stream, bool* started) {
  *started = true;
  co_await stream->read(Stream::kNoLimit);
  ADD_FAILURE() << "the read was to be cancelled";
}

TEST_F(StreamTest, AReadCanBeCancelledAndTheStreamReadOn) {
  ScriptServer server(tasks_, [this](Peer& peer) { return chunk_when_told(peer, &next_); });
  auto stream = open(server.url());
  bool started = false;
  TaskGroup group(executor());
  group.spawn("reader", read_for_ever(stream.get(), &started));
  run_until([&] { return started; });
  group.cancel();
  run(group.join());
  next_.set();
  EXPECT_EQ(*read(*stream), "pie0");
}

TEST_F(StreamTest, DestroyingAPausedStreamEndsTheRequest) {
  ScriptServer server(tasks_, [this](Peer& peer) { return pour(peer, 8 * kMiB, &written_); });
  auto stream = open(server.url());
  run_until([&] { return written_ > 2 * kMiB; });
  stream.reset();
  EXPECT_EQ(client_.in_flight(), 0u);
  ScriptServer other(tasks_, always(answer("x")));
  EXPECT_EQ(get(other.url())->body, "x");
}

TEST_F(StreamTest, AStreamOutlivesItsClient) {
  ScriptServer server(tasks_, [this](Peer& peer) { return chunk_when_told(peer, &next_); });
  auto client = std::make_unique<Client>(executor(), ClientOptions());
  auto stream = run(client->open({.url = server.url()}));
  client.reset();
  next_.set();
  EXPECT_EQ(*read(**stream), "pie0");
}

}  // namespace
}  // namespace spotkeeper::http
