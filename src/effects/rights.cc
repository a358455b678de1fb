// SPDX-License-Identifier: Apache-2.0
#include "effects/rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace spotkeeper::effects {
namespace {

const kube::Right kGetNodes{.group = "", .resource = "nodes", .verb = "get"};
const kube::Right kPatchNodes{.group = "", .resource = "nodes", .verb = "patch"};
const kube::Right kEvict{.group = "", .resource = "pods/eviction", .verb = "create"};
const kube::Right kDelete{.group = "", .resource = "pods", .verb = "delete"};
const kube::Right kExplain{.group = "", .resource = "pods/status", .verb = "patch"};

constexpr const char* kNoMark = "the node cannot be cordoned: new pods may land on it";
constexpr const char* kNoBudgets =
    "each refusal by a budget costs a request, and is tried again every 20 s";
constexpr const char* kNoHandOver =
    "no pod is handed over, replacement first: its Service may have a gap";
constexpr const char* kNoLocalServices =
    "no pod is handed over, replacement first: its Service may have a gap; and "
    "EXCLUDE_FROM_LOAD_BALANCERS does not wait where externalTrafficPolicy is Local";
const kube::Right kPatchPods{.group = "", .resource = "pods", .verb = "patch"};
const kube::Right kListDeployments{.group = "apps", .resource = "deployments", .verb = "list"};
const kube::Right kWatchDeployments{.group = "apps", .resource = "deployments", .verb = "watch"};
const kube::Right kListServices{.group = "", .resource = "services", .verb = "list"};
const kube::Right kListPolicies{
    .group = "networking.k8s.io", .resource = "networkpolicies", .verb = "list"};
const kube::Right kListClaims{.group = "", .resource = "persistentvolumeclaims", .verb = "list"};
constexpr const char* kNoMarks =
    "pods on nodes that other agents drain are counted as replacements until they leave";
constexpr const char* kNoClaims =
    "pods with a volume claim are not handed over, even where many hosts may have it";
constexpr const char* kNoVolumes = "the end of a drain does not wait for volumes to be detached";
constexpr const char* kNoServices =
    "the post-mortem cannot say for how long a Service had no Ready endpoint, and "
    "EXCLUDE_FROM_LOAD_BALANCERS does not wait where externalTrafficPolicy is Local";

}  // namespace

const std::vector<Need>& needs() {
  static const std::vector<Need> all{
      {kGetNodes, kNoMark},
      {kPatchNodes, kNoMark},
      {{.group = "", .resource = "pods", .verb = "list"},
       "pods cannot be seen, so that nobody can be told"},
      {{.group = "", .resource = "pods", .verb = "watch"}, "pods are listed every 2 s instead"},
      {kEvict, "pods without a budget are deleted at once, and guarded ones at their last moment"},
      {kDelete, "a budget can hold its pods until the host ends"},
      {kExplain, "a Job counts a pod that overrules its budget as failed"},
      {{.group = "policy", .resource = "poddisruptionbudgets", .verb = "list"}, kNoBudgets},
      {{.group = "policy", .resource = "poddisruptionbudgets", .verb = "watch"},
       "budgets are listed every 2 s instead"},
      {{.group = "discovery.k8s.io", .resource = "endpointslices", .verb = "list"}, kNoServices},
      {{.group = "discovery.k8s.io", .resource = "endpointslices", .verb = "watch"},
       "endpoints are listed every 2 s instead"},
      {kPatchPods, kNoHandOver},
      {kListDeployments, kNoHandOver},
      {kWatchDeployments, "Deployments are listed every 2 s instead"},
      {kListServices, kNoLocalServices},
      {kListPolicies, kNoHandOver},
      {kListClaims, kNoClaims},
      {{.group = "", .resource = "nodes", .verb = "list"}, kNoMarks},
      {{.group = "", .resource = "nodes", .verb = "watch"},
       "marked nodes are listed every 2 s instead"},
      {{.group = "storage.k8s.io", .resource = "volumeattachments", .verb = "list"}, kNoVolumes},
      {{.group = "storage.k8s.io", .resource = "volumeattachments", .verb = "watch"},
       "VolumeAttachments are listed every 2 s instead"},
  };
  return all;
}

std::vector<kube::Right> needed_rights() {
  std::vector<kube::Right> rights;
  for (const Need& need : needs()) rights.push_back(need.right);
  return rights;
}

bool hands_over_without(const std::set<kube::Right>& lacking) {
  return std::ranges::none_of(
      std::array{kPatchPods, kListDeployments, kListServices, kListPolicies},
      [&lacking](const kube::Right& right) { return lacking.contains(right); });
}

core::Abilities abilities_of(const std::set<kube::Right>& held) {
  return core::Abilities{.mark = held.contains(kGetNodes) && held.contains(kPatchNodes),
                         .ask = held.contains(kEvict),
                         .stop = held.contains(kDelete),
                         .explain = held.contains(kExplain),
                         .hand_over = held.contains(kPatchPods) &&
                                      held.contains(kListDeployments) &&
                                      held.contains(kListServices) && held.contains(kListPolicies),
                         .forewarn = held.contains(kPatchPods)};
}

std::string missing_line(const Need& need) {
  return fmt::format(
      "missing right {}: {}; add to the ClusterRole: "
      R"({{apiGroups: ["{}"], resources: ["{}"], verbs: ["{}"]}})",
      describe(need.right), need.loss, need.right.group, need.right.resource, need.right.verb);
}

std::string describe(const kube::Right& right) {
  return right.resource + " " + right.verb;
}

}  // namespace spotkeeper::effects
