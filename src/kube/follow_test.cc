// SPDX-License-Identifier: Apache-2.0
#include "kube/follow.h"

#include "async/timing.h"
#include "kube/objects.h"
#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

std::string object(const std::string& name, int version) {
  return R"({"metadata":{"name":")" + name + R"(","uid":"uid-)" + name +
         R"(","resourceVersion":")" + std::to_string(version) + R"("}})";
}

std::string list(int version, const std::vector<std::string>& objects,
                 const std::string& rest = "") {
  std::string items;
  for (const std::string& each : objects) items += (items.empty() ? "" : ",") + each;
  return R"({"kind":"NodeList","metadata":{"resourceVersion":")" + std::to_string(version) +
         R"(","continue":")" + rest + R"("},"items":[)" + items + "]}";
}

std::string event(const std::string& type, const std::string& of) {
  return R"({"type":")" + type + R"(","object":)" + of + "}\n";
}

std::string bookmark(int version) {
  return event("BOOKMARK", R"({"kind":"Node","metadata":{"resourceVersion":")" +
                               std::to_string(version) + R"("}})");
}

std::string status(int code) {
  return R"({"kind":"Status","message":"too old","reason":"Expired","code":)" +
         std::to_string(code) + "}";
}

Reply hang(std::vector<std::string> pieces = {}) {
  return {.pieces = std::move(pieces), .then = Reply::Then::kHang};
}

class FollowTest : public KubeTest {
 protected:
  FollowTest() {
    limits_.backoff_base = Millis(1);
    limits_.backoff_cap = Millis(4);
    limits_.poll = Millis(1);
    limits_.silence = Millis(8'000);
  }

  void on_list(Reply reply) { server_.on("GET /api/v1/nodes?limit", std::move(reply)); }
  void on_watch(Reply reply) { server_.on("GET /api/v1/nodes?watch", std::move(reply)); }

  void start() {
    Sink<Node> sink;
    sink.changed = [this](const Node& n) { heard_.push_back("+" + n.name + n.resource_version); };
    sink.gone = [this](const Node& n) { heard_.push_back("-" + n.name + n.resource_version); };
    sink.synced = [this] { heard_.emplace_back("synced"); };
    sink.failed = [this](const Error& e) { failed_.push_back(e.message); };
    Listing listing{.path = "/api/v1/nodes", .resource = "nodes"};
    group_.spawn("follow",
                 follow<Node>(*api_, std::move(listing), &decode_node, std::move(sink), limits_));
  }

  // Runs until that much was heard; then all of it must be as given.
  void expect(const std::vector<std::string>& wanted) {
    EXPECT_TRUE(until([&] { return heard_.size() >= wanted.size(); }));
    EXPECT_EQ(heard_, wanted);
  }

  FollowLimits limits_;
  std::vector<std::string> heard_;
  std::vector<std::string> failed_;
};

TEST_F(FollowTest, ListsThenWatches) {
  on_list({.body = list(5, {object("a", 1), object("b", 2)})});
  on_watch(hang({event("ADDED", object("c", 6)), event("MODIFIED", object("a", 7)),
                 event("DELETED", object("b", 8))}));
  start();
  expect({"+a1", "+b2", "synced", "+c6", "+a7", "-b8"});
  EXPECT_EQ(failed_, std::vector<std::string>());
  EXPECT_EQ(server_.seen[0].target, "/api/v1/nodes?limit=500");
  EXPECT_EQ(server_.seen[1].target,
            "/api/v1/nodes?watch=true&allowWatchBookmarks=true&resourceVersion=5"
            "&timeoutSeconds=290");
  EXPECT_EQ(answers_, (std::vector<std::string>{"list nodes 200", "watch nodes 200"}));
}

TEST_F(FollowTest, SelectorsAreSentWithBoth) {
  server_.on("limit", {.body = R"({"metadata":{"resourceVersion":"1"},"items":null})"});
  server_.on("watch", hang());
  Listing listing{.path = "/api/v1/pods",
                  .field_selector = "spec.nodeName=web",
                  .label_selector = "app in (a,b)",
                  .resource = "pods",
                  .page = 7};
  group_.spawn("follow", follow<Pod>(*api_, std::move(listing), &decode_pod, Sink<Pod>{}));
  EXPECT_TRUE(until([this] { return server_.seen.size() == 2; }));
  const std::string selectors =
      "/api/v1/pods?fieldSelector=spec.nodeName%3Dweb&labelSelector=app%20in%20%28a%2Cb%29&";
  EXPECT_EQ(server_.seen[0].target, selectors + "limit=7");
  EXPECT_TRUE(server_.seen[1].target.starts_with(selectors + "watch=true&"));
}

TEST_F(FollowTest, ReadsEveryPage) {
  on_list({.body = list(5, {object("a", 1)}, "next page=")});
  on_list({.body = list(5, {object("b", 2)})});
  on_watch(hang());
  start();
  expect({"+a1", "+b2", "synced"});
  EXPECT_EQ(server_.seen[1].target, "/api/v1/nodes?limit=500&continue=next%20page%3D");
}

TEST_F(FollowTest, EventsInAnyPieces) {
  const std::string added = event("ADDED", object("c", 6));
  on_list({.body = list(5, {})});
  on_watch(hang({added.substr(0, 20), added.substr(20),
                 event("ADDED", object("d", 7)) + event("DELETED", object("c", 8)) + "{",
                 event("ADDED", object("e", 9)).substr(1)}));
  start();
  expect({"synced", "+c6", "+d7", "-c8", "+e9"});
  EXPECT_EQ(failed_, std::vector<std::string>());
}

TEST_F(FollowTest, ObjectThatCannotBeReadIsLeftOutAndTold) {
  on_list({.body = list(5, {R"({"metadata":{}})", object("a", 1)})});
  on_watch(hang({event("ADDED", "5"), event("NEW", "{}"), event("ADDED", object("b", 6))}));
  start();
  expect({"+a1", "synced", "+b6"});
  EXPECT_EQ(failed_,
            (std::vector<std::string>{"node without metadata.name", "node without metadata.name"}));
}

TEST_F(FollowTest, OversizedEventListsAgain) {
  limits_.max_event = 300;
  on_list({.body = list(5, {object("a", 1)})});
  on_list({.body = list(9, {object("b", 8)})});
  on_watch(hang({event("ADDED", object(std::string(300, 'x'), 6))}));
  on_watch(hang());
  start();
  expect({"+a1", "synced", "+b8", "-a1", "synced"});
  EXPECT_EQ(failed_, std::vector<std::string>{"watch nodes: an event is larger than 300 bytes"});
}

TEST_F(FollowTest, ExpiredWatchListsAgainAndTellsWhatIsGone) {
  on_list({.body = list(5, {object("a", 1), object("b", 2), object("c", 3)})});
  on_list({.body = list(9, {object("a", 1), object("c", 8), object("d", 9)})});
  on_watch(hang({event("ERROR", status(410))}));
  on_watch(hang());
  start();
  expect({"+a1", "+b2", "+c3", "synced", "+c8", "+d9", "-b2", "synced"});
  EXPECT_EQ(failed_, std::vector<std::string>()) << "the first 410 is nothing to speak of";
}

TEST_F(FollowTest, ExpiredAtOpenListsAgain) {
  on_list({.body = list(5, {object("a", 1)})});
  on_list({.body = list(9, {})});
  on_watch({.status = 410, .body = status(410)});
  on_watch(hang());
  start();
  expect({"+a1", "synced", "-a1", "synced"});
}

TEST_F(FollowTest, ExpiredAgainAndAgainPauses) {
  on_list({.body = list(5, {})});
  on_watch({.status = 410, .body = status(410)});
  start();
  EXPECT_TRUE(until([this] { return failed_.size() >= 3; }));
  EXPECT_EQ(failed_[0], "watch nodes: 410 Gone: too old");
}

TEST_F(FollowTest, OtherErrorEventListsAgain) {
  on_list({.body = list(5, {})});
  on_watch(hang({event("ERROR", status(500))}));
  on_watch(hang());
  start();
  expect({"synced", "synced"});
  EXPECT_EQ(failed_, std::vector<std::string>{"watch nodes: 500 Internal Server Error: too old"});
}

TEST_F(FollowTest, EventThatIsNotJsonListsAgain) {
  on_list({.body = list(5, {})});
  on_watch(hang({"{not json}\n"}));
  on_watch(hang());
  start();
  expect({"synced", "synced"});
  EXPECT_EQ(failed_,
            std::vector<std::string>{"watch nodes: an event that is not JSON or has no object"});
}

TEST_F(FollowTest, CutConnectionResumesFromTheLastVersion) {
  on_list({.body = list(5, {object("a", 1)})});
  on_watch({.pieces = {event("ADDED", object("b", 6))}, .then = Reply::Then::kCut});
  on_watch(hang({event("ADDED", object("c", 7))}));
  start();
  expect({"+a1", "synced", "+b6", "+c7"});
  ASSERT_EQ(failed_.size(), 1U);
  EXPECT_TRUE(failed_[0].starts_with("watch nodes: ")) << failed_[0];
  EXPECT_EQ(server_.count("limit="), 1U);
  EXPECT_EQ(server_.count("resourceVersion=6&"), 1U);
}

TEST_F(FollowTest, SilentConnectionIsCutAndResumed) {
  limits_.silence = Millis(30);
  on_list({.body = list(5, {})});
  on_watch(hang());
  on_watch({.pieces = {event("ADDED", object("a", 6))}, .then = Reply::Then::kHang});
  start();
  EXPECT_TRUE(until([this] { return heard_.size() == 2 && !failed_.empty(); }));
  EXPECT_EQ(heard_[1], "+a6");
}

TEST_F(FollowTest, OrderlyEndWatchesOnFromTheBookmark) {
  on_list({.body = list(5, {object("a", 1)})});
  on_watch({.pieces = {event("ADDED", object("b", 6)), bookmark(20)}});
  on_watch(hang({event("DELETED", object("a", 21))}));
  start();
  expect({"+a1", "synced", "+b6", "-a21"});
  EXPECT_EQ(failed_, std::vector<std::string>());
  EXPECT_EQ(server_.count("resourceVersion=20&"), 1U);
  EXPECT_EQ(server_.count("limit="), 1U);
}

TEST_F(FollowTest, WatchThatEndsAtOnceDoesNotSpin) {
  limits_.shortest_watch = Millis(40);
  on_list({.body = list(5, {})});
  on_watch({.pieces = {"\n"}});
  const auto began = std::chrono::steady_clock::now();
  start();
  EXPECT_TRUE(until([this] { return server_.count("watch=") >= 5; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, Millis(4 * 40));
  EXPECT_EQ(failed_, std::vector<std::string>{"watch nodes: ended at once"}) << "said once";
  EXPECT_EQ(server_.count("limit="), 1U);
}

TEST_F(FollowTest, ServerThatClosesEveryWatchEarlyLosesNothing) {
  limits_.shortest_watch = Millis(1);
  on_list({.body = list(5, {})});
  for (int i = 6; i < 12; ++i) {
    on_watch({.pieces = {bookmark(i), "\n"}});
    on_watch({.pieces = {"\n", "\n"}});
  }
  on_watch(hang({event("ADDED", object("a", 12))}));
  start();
  expect({"synced", "+a12"});
  EXPECT_EQ(server_.count("resourceVersion=11&"), 2U);
  EXPECT_EQ(failed_, std::vector<std::string>());
}

TEST_F(FollowTest, WatchThatAProxyEndsWithinAnEventIsResumed) {
  on_list({.body = list(5, {})});
  on_watch({.pieces = {event("ADDED", object("a", 6)), R"({"type":"ADD)"}});
  on_watch({.body = "<html>sign in</html>"});
  on_watch(hang({event("ADDED", object("b", 7))}));
  start();
  expect({"synced", "+a6", "+b7"});
  EXPECT_EQ(failed_, std::vector<std::string>(2, "watch nodes: ended within an event"));
  EXPECT_EQ(server_.count("resourceVersion=6&"), 2U);
}

TEST_F(FollowTest, ProxysPageInPlaceOfEventsListsAgain) {
  on_list({.body = list(5, {})});
  on_watch({.body = "<html>\nsign in\n</html>\n"});
  on_watch(hang());
  start();
  expect({"synced", "synced"});
  EXPECT_EQ(failed_.size(), 1U);
}

TEST_F(FollowTest, LoadInTheWatchPausesAndResumes) {
  const std::string load =
      R"({"kind":"Status","code":429,"reason":"TooManyRequests","message":"etcd: too many"})";
  on_list({.body = list(5, {})});
  on_watch(hang({event("ADDED", object("a", 6)), event("ERROR", load)}));
  on_watch(hang({event("ADDED", object("b", 7))}));
  start();
  expect({"synced", "+a6", "+b7"});
  EXPECT_EQ(failed_,
            std::vector<std::string>{"watch nodes: 429 Too Many Requests: etcd: too many"});
  EXPECT_EQ(server_.count("limit="), 1U) << "no list: it would add to the load";
  EXPECT_EQ(server_.count("resourceVersion=6&"), 1U);
}

TEST_F(FollowTest, RetryAfterIsObeyedBeyondTheLongestPauseOfOurOwn) {
  on_list({.status = 503, .headers = {{.name = "Retry-After", .value = "1"}}});
  on_list({.body = list(5, {})});
  on_watch(hang());
  const auto began = std::chrono::steady_clock::now();
  start();
  expect({"synced"});
  EXPECT_GE(std::chrono::steady_clock::now() - began, Seconds(1));
}

TEST_F(FollowTest, FailedListIsTriedAgain) {
  on_list({.status = 503});
  on_list({.body = R"({"kind":"Something"})"});
  on_list({.body = list(5, {object("a", 1)}, "next")});
  on_list({.status = 500});
  on_list({.body = list(6, {object("a", 1), object("b", 2)})});
  on_watch(hang());
  start();
  expect({"+a1", "+b2", "synced"});
  EXPECT_EQ(failed_, (std::vector<std::string>{"list nodes: 503 Service Unavailable",
                                               "list nodes: the answer is not a list",
                                               "list nodes: 500 Internal Server Error"}));
}

TEST_F(FollowTest, ExpiredPageBeginsTheListAgainAtOnce) {
  on_list({.body = list(5, {object("a", 1), object("b", 1)}, "next")});
  on_list({.status = 410, .body = status(410)});
  on_watch(hang());
  server_.on("GET /api/v1/nodes", {.body = list(9, {object("b", 1), object("c", 2)})});
  start();
  expect({"+a1", "+b1", "+c2", "-a1", "synced"});
  EXPECT_EQ(failed_, std::vector<std::string>());
}

TEST_F(FollowTest, ForbiddenWatchFallsBackToListing) {
  on_list({.body = list(5, {object("a", 1)})});
  on_list({.body = list(6, {object("a", 1), object("b", 6)})});
  on_list({.status = 503});
  on_list({.body = list(7, {object("b", 6)})});
  on_watch({.status = 403, .body = R"({"kind":"Status","message":"cannot watch"})"});
  start();
  expect({"+a1", "synced", "+b6", "synced", "-a1", "synced"});
  EXPECT_TRUE(until([this] { return server_.count("limit=") >= 8; }));
  EXPECT_EQ(failed_, (std::vector<std::string>{"watch nodes: 403 Forbidden: cannot watch",
                                               "list nodes: 503 Service Unavailable"}));
  EXPECT_EQ(server_.count("watch="), 1U);
}

TEST_F(FollowTest, ForbiddenWatchIsTriedAgainLater) {
  limits_.watch_again_first = Millis(5);
  limits_.watch_again = Millis(50);
  on_list({.body = list(5, {object("a", 1)})});
  on_watch({.status = 403});
  on_watch({.status = 403});
  on_watch(hang({event("ADDED", object("b", 6))}));
  const auto began = std::chrono::steady_clock::now();
  start();
  EXPECT_TRUE(until([this] { return !heard_.empty() && heard_.back() == "+b6"; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, Millis(5 + 50));
  EXPECT_EQ(failed_, std::vector<std::string>{"watch nodes: 403 Forbidden"});
}

TEST_F(FollowTest, WatchesThatCannotBeOpenedListAgain) {
  on_list({.body = list(5, {object("a", 1)})});
  on_list({.body = list(9, {object("b", 8)})});
  on_list({.body = list(11, {object("c", 10)})});
  on_watch({.status = 502});
  on_watch({.status = 502});
  on_watch({.status = 502});
  on_watch({.status = 502});
  on_watch(hang({event("ADDED", object("d", 12))}));
  start();
  expect({"+a1", "synced", "+b8", "-a1", "synced", "+c10", "-b8", "synced", "+d12"});
  EXPECT_EQ(server_.count("resourceVersion=5&"), 3U);
  EXPECT_EQ(server_.count("resourceVersion=9&"), 1U);
}

TEST_F(FollowTest, ExpiredAfterOneEventPausesFromTheSecondTimeOn) {
  on_list({.body = list(5, {})});
  on_watch(hang({event("ADDED", object("a", 6)), event("ERROR", status(410))}));
  start();
  EXPECT_TRUE(until([this] { return failed_.size() >= 2; }));
  EXPECT_EQ(failed_[0], "watch nodes: 410 Gone: too old");
}

TEST_F(FollowTest, WhatIsUrgentObeysFiveSecondsAtMost) {
  on_list({.status = 503, .headers = {{.name = "Retry-After", .value = "60"}}});
  on_list({.body = list(5, {})});
  on_watch(hang());
  scale_time(100);  // the five seconds in 50 ms
  Listing listing{.path = "/api/v1/nodes", .resource = "nodes", .urgent = true};
  Sink<Node> sink;
  sink.synced = [this] { heard_.emplace_back("synced"); };
  const auto began = std::chrono::steady_clock::now();
  group_.spawn("follow", follow<Node>(*api_, std::move(listing), &decode_node, std::move(sink)));
  expect({"synced"});
  scale_time(1);
  EXPECT_GE(std::chrono::steady_clock::now() - began, Millis(50));
  EXPECT_LT(std::chrono::steady_clock::now() - began, Millis(600)) << "60 s would be 600 ms";
}

}  // namespace
}  // namespace spotkeeper::kube
