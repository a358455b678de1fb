// SPDX-License-Identifier: Apache-2.0
#include "kube/objects.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

TEST(DecodeNode, ReadsWhatWeUse) {
  const auto node = decode_node(json::parse(R"({
    "kind": "Node",
    "metadata": {"name": "web", "uid": "u1", "resourceVersion": "42",
                 "labels": {"zone": "a"}, "annotations": {"spotkeeper.io/state": "{}"}},
    "spec": {"providerID": "aws:///eu-west-1a/i-0123456789abcdef0", "unschedulable": true,
             "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"},
                        {"key": "c", "effect": "NoExecute"}]},
    "status": {"conditions": [{"type": "MemoryPressure", "status": "False"},
                              {"type": "Ready", "status": "True"}]}})"));
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->name, "web");
  EXPECT_EQ(node->uid, "u1");
  EXPECT_EQ(node->resource_version, "42");
  EXPECT_EQ(node->provider_id, "aws:///eu-west-1a/i-0123456789abcdef0");
  EXPECT_TRUE(node->unschedulable);
  EXPECT_TRUE(node->ready);
  const std::vector<Taint> taints = {{.key = "a", .value = "b", .effect = "NoSchedule"},
                                     {.key = "c", .value = "", .effect = "NoExecute"}};
  EXPECT_EQ(node->taints, taints);
  EXPECT_EQ(node->labels, (Labels{{"zone", "a"}}));
  EXPECT_EQ(node->annotations.size(), 1U);
}

TEST(DecodePod, ReadsWhatWeUse) {
  const auto pod = decode_pod(json::parse(R"({
    "metadata": {"name": "web-1", "namespace": "default", "uid": "u1", "resourceVersion": "7",
      "labels": {"app": "web"}, "annotations": {"spotkeeper.io/drain": "at-once"},
      "deletionTimestamp": "2026-11-21T10:00:30Z", "deletionGracePeriodSeconds": 30,
      "ownerReferences": [
        {"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "x"},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5", "uid": "r1",
         "controller": true}]},
    "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 90, "priorityClassName": "high",
             "volumes": [{"name": "a", "configMap": {}}, {"name": "b", "emptyDir": {}}]},
    "status": {"phase": "Running",
      "conditions": [{"type": "Initialized", "status": "True"},
                     {"type": "Ready", "status": "True"}]}})"));
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->ns, "default");
  EXPECT_EQ(pod->name, "web-1");
  EXPECT_EQ(pod->node, "n1");
  EXPECT_EQ(pod->owner,
            (Owner{.api_version = "apps/v1", .kind = "ReplicaSet", .name = "web-5", .uid = "r1"}));
  EXPECT_EQ(pod->phase, "Running");
  EXPECT_TRUE(pod->ready);
  ASSERT_TRUE(pod->deletion);
  EXPECT_EQ(format_time_s(*pod->deletion), "2026-11-21T10:00:30Z");
  EXPECT_EQ(pod->deletion_grace_s, 30);
  EXPECT_EQ(pod->grace_s, 90);
  EXPECT_FALSE(pod->mirror);
  EXPECT_TRUE(pod->empty_dir);
  EXPECT_EQ(pod->priority_class, "high");
  EXPECT_FALSE(pod->finished());
}

TEST(DecodePod, HasTheServersDefaults) {
  const auto pod = decode_pod(json::parse(
      R"({"metadata": {"name": "a", "namespace": "b", "uid": "c",
          "annotations": {"kubernetes.io/config.mirror": "hash"}},
          "status": {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]}})"));
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->grace_s, 30);
  EXPECT_FALSE(pod->owner);
  EXPECT_FALSE(pod->ready);
  EXPECT_FALSE(pod->deletion);
  EXPECT_TRUE(pod->mirror);
  EXPECT_FALSE(pod->empty_dir);
  EXPECT_TRUE(pod->finished());
}

TEST(DecodeBudget, ReadsWhatWeUse) {
  const auto budget = decode_budget(json::parse(R"({
    "metadata": {"name": "web", "namespace": "default", "uid": "u1", "generation": 3},
    "spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow",
             "selector": {"matchLabels": {"app": "web"}, "matchExpressions":
                          [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}},
    "status": {"disruptionsAllowed": 2, "observedGeneration": 2}})"));
  ASSERT_TRUE(budget) << budget.error().message;
  EXPECT_EQ(budget->disruptions_allowed, 2);
  EXPECT_EQ(budget->generation, 3);
  EXPECT_EQ(budget->observed_generation, 2);
  EXPECT_TRUE(budget->always_allow_unhealthy);
  ASSERT_TRUE(budget->selector);
  EXPECT_EQ(budget->selector->match_expressions.size(), 1U);
  EXPECT_EQ(budget->selector->match_expressions[0].values, (std::vector<std::string>{"a", "b"}));

  Pod pod;
  pod.ns = "default";
  pod.labels = {{"app", "web"}, {"tier", "b"}};
  EXPECT_TRUE(budget->covers(pod));
  pod.ns = "other";
  EXPECT_FALSE(budget->covers(pod));
}

TEST(Budget, CoversByItsSelector) {
  Pod pod;
  pod.ns = "default";
  Budget budget;
  budget.ns = "default";
  EXPECT_FALSE(budget.covers(pod)) << "no selector: no pod";
  budget.selector = LabelSelector();
  EXPECT_TRUE(budget.covers(pod)) << "an empty selector: every pod of the namespace";
}

struct SelectorRow {
  const char* name;
  LabelSelector selector;
  bool matches;
};

class SelectorTable : public testing::TestWithParam<SelectorRow> {};

TEST_P(SelectorTable, MatchesAsTheServerDoes) {
  const Labels labels = {{"app", "web"}, {"tier", "front"}, {"empty", ""}};
  EXPECT_EQ(GetParam().selector.matches(labels), GetParam().matches);
}

LabelSelector expression(const char* key, const char* op, std::vector<std::string> values = {}) {
  LabelSelector selector;
  selector.match_expressions.push_back({.key = key, .op = op, .values = std::move(values)});
  return selector;
}

LabelSelector both(Labels labels, LabelSelector selector) {
  selector.match_labels = std::move(labels);
  return selector;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, SelectorTable,
    testing::Values(
        SelectorRow{"empty", {}, true}, SelectorRow{"label", both({{"app", "web"}}, {}), true},
        SelectorRow{"other_value", both({{"app", "db"}}, {}), false},
        SelectorRow{"missing_label", both({{"zone", "a"}}, {}), false},
        SelectorRow{"empty_value", both({{"empty", ""}}, {}), true},
        SelectorRow{"all_labels", both({{"app", "web"}, {"tier", "back"}}, {}), false},
        SelectorRow{"in", expression("app", "In", {"db", "web"}), true},
        SelectorRow{"in_other", expression("app", "In", {"db"}), false},
        SelectorRow{"in_missing", expression("zone", "In", {"a"}), false},
        SelectorRow{"not_in", expression("app", "NotIn", {"db"}), true},
        SelectorRow{"not_in_listed", expression("app", "NotIn", {"web"}), false},
        SelectorRow{"not_in_missing", expression("zone", "NotIn", {"a"}), true},
        SelectorRow{"exists", expression("tier", "Exists"), true},
        SelectorRow{"exists_missing", expression("zone", "Exists"), false},
        SelectorRow{"does_not_exist", expression("zone", "DoesNotExist"), true},
        SelectorRow{"does_not_exist_but_does", expression("app", "DoesNotExist"), false},
        SelectorRow{"unknown_operator", expression("app", "Gt", {"1"}), false},
        SelectorRow{"both_hold", both({{"app", "web"}}, expression("tier", "Exists")), true},
        SelectorRow{"one_holds", both({{"app", "web"}}, expression("zone", "Exists")), false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Decode, NeedsAnIdentity) {
  EXPECT_EQ(decode_node(json::parse("{}")).error().message, "node without metadata.name");
  EXPECT_EQ(decode_node(json::parse(R"({"metadata": {"name": "a"}})")).error().message,
            "node a without metadata.uid");
  const json::value no_namespace = json::parse(R"({"metadata": {"name": "a", "uid": "b"}})");
  EXPECT_EQ(decode_pod(no_namespace).error().message, "pod a without metadata.namespace");
  EXPECT_EQ(decode_budget(no_namespace).error().message,
            "poddisruptionbudget a without metadata.namespace");
}

// Every value of a whole object replaced by every kind of JSON, one at a time: never a crash, and
// never more than an Error.
const json::value& whole_object() {
  static const json::value parsed = json::parse(R"({
    "metadata": {"name": "a", "namespace": "b", "uid": "c", "resourceVersion": "1",
      "generation": 1, "labels": {"x": "y"}, "annotations": {"x": "y"},
      "deletionTimestamp": "2026-11-21T10:00:30Z", "deletionGracePeriodSeconds": 30,
      "ownerReferences": [{"kind": "ReplicaSet", "controller": true}]},
    "spec": {"nodeName": "n", "providerID": "p", "unschedulable": true,
      "taints": [{"key": "a", "value": "b", "effect": "c"}],
      "terminationGracePeriodSeconds": 90, "volumes": [{"emptyDir": {}}],
      "selector": {"matchLabels": {"a": "b"},
                   "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
               "disruptionsAllowed": 1, "observedGeneration": 1}})");
  return parsed;
}

void decode_all(const json::value& object, int& decoded) {
  const auto node = decode_node(object);
  const auto pod = decode_pod(object);
  const auto budget = decode_budget(object);
  decoded += node.has_value() + pod.has_value() + budget.has_value();
  if (budget && pod) (void)budget->covers(*pod);
  if (pod) EXPECT_GE(pod->grace_s, 0);
  if (budget) EXPECT_GE(budget->disruptions_allowed, 0);
}

const std::vector<json::value>& garbage() {
  static const std::vector<json::value> values = {nullptr,
                                                  true,
                                                  -1,
                                                  1e300,
                                                  UINT64_MAX,
                                                  "text",
                                                  json::array{1, 2},
                                                  json::array{},
                                                  json::object{},
                                                  json::array{nullptr, json::object{}, "x"}};
  return values;
}

void mutate(json::value& root, json::value& at, int& decoded) {
  const json::value original = at;
  for (const json::value& other : garbage()) {
    at = other;
    decode_all(root, decoded);
  }
  at = original;
  if (json::object* object = at.if_object()) {
    for (auto& [key, value] : *object) mutate(root, value, decoded);
  } else if (json::array* array = at.if_array()) {
    for (json::value& value : *array) mutate(root, value, decoded);
  }
}

TEST(Decode, SurvivesGarbage) {
  json::value root = whole_object();
  int decoded = 0;
  mutate(root, root, decoded);
  EXPECT_GT(decoded, 500) << "a wrong field that does not matter leaves the rest readable";
}

TEST(DecodeSlice, CountsReadyEndpointsAndTheirNodes) {
  const auto slice = decode_slice(json::parse(R"({
    "metadata": {"uid": "u", "namespace": "shop", "name": "web-x7", "resourceVersion": "4",
                 "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [
      {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "n2"},
      {"addresses": ["10.0.0.2"], "conditions": {"ready": false}, "nodeName": "n3"},
      {"addresses": ["10.0.0.3"], "conditions": {}, "nodeName": "n1"},
      {"addresses": ["10.0.0.4"], "conditions": {"ready": null}, "nodeName": "n2"},
      {"addresses": ["10.0.0.5"]}, 5]})"));
  ASSERT_TRUE(slice) << slice.error().message;
  EXPECT_EQ(slice->uid, "u");
  EXPECT_EQ(slice->ns, "shop");
  EXPECT_EQ(slice->name, "web-x7");
  EXPECT_EQ(slice->resource_version, "4");
  EXPECT_EQ(slice->service, "web");
  EXPECT_EQ(slice->ready, 4);
  EXPECT_EQ(slice->nodes, (std::vector<std::string>{"n1", "n2"}));
}

TEST(DecodeSlice, WithoutAnything) {
  const auto slice = decode_slice(
      json::parse(R"({"metadata": {"uid": "u", "namespace": "a", "name": "b"}, "endpoints": 5})"));
  ASSERT_TRUE(slice) << slice.error().message;
  EXPECT_EQ(slice->service, "");
  EXPECT_EQ(slice->ready, 0);
  EXPECT_TRUE(slice->nodes.empty());
  EXPECT_EQ(decode_slice(json::parse(R"({"metadata": {"uid": "u", "name": "b"}})")).error().message,
            "endpointslice b without metadata.namespace");
  EXPECT_FALSE(decode_slice(json::parse("[]")));
}

}  // namespace
}  // namespace spotkeeper::kube
