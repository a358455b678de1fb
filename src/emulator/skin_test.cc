// SPDX-License-Identifier: Apache-2.0
#include "emulator/skin.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>
#include <vector>

#include "async/loop_fixture.h"
#include "world/workloads.h"

namespace spotkeeper::emulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Takes what a watch writes.
class Paper final : public http::BodyWriter {
 public:
  Task<bool> write(std::string piece) override {
    text += piece;
    co_return true;
  }
  std::string text;
};

class SkinTest : public LoopFixture {
 protected:
  http::ServerResponse ask(const std::string& method, const std::string& path,
                           const std::string& query = "", const std::string& body = "",
                           const std::string& type = "application/json") {
    http::ServerRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = body;
    request.headers = {{"Content-Type", type}};
    return skin_.answer(request);
  }
  json::value get(const std::string& path, const std::string& query = "") {
    const http::ServerResponse response = ask("GET", path, query);
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  void pods(int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(world_.create(world::make_pod("p" + std::to_string(i))).has_value());
    }
  }
  std::vector<std::string> names(const json::value& list) {
    std::vector<std::string> found;
    for (const auto& item : list.at("items").as_array()) {
      found.push_back(text_at(item, {"metadata", "name"}));
    }
    return found;
  }

  world::World world_;
  Runner runner_{executor(), world_};
  ApiSkin skin_{executor(), world_, runner_, {.denied = {{"patch", "pods/status"}}}};
};

constexpr const char* kPods = "/api/v1/namespaces/default/pods";

TEST_F(SkinTest, PagesShowTheClusterAsItWasAtTheFirst) {
  pods(0, 5);
  const json::value first = get(kPods, "limit=2");
  EXPECT_THAT(names(first), ElementsAre("p0", "p1"));
  EXPECT_EQ(number_at(first, {"metadata", "remainingItemCount"}), 3);
  pods(5, 7);
  ask("DELETE", std::string(kPods) + "/p3", "gracePeriodSeconds=0");
  const json::value second =
      get(kPods, "limit=9&continue=" + text_at(first, {"metadata", "continue"}));
  EXPECT_THAT(names(second), ElementsAre("p2", "p3", "p4"));
  EXPECT_EQ(text_at(second, {"metadata", "continue"}), "");
  EXPECT_EQ(text_at(second, {"metadata", "resourceVersion"}),
            text_at(first, {"metadata", "resourceVersion"}));
}

TEST_F(SkinTest, AForgottenPageIsExpired) {
  EXPECT_EQ(ask("GET", kPods, "limit=2&continue=99999/2").status, 410);
  EXPECT_EQ(ask("GET", kPods, "limit=2&continue=nonsense").status, 400);
  EXPECT_EQ(ask("GET", kPods, "resourceVersion=999999").status, 504);
}

TEST_F(SkinTest, AWatchShowsWhatComesAndGoesInItsSelection) {
  const std::string since = std::to_string(world_.version());
  const auto response = ask("GET", kPods,
                            "watch=1&timeoutSeconds=1&labelSelector=colour%3Dred" +
                                std::string("&resourceVersion=") + since);
  ASSERT_TRUE(response.stream);
  Paper paper;
  tasks_.spawn("watch", response.stream(paper));
  run_until([&] { return skin_.watches() == 1; });
  pods(0, 1);
  const std::string path = std::string(kPods) + "/p0";
  const auto colour = [&](const char* value) {
    ask("PATCH", path, "", std::string(R"({"metadata":{"labels":{"colour":)") + value + "}}}",
        "application/merge-patch+json");
  };
  colour("\"red\"");
  colour("\"blue\"");
  run(tasks_.join());
  std::vector<std::string> types;
  for (size_t at = 0; at < paper.text.size();) {
    const size_t end = paper.text.find('\n', at);
    types.push_back(text_at(json::parse(paper.text.substr(at, end - at)), {"type"}));
    at = end + 1;
  }
  std::erase(types, "MODIFIED");  // the cluster may have placed the pod meanwhile
  EXPECT_THAT(types, ElementsAre("ADDED", "DELETED"));
  EXPECT_EQ(skin_.watches(), 0u);
}

TEST_F(SkinTest, AWatchEndsWithABookmarkWhenAsked) {
  const auto response = ask("GET", kPods,
                            "watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=" +
                                std::to_string(world_.version()));
  Paper paper;
  run(response.stream(paper));
  EXPECT_THAT(paper.text, HasSubstr("\"BOOKMARK\""));
}

TEST_F(SkinTest, AWatchFromBeforeTheLogIsExpired) {
  pods(0, 3);
  world_.compact(world_.version());
  const auto response = ask("GET", kPods, "watch=1&resourceVersion=1");
  Paper paper;
  run(response.stream(paper));
  EXPECT_THAT(paper.text, HasSubstr("\"code\":410"));
}

TEST_F(SkinTest, WhatIsDeniedIsDeniedInTheAuthorisersWords) {
  pods(0, 1);
  const auto response =
      ask("PATCH", std::string(kPods) + "/p0/status", "", "{}", "application/merge-patch+json");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(text_at(json::parse(response.body), {"message"}),
            "pods \"p0\" is forbidden: User \"kubernetes-admin\" cannot patch resource "
            "\"pods/status\" in API group \"\" in the namespace \"default\"");
}

TEST_F(SkinTest, ATokenThatNobodyHasIs401) {
  http::ServerRequest request;
  request.method = "GET";
  request.path = "/api/v1/nodes";
  request.headers = {{"Authorization", "Bearer nobody's"}};
  const http::ServerResponse refused = skin_.answer(request);
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr(R"("reason":"Unauthorized")"));
  request.headers = {{"Authorization", "Bearer kubernetes-admin"}};
  EXPECT_EQ(skin_.answer(request).status, 200);
}

TEST_F(SkinTest, AClosedBudgetRefusesWithItsCause) {
  world_.create(world::make_node("n1", "i-1"));
  world_.create(world::make_deployment("web", 1));
  world_.create(world::make_max_unavailable("web", {.value = 0, .percent = false}));
  world_.advance_to(world_.now() + Seconds(20));
  const auto pods = world_.list<world::Pod>();
  ASSERT_EQ(pods.size(), 1u);
  const std::string name = pods[0]->meta.name;
  const auto response = ask("POST", std::string(kPods) + "/" + name + "/eviction", "",
                            R"({"metadata":{"name":")" + name + R"("}})");
  EXPECT_EQ(response.status, 429);
  const json::value status = json::parse(response.body);
  EXPECT_EQ(text_at(status, {"reason"}), "TooManyRequests");
  EXPECT_EQ(text_at(status.at("details").at("causes").at(0), {"reason"}), "DisruptionBudget");
}

TEST_F(SkinTest, ScaleIsASubresource) {
  world_.create(world::make_deployment("web", 2));
  const std::string path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
  EXPECT_EQ(number_at(get(path), {"spec", "replicas"}), 2);
  EXPECT_EQ(
      ask("PATCH", path, "", R"({"spec":{"replicas":5}})", "application/merge-patch+json").status,
      200);
  EXPECT_EQ(world_.find<world::Deployment>({"default", "web"})->spec.replicas, 5);
}

TEST_F(SkinTest, TheClockFollowsTheRealOne) {
  const Time before = world_.now();
  tasks_.spawn("runner", runner_.run());
  bool happened = false;
  world_.at(before + Millis(30), [&] { happened = true; });
  runner_.poke();
  run_until([&] { return happened; });
  EXPECT_GE(runner_.now(), before + Millis(30));
}

}  // namespace
}  // namespace spotkeeper::emulator
