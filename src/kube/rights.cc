// SPDX-License-Identifier: Apache-2.0
#include "kube/rights.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

// A rules review is always about a namespace and mixes what is granted there with what is granted
// everywhere. In a namespace that nobody has, only the latter is left.
constexpr const char* kNoNamespace = "spotkeeper-all-namespaces";

// Whether the list at `key` contains "*" or what `fits`.
template <class Fits>
bool lists(const json::value& rule, std::string_view key, Fits fits) {
  const json::array* list = find_array(rule, {key});
  return list != nullptr && std::ranges::any_of(*list, [&](const json::value& item) {
           const json::string* text = item.if_string();
           return text != nullptr && (*text == "*" || fits(std::string_view(*text)));
         });
}

// "pods/eviction" is granted by its own name and by "*/eviction".
bool resource_fits(std::string_view granted, std::string_view wanted) {
  if (granted == wanted) return true;
  const size_t slash = wanted.find('/');
  return slash != std::string_view::npos && granted.starts_with('*') &&
         granted.substr(1) == wanted.substr(slash);
}

Call review(const char* kind, const char* resource, json::object spec) {
  Call call;
  call.method = http::Method::kPost;
  call.path = std::string("/apis/authorization.k8s.io/v1/") + resource;
  call.verb = "create";
  call.resource = resource;
  call.body = json::object{
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", kind}, {"spec", std::move(spec)}};
  return call;
}

Call rules_review(const std::string& ns) {
  return review("SelfSubjectRulesReview", "selfsubjectrulesreviews",
                {{"namespace", ns.empty() ? kNoNamespace : ns}});
}

Call access_review(const Right& right, const std::string& ns) {
  const size_t slash = right.resource.find('/');
  json::object attributes{
      {"group", right.group}, {"resource", right.resource.substr(0, slash)}, {"verb", right.verb}};
  if (slash != std::string::npos) attributes["subresource"] = right.resource.substr(slash + 1);
  if (!ns.empty()) attributes["namespace"] = ns;
  json::object spec;
  spec["resourceAttributes"] = std::move(attributes);
  Call call = review("SelfSubjectAccessReview", "selfsubjectaccessreviews", std::move(spec));
  call.object = right.verb + " " + right.resource;
  return call;
}

}  // namespace

bool shows(const json::value& review, const Right& right) {
  const json::array* rules = find_array(review, {"status", "resourceRules"});
  return rules != nullptr && std::ranges::any_of(*rules, [&](const json::value& rule) {
           const json::array* names = find_array(rule, {"resourceNames"});
           return (names == nullptr || names->empty()) &&
                  lists(rule, "apiGroups", [&](auto group) { return group == right.group; }) &&
                  lists(rule, "verbs", [&](auto verb) { return verb == right.verb; }) &&
                  lists(rule, "resources",
                        [&](auto granted) { return resource_fits(granted, right.resource); });
         });
}

Task<Result<std::set<Right>>> held_rights(Api& api, std::vector<Right> wanted, std::string ns) {
  const Result<json::value> rules = co_await api.call(rules_review(ns));
  // Who may not even ask for rules may still be answered one by one; weather ends it.
  if (!rules && rules.error().status != 403 && rules.error().status != 404) {
    co_return std::unexpected(rules.error());
  }
  std::set<Right> held;
  for (const Right& right : wanted) {
    if (rules && shows(*rules, right)) {
      held.insert(right);
      continue;
    }
    const Result<json::value> answer = co_await api.call(access_review(right, ns));
    if (!answer) co_return std::unexpected(answer.error());
    if (flag_at(*answer, {"status", "allowed"})) held.insert(right);
  }
  co_return held;
}

Task<Result<std::set<std::string>>> served_groups(Api& api) {
  Call call;
  call.path = "/apis";
  call.resource = "apis";
  const Result<json::value> answer = co_await api.call(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  const json::array* groups = find_array(*answer, {"groups"});
  if (groups == nullptr) co_return permanent("get apis: the answer is not a list of groups");
  std::set<std::string> served;
  for (const json::value& group : *groups) {
    const json::array* versions = find_array(group, {"versions"});
    if (versions == nullptr) continue;
    for (const json::value& version : *versions) {
      if (std::string name = text_at(version, {"groupVersion"}); !name.empty()) {
        served.insert(std::move(name));
      }
    }
  }
  co_return served;
}

}  // namespace spotkeeper::kube
