// SPDX-License-Identifier: Apache-2.0
// What is watched, for whom and until when, against an API server whose watches stay open.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/timing.h"
#include "effects/kubernetes.h"
#include "http/server_fixture.h"

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

const core::HostId kOne("n1");
const core::HostId kTwo("n2");

class WatchesTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&WatchesTest::answer);
    kube::Access access;
    access.server = url();
    api_ = std::make_unique<kube::Api>(executor(), access);
    begin(false);
  }

  void begin(bool hand_over) {
    kubernetes_ = std::make_unique<Kubernetes>(
        *api_, tasks_, clock_, Kubernetes::Options{.hand_over = hand_over},
        [this](const core::HostId& host, core::Observation seen) {
          seen_[host.value].push_back(std::move(seen));
        });
  }

  // Whose watch is open: the query, as long as it is.
  struct Open {
    Open(std::multiset<std::string>* all, const std::string& of)
        : all_(all), at_(all->insert(of)) {}
    ~Open() { all_->erase(at_); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    std::multiset<std::string>* all_;
    std::multiset<std::string>::iterator at_;
  };

  static Task<> watch(WatchesTest* test, std::string of, http::BodyWriter* writer) {
    const Open open(&test->watched_, of);
    for (;;) {
      std::string& events = test->events_[of];
      if (!events.empty()) co_await writer->write(std::exchange(events, {}));
      co_await sleep_for(Millis(5));
    }
  }

  static Task<http::ServerResponse> answer(WatchesTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    response.content_type = "application/json";
    const std::string of = test->of(request);
    if (request.query.find("watch=") != std::string::npos) {
      response.stream = [test, of](http::BodyWriter& writer) { return watch(test, of, &writer); };
    } else {
      ++test->listed_[of];
      response.body = R"({"metadata":{"resourceVersion":"9"},"items":[)" + test->items_[of] + "]}";
    }
    co_return response;
  }

  // "pods n1", "pods by hash", "poddisruptionbudgets".
  std::string of(const http::ServerRequest& request) const {
    std::string name = request.path.substr(request.path.rfind('/') + 1);
    for (const char* node : {"n1", "n2"}) {
      const size_t at = request.query.find("fieldSelector");
      if (at != std::string::npos && request.query.find(node, at) != std::string::npos) {
        name += " " + std::string(node);
      }
    }
    if (request.query.find("labelSelector") != std::string::npos) name += " by hash";
    return name;
  }

  // Of the Deployment "web".
  static std::string web_pod(const std::string& name, const std::string& node, int version,
                             const std::string& hash = "h1") {
    return json::serialize(json::value{
        {"metadata",
         {{"name", name},
          {"namespace", "shop"},
          {"uid", "uid-" + name},
          {"resourceVersion", std::to_string(version)},
          {"labels", {{"app", "web"}, {"pod-template-hash", hash}}},
          {"ownerReferences",
           {{{"kind", "ReplicaSet"},
             {"name", "web-" + hash.substr(0, 2)},
             {"controller", true}}}}}},
        {"spec", {{"nodeName", node}}},
        {"status",
         {{"phase", "Running"}, {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }
  static std::string deployment() {
    return json::serialize(json::value{
        {"metadata",
         {{"name", "web"}, {"namespace", "shop"}, {"uid", "uid-web"}, {"resourceVersion", "1"}}},
        {"spec", {{"replicas", 2}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}}});
  }

  static std::string pod(const std::string& name, const std::string& node) {
    return json::serialize(json::value{{"metadata",
                                        {{"name", name},
                                         {"namespace", "shop"},
                                         {"uid", "uid-" + name},
                                         {"resourceVersion", "1"},
                                         {"labels", {{"app", "web"}}}}},
                                       {"spec", {{"nodeName", node}}},
                                       {"status", {{"phase", "Running"}}}});
  }
  static std::string budget(int version, int allows) {
    return json::serialize(
        json::value{{"metadata",
                     {{"name", "web"},
                      {"namespace", "shop"},
                      {"uid", "uid-budget"},
                      {"resourceVersion", std::to_string(version)}}},
                    {"spec", {{"selector", {{"matchLabels", {{"app", "web"}}}}}}},
                    {"status", {{"disruptionsAllowed", allows}}}});
  }
  void happens(const std::string& of, const std::string& type, const std::string& object) {
    events_[of] += R"({"type":")" + type + R"(","object":)" + object + "}\n";
  }

  template <class T>
  int count(const core::HostId& host) {
    return static_cast<int>(std::ranges::count_if(
        seen_[host.value],
        [](const core::Observation& seen) { return std::holds_alternative<T>(seen); }));
  }

  // The group as the host was told of it last; its pods.
  std::pair<int, int> owned_and_ready(const core::HostId& host) {
    std::pair<int, int> last{-1, -1};
    for (const core::Observation& seen : seen_[host.value]) {
      const auto* group = std::get_if<core::GroupSeen>(&seen);
      if (group != nullptr) last = {group->group.owned, group->group.ready};
    }
    return last;
  }

  void watch_both() {
    items_["pods n1"] = pod("a", "n1");
    items_["pods n2"] = pod("b", "n2");
    items_["poddisruptionbudgets"] = budget(1, 0);
    kubernetes_->watch(kOne);
    kubernetes_->watch(kTwo);
    run_until([&] {
      return watched_.contains("pods n1") && watched_.contains("pods n2") &&
             watched_.contains("poddisruptionbudgets") && count<core::BudgetSeen>(kOne) > 0 &&
             count<core::BudgetSeen>(kTwo) > 0;
    });
  }

  SteadyClock clock_;
  std::unique_ptr<kube::Api> api_;
  std::unique_ptr<Kubernetes> kubernetes_;
  std::map<std::string, std::string> items_;   // of lists
  std::map<std::string, std::string> events_;  // of watches, to come
  std::map<std::string, int> listed_;
  std::multiset<std::string> watched_;
  std::map<std::string, std::vector<core::Observation>> seen_;
};

TEST_F(WatchesTest, ItsWatchEndsAndWhatAllShareGoesOn) {
  watch_both();
  kubernetes_->forget(kOne);
  run_until([&] { return !watched_.contains("pods n1"); });
  EXPECT_TRUE(watched_.contains("pods n2"));
  EXPECT_TRUE(watched_.contains("poddisruptionbudgets"));
  seen_.clear();
  happens("pods n2", "ADDED", pod("c", "n2"));
  happens("poddisruptionbudgets", "MODIFIED", budget(2, 1));
  run_until([&] { return count<core::UnitSeen>(kTwo) == 1 && count<core::BudgetSeen>(kTwo) == 1; });
  EXPECT_TRUE(seen_["n1"].empty()) << "nothing is told of it";
  EXPECT_EQ(listed_["pods n1"], 1);
}

TEST_F(WatchesTest, ItMayComeAgain) {
  watch_both();
  kubernetes_->forget(kOne);
  run_until([&] { return !watched_.contains("pods n1"); });
  seen_.clear();
  items_["pods n1"] = pod("d", "n1");
  kubernetes_->watch(kOne);
  run_until([&] { return watched_.contains("pods n1") && count<core::UnitsListed>(kOne) == 1; });
  EXPECT_EQ(listed_["pods n1"], 2);
  EXPECT_EQ(count<core::UnitSeen>(kOne), 1) << "the earlier pod is not its any more";
  EXPECT_EQ(count<core::BudgetsListed>(kOne), 1);
  EXPECT_EQ(listed_["poddisruptionbudgets"], 1) << "still watched";
  happens("poddisruptionbudgets", "DELETED", budget(3, 1));
  run_until([&] { return count<core::BudgetGone>(kOne) == 1; });
}

TEST_F(WatchesTest, ForgottenBeforeItsWatchBeganItHasNone) {
  kubernetes_->watch(kOne);
  kubernetes_->forget(kOne);
  kubernetes_->watch(kTwo);
  run_until([&] { return watched_.contains("pods n2"); });
  EXPECT_EQ(listed_["pods n1"], 0);
  EXPECT_TRUE(seen_["n1"].empty());
}

// Many share one watch: it ends with the last of them.
TEST_F(WatchesTest, ASharedWatchEndsWithItsLastHost) {
  std::vector<core::HostId> hosts;
  for (int i = 0; i < 25; ++i) hosts.emplace_back("m" + std::to_string(i));
  items_["pods"] = pod("a", "m0") + "," + pod("b", "m1");
  for (const core::HostId& host : hosts) kubernetes_->watch(host);
  run_until([&] { return watched_.contains("pods"); });
  const core::HostId last = hosts.back();
  hosts.pop_back();
  for (const core::HostId& host : hosts) kubernetes_->forget(host);
  seen_.clear();
  happens("pods", "ADDED", pod("x", "m0"));
  happens("pods", "ADDED", pod("y", last.value));
  run_until([&] { return count<core::UnitSeen>(last) == 1; });
  EXPECT_TRUE(watched_.contains("pods"));
  happens("pods", "ADDED", R"({"metadata":{},"spec":{"nodeName":")" + last.value + R"("}})");
  run_until([&] { return count<core::Trouble>(last) == 1; });
  EXPECT_EQ(seen_.size(), 1U) << "only the last is told, of what is not understood, too";
  kubernetes_->forget(last);
  run_until([&] { return !watched_.contains("pods"); });
}

TEST_F(WatchesTest, NothingIsWatchedOrKnownWhenTheLastHostIsForgotten) {
  watch_both();
  kubernetes_->forget(kOne);
  kubernetes_->forget(kTwo);
  run_until([&] { return watched_.empty(); });
  seen_.clear();
  items_["poddisruptionbudgets"] = "";
  kubernetes_->watch(kOne);
  run_until([&] { return watched_.contains("pods n1") && count<core::BudgetsListed>(kOne) == 1; });
  EXPECT_EQ(count<core::BudgetSeen>(kOne), 0) << "the budget was deleted in between";
  EXPECT_EQ(listed_["poddisruptionbudgets"], 2);
}

// One stream brings the pods of many hosts and those that may replace them.
TEST_F(WatchesTest, ReplacementsForManyHostsComeInTheirStream) {
  begin(true);
  std::vector<core::HostId> hosts;
  for (int i = 0; i < 25; ++i) hosts.emplace_back("m" + std::to_string(i));
  const core::HostId host = hosts.front();
  items_["pods"] = web_pod("a", "m0", 1) + "," + web_pod("b", "else", 2) + "," + pod("c", "else");
  items_["deployments"] = deployment();
  for (const core::HostId& each : hosts) kubernetes_->watch(each);
  run_until([&] { return watched_.contains("pods") && count<core::GroupSeen>(host) > 0; });
  EXPECT_EQ(owned_and_ready(host), (std::pair{2, 1}));
  EXPECT_EQ(listed_["pods"], 2) << "once for the hosts' pods, once for what may replace them";
  EXPECT_EQ(watched_.count("pods"), 1U);
  EXPECT_FALSE(watched_.contains("pods by hash"));

  happens("pods", "ADDED", web_pod("d", "else", 20));
  run_until([&] { return owned_and_ready(host) == std::pair{3, 2}; });
  happens("pods", "MODIFIED", web_pod("a", "m0", 21, "h1-released"));
  run_until([&] { return owned_and_ready(host) == std::pair{2, 2}; });
  EXPECT_EQ(count<core::UnitGone>(host), 0) << "it is still on its host";
  happens("pods", "DELETED", web_pod("a", "m0", 22, "h1-released"));
  happens("pods", "DELETED", web_pod("d", "else", 23));
  run_until(
      [&] { return owned_and_ready(host) == std::pair{1, 1} && count<core::UnitGone>(host) == 1; });

  for (const core::HostId& each : hosts) kubernetes_->forget(each);
  run_until([&] { return watched_.empty(); });
}

// A few hosts go first, then many with pods of the same Deployment, and of another.
TEST_F(WatchesTest, WhatAnotherStreamShowsIsNotHidden) {
  begin(true);
  items_["pods n1"] = web_pod("a", "n1", 1);
  items_["pods by hash"] = web_pod("a", "n1", 1) + "," + web_pod("b", "m0", 2);
  items_["deployments"] = deployment();
  kubernetes_->watch(kOne);
  run_until([&] { return owned_and_ready(kOne) == std::pair{2, 1}; });
  items_["pods"] = items_["pods by hash"] + "," + web_pod("x", "m0", 3, "h2");
  const core::HostId host("m0");
  for (int i = 0; i < 25; ++i) kubernetes_->watch(core::HostId("m" + std::to_string(i)));
  run_until([&] { return watched_.contains("pods") && count<core::GroupSeen>(host) > 0; });
  happens("pods", "MODIFIED", web_pod("b", "m0", 20));
  happens("pods", "ADDED", web_pod("y", "m1", 21, "h2"));
  run_until([&] { return owned_and_ready(host) == std::pair{4, 0}; });
  EXPECT_EQ(owned_and_ready(kOne), (std::pair{4, 0}));
  EXPECT_EQ(watched_.count("pods by hash"), 1U);
}

// What is watched for the sake of hand-overs ends with the last host that needs it.
TEST_F(WatchesTest, ADeploymentIsWatchedAsLongAsAHostHasPodsOfIt) {
  begin(true);
  items_["pods n1"] = web_pod("a", "n1", 1);
  items_["pods n2"] = web_pod("b", "n2", 2);
  items_["pods by hash"] = web_pod("a", "n1", 1) + "," + web_pod("b", "n2", 2);
  items_["deployments"] = deployment();
  kubernetes_->watch(kOne);
  kubernetes_->watch(kTwo);
  kubernetes_->watch(core::HostId("n3"));
  run_until([&] {
    return watched_.contains("pods by hash") && watched_.contains("deployments") &&
           owned_and_ready(kOne) == std::pair{2, 0} && owned_and_ready(kTwo) == std::pair{2, 0};
  });
  EXPECT_EQ(watched_.count("pods by hash"), 1U) << "both need it";
  kubernetes_->forget(kOne);
  happens("pods by hash", "DELETED", web_pod("a", "n1", 19));
  happens("pods by hash", "ADDED", web_pod("c", "else", 20));
  run_until([&] { return owned_and_ready(kTwo) == std::pair{2, 1}; });
  kubernetes_->forget(kTwo);
  run_until(
      [&] { return !watched_.contains("pods by hash") && !watched_.contains("deployments"); });
  EXPECT_TRUE(watched_.contains("poddisruptionbudgets")) << "a host is left";

  // It goes again: nothing is left of what was known.
  items_["pods n1"] = web_pod("e", "n1", 30);
  items_["pods by hash"] = web_pod("e", "n1", 30);
  seen_.clear();
  kubernetes_->watch(kOne);
  run_until([&] { return owned_and_ready(kOne) == std::pair{1, 0}; });
}

}  // namespace
}  // namespace spotkeeper::effects
