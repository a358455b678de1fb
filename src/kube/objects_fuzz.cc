// SPDX-License-Identifier: Apache-2.0
// Objects of the API server: the same JSON decoded as everything we read.
#include <algorithm>
#include <boost/json/value.hpp>
#include <string>

#include "base/fuzz.h"
#include "kube/api.h"
#include "kube/objects.h"
#include "kube/rights.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;

constexpr int64_t kYearS = int64_t{366} * 86'400;

void check_node(const json::value& object) {
  const Result<kube::Node> node = kube::decode_node(object);
  if (!node) return must(node.error().kind == ErrorKind::kPermanent, "a bad object stays bad");
  must(!node->name.empty() && !node->uid.empty(), "a node has an identity");
  must(std::ranges::none_of(node->taints,
                            [](const kube::Taint& taint) { return taint.key.empty(); }),
       "a taint has a key");
}

Result<kube::Pod> check_pod(const json::value& object) {
  Result<kube::Pod> pod = kube::decode_pod(object);
  if (!pod) {
    must(pod.error().kind == ErrorKind::kPermanent, "a bad object stays bad");
    return pod;
  }
  must(!pod->name.empty() && !pod->uid.empty() && !pod->ns.empty(), "a pod has an identity");
  must(pod->grace_s >= 0 && pod->grace_s <= kYearS, "a grace has its limits");
  Time again{};
  must(
      !pod->deletion || (parse_time(format_time(*pod->deletion), again) && again == *pod->deletion),
      "a deletion can be written down");
  const std::string path = kube::pod_path(pod->ns, pod->name);
  must(std::ranges::count(path, '/') == 6, "no name leads out of its place in a path");
  must(path.find_first_of("?# \r\n") == std::string::npos, "a name stays part of the path");
  return pod;
}

// What selectors mean, said another way than in LabelSelector::matches.
bool selects(const LabelSelector& selector, const Labels& labels) {
  for (const auto& [key, value] : selector.match_labels) {
    if (!labels.contains(key) || labels.at(key) != value) return false;
  }
  for (const auto& each : selector.match_expressions) {
    const bool has = labels.contains(each.key);
    const bool in = has && std::ranges::count(each.values, labels.at(each.key)) > 0;
    const bool holds = (each.op == "In" && in) || (each.op == "NotIn" && !in) ||
                       (each.op == "Exists" && has) || (each.op == "DoesNotExist" && !has);
    if (!holds) return false;
  }
  return true;
}

void check_budget(const json::value& object, const Result<kube::Pod>& pod) {
  const Result<kube::Budget> budget = kube::decode_budget(object);
  if (!budget) return must(budget.error().kind == ErrorKind::kPermanent, "a bad object stays bad");
  must(!budget->name.empty() && !budget->uid.empty() && !budget->ns.empty(),
       "a budget has an identity");
  must(budget->disruptions_allowed >= 0, "a budget allows nothing, or some");
  if (!pod) return;
  kube::Pod elsewhere = *pod;
  elsewhere.ns += "x";
  must(!budget->covers(elsewhere), "a budget covers pods of its namespace only");
  must(budget->covers(*pod) == (budget->selector && selects(*budget->selector, pod->labels)),
       "a budget covers what it selects");
}

void check_slice(const json::value& object) {
  const Result<kube::EndpointSlice> slice = kube::decode_slice(object);
  if (!slice) return must(slice.error().kind == ErrorKind::kPermanent, "a bad object stays bad");
  must(!slice->name.empty() && !slice->uid.empty() && !slice->ns.empty(),
       "a slice has an identity");
  must(slice->ready >= 0, "some endpoints are ready, or none");
  must(std::ranges::is_sorted(slice->nodes) &&
           std::ranges::adjacent_find(slice->nodes) == slice->nodes.end(),
       "nodes are sorted, each once");
}

// Whoever may do everything to something may do each thing to it.
void check_rights(const json::value& review) {
  const bool all = kube::shows(review, {.group = "", .resource = "pods", .verb = "*"});
  const bool one = kube::shows(review, {.group = "", .resource = "pods", .verb = "delete"});
  must(!all || one, "all verbs hold each verb");
}

}  // namespace

void fuzz(std::string_view input) {
  boost::system::error_code broken;
  const json::value object = json::parse(input, broken);
  if (broken) return;
  check_node(object);
  const Result<kube::Pod> pod = check_pod(object);
  check_budget(object, pod);
  check_slice(object);
  check_rights(object);
}

}  // namespace spotkeeper
