// SPDX-License-Identifier: Apache-2.0
#include "kube/calls.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "kube/script_server.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

class CallsTest : public KubeTest {
 protected:
  const PodRef pod_{.ns = "default", .name = "web-1", .uid = "u1"};
};

constexpr const char* kNode = R"({"metadata": {"name": "n1", "uid": "u", "resourceVersion": "8"}})";

TEST_F(CallsTest, GetNode) {
  server_.on("GET /api/v1/nodes/n1", {.body = kNode});
  const auto node = await(get_node(*api_, "n1"));
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->resource_version, "8");
  EXPECT_EQ(answers_, std::vector<std::string>{"get nodes 200"});
}

TEST_F(CallsTest, GetNodeThatIsNone) {
  server_.on("GET /api/v1/nodes/n1", {.status = 404});
  const auto node = await(get_node(*api_, "n1"));
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().kind, ErrorKind::kGone);
  EXPECT_EQ(node.error().message, "get nodes n1: 404 Not Found");
}

TEST_F(CallsTest, PatchNode) {
  server_.on("PATCH /api/v1/nodes/n1", {.body = kNode});
  json::value patch = json::parse(R"({"spec":{"unschedulable":true}})");
  const auto node = await(patch_node(*api_, "n1", std::move(patch)));
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(server_.seen[0].body, R"({"spec":{"unschedulable":true}})");
  EXPECT_EQ(server_.seen[0].header("Content-Type"), "application/merge-patch+json");
}

TEST_F(CallsTest, Evict) {
  server_.on("POST /api/v1/namespaces/default/pods/web-1/eviction", {.status = 201, .body = "{}"});
  EXPECT_TRUE(await(evict(*api_, pod_, 25)));
  EXPECT_EQ(json::parse(server_.seen[0].body), json::parse(R"({
    "apiVersion": "policy/v1", "kind": "Eviction",
    "metadata": {"namespace": "default", "name": "web-1"},
    "deleteOptions": {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 25,
                      "preconditions": {"uid": "u1"}}})"));
  EXPECT_TRUE(await(evict(*api_, pod_, std::nullopt, Seconds(10), true)));
  EXPECT_TRUE(server_.seen[1].target.ends_with("/eviction?dryRun=All"));
  EXPECT_EQ(json::parse(server_.seen[1].body).at("deleteOptions"), json::parse(R"(
    {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u1"},
     "dryRun": ["All"]})"));
  EXPECT_EQ(answers_[0], "evict pods/eviction 201");
}

TEST_F(CallsTest, EvictRefusedByABudget) {
  server_.on("/eviction", {.status = 429, .body = R"({"kind": "Status", "message": "no",
                           "details": {"causes": [{"reason": "DisruptionBudget"}]}})"});
  const auto asked = await(evict(*api_, pod_, std::nullopt));
  ASSERT_FALSE(asked);
  EXPECT_TRUE(asked.error().budget);
  EXPECT_EQ(asked.error().message, "evict pods/eviction default/web-1: 429 Too Many Requests: no");
}

TEST_F(CallsTest, DeletePod) {
  server_.on("DELETE /api/v1/namespaces/default/pods/web-1", {.body = "{}"});
  EXPECT_TRUE(await(delete_pod(*api_, pod_, 7)));
  EXPECT_EQ(json::parse(server_.seen[0].body), json::parse(R"(
    {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 7,
     "preconditions": {"uid": "u1"}})"));
  EXPECT_EQ(server_.seen[0].header("Content-Type"), "application/json");
}

TEST_F(CallsTest, DeleteAnotherPodOfThatName) {
  server_.on("DELETE", {.status = 409, .body = R"({"kind": "Status", "reason": "Conflict",
      "message": "the UID in the precondition (u1) does not match the UID in record (u2)."})"});
  const auto told = await(delete_pod(*api_, pod_, 7));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::kGone);
}

TEST_F(CallsTest, SetDisruptionTarget) {
  server_.on("PATCH /api/v1/namespaces/default/pods/web-1/status", {.body = "{}"});
  Time now;
  ASSERT_TRUE(parse_time("2026-11-21T10:00:00.5Z", now));
  EXPECT_TRUE(await(set_disruption_target(*api_, pod_, "why", now)));
  EXPECT_EQ(json::parse(server_.seen[0].body), json::parse(R"(
    {"metadata": {"uid": "u1"}, "status": {"conditions": [
      {"type": "DisruptionTarget", "status": "True", "reason": "SpotInterruption",
       "message": "why", "lastTransitionTime": "2026-11-21T10:00:00Z"}]}})"));
  EXPECT_EQ(server_.seen[0].header("Content-Type"), "application/strategic-merge-patch+json");
}

}  // namespace
}  // namespace spotkeeper::kube
