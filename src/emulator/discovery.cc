// SPDX-License-Identifier: Apache-2.0
#include "emulator/discovery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "emulator/resources.h"

namespace spotkeeper::emulator {
namespace {

constexpr const char* kAuthorization = "authorization.k8s.io";

std::vector<std::string> groups() {
  std::vector<std::string> names;
  for (const Resource& resource : resources()) {
    const bool known =
        resource.group.empty() || std::ranges::find(names, resource.group) != names.end();
    if (!known) names.push_back(resource.group);
  }
  names.emplace_back(kAuthorization);
  return names;
}

json::object group_object(const std::string& name) {
  const json::object version{{"groupVersion", name + "/v1"}, {"version", "v1"}};
  return {{"name", name}, {"versions", json::array{version}}, {"preferredVersion", version}};
}

json::object subresource(const Resource& resource, const std::string& name) {
  json::object into{{"name", resource.name + "/" + name},
                    {"singularName", ""},
                    {"namespaced", resource.namespaced},
                    {"kind", resource.kind},
                    {"verbs", json::array{"get", "patch", "update"}}};
  if (name == "scale") {
    into["group"] = "autoscaling";
    into["version"] = "v1";
    into["kind"] = "Scale";
  }
  if (name == "eviction" || name == "token") {
    into["group"] = name == "eviction" ? "policy" : "authentication.k8s.io";
    into["version"] = "v1";
    into["kind"] = name == "eviction" ? "Eviction" : "TokenRequest";
    into["verbs"] = json::array{"create"};
  }
  return into;
}

void add_resource(const Resource& resource, json::array& into) {
  into.push_back(
      {{"name", resource.name},
       {"singularName", resource.singular},
       {"namespaced", resource.namespaced},
       {"kind", resource.kind},
       {"verbs", json::array{"create", "delete", "deletecollection", "get", "list", "patch",
                             "update", "watch"}},
       {"shortNames", json::array(resource.short_names.begin(), resource.short_names.end())}});
  for (const std::string& sub : resource.subresources) {
    into.push_back(subresource(resource, sub));
  }
}

void add_review(const char* name, const char* kind, json::array& into) {
  into.push_back({{"name", name},
                  {"singularName", ""},
                  {"namespaced", false},
                  {"kind", kind},
                  {"verbs", json::array{"create"}}});
}

}  // namespace

std::optional<json::object> describe_server(const std::string& path) {
  if (path == "/version") {
    return json::object{{"major", "1"},
                        {"minor", "34"},
                        {"gitVersion", "v1.34.0+spotkeeper-world"},
                        {"platform", "linux/amd64"}};
  }
  if (path == "/api") {
    return json::object{{"kind", "APIVersions"},
                        {"versions", json::array{"v1"}},
                        {"serverAddressByClientCIDRs", json::array{}}};
  }
  json::array all;
  for (const std::string& name : groups()) {
    json::object group = group_object(name);
    if (path == "/apis/" + name) {
      group["kind"] = "APIGroup";
      group["apiVersion"] = "v1";
      return group;
    }
    all.push_back(std::move(group));
  }
  if (path != "/apis") return std::nullopt;
  return json::object{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(all)}};
}

std::optional<json::object> describe_group(const Query& query) {
  json::array found;
  for (const Resource& resource : resources()) {
    if (resource.group == query.group && resource.version == query.version) {
      add_resource(resource, found);
    }
  }
  if (query.group == kAuthorization && query.version == "v1") {
    add_review("selfsubjectaccessreviews", "SelfSubjectAccessReview", found);
    add_review("selfsubjectrulesreviews", "SelfSubjectRulesReview", found);
    add_review("subjectaccessreviews", "SubjectAccessReview", found);
  }
  if (found.empty()) return std::nullopt;
  return json::object{{"kind", "APIResourceList"},
                      {"apiVersion", "v1"},
                      {"groupVersion", query.group_version()},
                      {"resources", std::move(found)}};
}

}  // namespace spotkeeper::emulator
