// SPDX-License-Identifier: Apache-2.0
// What we may do and what the server serves, asked once at the start: so that every degraded mode
// is planned, not stumbled into. Errors as in kube/api.h; the Api must outlive the call.
// Source: Kubernetes API reference, authorization.k8s.io/v1 and meta/v1 APIGroupList; how rules
// match is the RBAC authoriser's way (rbac/v1 PolicyRule).
#pragma once

#include <boost/json/fwd.hpp>
#include <compare>
#include <set>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "kube/api.h"

namespace spotkeeper::kube {

// To do `verb` to all objects of a resource.
struct Right {
  std::string group;     // "" is the core group, "policy"
  std::string resource;  // "pods", or a part of it: "pods/eviction"
  std::string verb;      // "get", "list", "watch", "create", "patch", "delete"

  auto operator<=>(const Right&) const = default;
};

// Whether the status of a SelfSubjectRulesReview shows the right. False means only "not shown": the
// list may be incomplete, and a rule for some names (resourceNames) or for "pods/*", which RBAC
// does not know, is no answer for all objects. Pure.
bool shows(const boost::json::value& review, const Right& right);

// Those of `wanted` that we hold in namespace `ns`; an empty one means in all namespaces. One
// SelfSubjectRulesReview, then a SelfSubjectAccessReview for each right that it does not show.
Task<Result<std::set<Right>>> held_rights(Api& api, std::vector<Right> wanted, std::string ns = "");

// "policy/v1", "discovery.k8s.io/v1" …: every group and version the server has now. The core group
// is not listed.
Task<Result<std::set<std::string>>> served_groups(Api& api);

}  // namespace spotkeeper::kube
