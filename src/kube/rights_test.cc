// SPDX-License-Identifier: Apache-2.0
#include "kube/rights.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

const Right kList{.group = "", .resource = "pods", .verb = "list"};
const Right kEvict{.group = "", .resource = "pods/eviction", .verb = "create"};
const Right kBudgets{.group = "policy", .resource = "poddisruptionbudgets", .verb = "watch"};

std::string review(const std::string& rules) {
  return R"({"status":{"incomplete":false,"nonResourceRules":[],"resourceRules":[)" + rules + "]}}";
}

struct Row {
  const char* rule;
  bool list;
  bool evict;
  bool budgets;
};

TEST(Shows, MatchesAsTheAuthoriserDoes) {
  const Row rows[] = {
      {R"({"verbs":["get","list"],"apiGroups":[""],"resources":["nodes","pods"]})", true, false,
       false},
      {R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"]})", true, true, true},
      {R"({"verbs":["*"],"apiGroups":[""],"resources":["*"]})", true, true, false},
      {R"({"verbs":["create"],"apiGroups":[""],"resources":["pods/eviction"]})", false, true,
       false},
      {R"({"verbs":["create"],"apiGroups":[""],"resources":["*/eviction"]})", false, true, false},
      {R"({"verbs":["create"],"apiGroups":[""],"resources":["*/evictions","x*/eviction"]})", false,
       false, false},
      {R"({"verbs":["*"],"apiGroups":[""],"resources":["pods/*","pods/status"]})", false, false,
       false},
      {R"({"verbs":["*"],"apiGroups":[""],"resources":["pods"]})", true, false, false},
      {R"({"verbs":["watch"],"apiGroups":["policy"],"resources":["poddisruptionbudgets"]})", false,
       false, true},
      {R"({"verbs":["watch"],"apiGroups":["extensions","*"],"resources":["*"]})", false, false,
       true},
      {R"({"verbs":["watch"],"apiGroups":["apps"],"resources":["poddisruptionbudgets"]})", false,
       false, false},
      {R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"],"resourceNames":["one"]})", false,
       false, false},
      {R"({"verbs":["*"],"apiGroups":["*"],"resources":["*"],"resourceNames":[]})", true, true,
       true},
      {R"({"verbs":["list"],"apiGroups":[""]})", false, false, false},
      {R"({"verbs":"*","apiGroups":[5],"resources":{}})", false, false, false},
      {R"(7)", false, false, false},
  };
  for (const Row& row : rows) {
    const json::value answer = json::parse(review(row.rule));
    EXPECT_EQ(shows(answer, kList), row.list) << row.rule;
    EXPECT_EQ(shows(answer, kEvict), row.evict) << row.rule;
    EXPECT_EQ(shows(answer, kBudgets), row.budgets) << row.rule;
  }
  EXPECT_FALSE(shows(json::parse(R"({"status":{"resourceRules":null}})"), kList));
  EXPECT_FALSE(shows(json::value(), kList));
}

class RightsTest : public KubeTest {
 protected:
  void on_rules(Reply reply) { server_.on("selfsubjectrulesreviews", std::move(reply)); }
  void on_access(Reply reply) { server_.on("selfsubjectaccessreviews", std::move(reply)); }
};

constexpr const char* kRule =
    R"({"verbs":["list"],"apiGroups":[""],"resources":["pods"],"resourceNames":[]})";

TEST_F(RightsTest, OneReviewIsEnoughWhereItShowsAll) {
  on_rules({.status = 201, .body = review(kRule)});
  const auto held = await(held_rights(*api_, {kList}, "team"));
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(*held, std::set<Right>{kList});
  ASSERT_EQ(server_.seen.size(), 1U);
  EXPECT_EQ(server_.seen[0].target, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
  EXPECT_EQ(json::parse(server_.seen[0].body), json::parse(R"({
    "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
    "spec": {"namespace": "team"}})"));
}

TEST_F(RightsTest, AsksForEachThatIsNotShown) {
  on_rules({.status = 201, .body = review(kRule)});
  on_access({.status = 201, .body = R"({"status":{"allowed":true}})"});
  on_access({.status = 201, .body = R"({"status":{"allowed":false,"denied":true}})"});
  const auto held = await(held_rights(*api_, {kList, kEvict, kBudgets}));
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(*held, (std::set<Right>{kList, kEvict}));
  ASSERT_EQ(server_.seen.size(), 3U);
  EXPECT_EQ(json::parse(server_.seen[0].body).at("spec"),
            json::parse(R"({"namespace": "spotkeeper-all-namespaces"})"));
  EXPECT_EQ(json::parse(server_.seen[1].body), json::parse(R"({
    "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
    "spec": {"resourceAttributes": {"group": "", "resource": "pods", "subresource": "eviction",
                                    "verb": "create"}}})"));
  EXPECT_EQ(json::parse(server_.seen[2].body).at("spec"), json::parse(R"({"resourceAttributes":
    {"group": "policy", "resource": "poddisruptionbudgets", "verb": "watch"}})"));
}

TEST_F(RightsTest, AForbiddenReviewIsNoEnd) {
  on_rules({.status = 403});
  on_access({.status = 201, .body = R"({"status":{"allowed":true}})"});
  const auto held = await(held_rights(*api_, {kList}, "team"));
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(*held, std::set<Right>{kList});
  EXPECT_EQ(json::parse(server_.seen[1].body).at_pointer("/spec/resourceAttributes/namespace"),
            json::value("team"));
}

TEST_F(RightsTest, WeatherIsAnErrorAndNoLackOfRights) {
  on_rules({.status = 503});
  EXPECT_EQ(await(held_rights(*api_, {kList})).error().message,
            "create selfsubjectrulesreviews: 503 Service Unavailable");
  EXPECT_EQ(server_.seen.size(), 1U);
  server_.on("/apis", {.status = 500});
  EXPECT_EQ(await(served_groups(*api_)).error().kind, ErrorKind::kRetryable);
}

TEST_F(RightsTest, WeatherInTheMiddleIsAnErrorToo) {
  on_rules({.status = 201, .body = review("")});
  on_access({.status = 500});
  EXPECT_EQ(await(held_rights(*api_, {kList})).error().message,
            "create selfsubjectaccessreviews list pods: 500 Internal Server Error");
}

TEST_F(RightsTest, ServedGroups) {
  server_.on("GET /apis", {.body = R"({"kind":"APIGroupList","groups":[
    {"name":"policy","versions":[{"groupVersion":"policy/v1","version":"v1"}]},
    {"name":"x.io","versions":[{"groupVersion":"x.io/v2"},{"groupVersion":"x.io/v1"},5]},
    {"name":"odd"}, 7]})"});
  const auto groups = await(served_groups(*api_));
  ASSERT_TRUE(groups) << groups.error().message;
  EXPECT_EQ(*groups, (std::set<std::string>{"policy/v1", "x.io/v1", "x.io/v2"}));
}

TEST_F(RightsTest, GroupsThatAreNone) {
  server_.on("GET /apis", {.body = R"({"paths":["/api"]})"});
  EXPECT_EQ(await(served_groups(*api_)).error().message,
            "get apis: the answer is not a list of groups");
}

}  // namespace
}  // namespace spotkeeper::kube
