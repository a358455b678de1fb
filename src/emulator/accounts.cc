// SPDX-License-Identifier: Apache-2.0
#include "emulator/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace spotkeeper::emulator {
namespace {

constexpr const char* kRbac = "rbac.authorization.k8s.io";

bool lists(const json::value& rule, std::string_view key, const std::string& wanted) {
  const std::vector<std::string> all = texts_at(rule, {key});
  return std::ranges::any_of(all,
                             [&](const std::string& one) { return one == wanted || one == "*"; });
}

bool grants(const json::value& rule, const Attempt& attempt) {
  const std::vector<std::string> names = texts_at(rule, {"resourceNames"});
  return lists(rule, "verbs", attempt.verb) && lists(rule, "apiGroups", attempt.group) &&
         lists(rule, "resources", attempt.resource) &&
         (names.empty() || std::ranges::find(names, attempt.name) != names.end());
}

// "system:serviceaccount:NS:NAME".
std::string account_name(const json::value& subject) {
  return "system:serviceaccount:" + text_at(subject, {"namespace"}) + ":" +
         text_at(subject, {"name"});
}

// The rules of all ClusterRoles bound to that user.
std::vector<json::value> bound_rules(const Shelf& shelf, const std::string& user) {
  std::vector<json::value> found;
  const Resource* bindings = find_resource(kRbac, "v1", "clusterrolebindings");
  const Resource* roles = find_resource(kRbac, "v1", "clusterroles");
  for (const json::object& object : shelf.list(*bindings, "")) {
    const json::value binding(object);
    const json::array* subjects = find_array(binding, {"subjects"});
    const bool bound = subjects != nullptr && std::ranges::any_of(*subjects, [&](const auto& s) {
                         return account_name(s) == user;
                       });
    if (!bound) continue;
    const auto role = shelf.find(*roles, {"", text_at(binding, {"roleRef", "name"})});
    if (!role) continue;
    const json::value value(*role);
    const json::array* rules = find_array(value, {"rules"});
    if (rules != nullptr) found.insert(found.end(), rules->begin(), rules->end());
  }
  return found;
}

json::object rule(const std::string& group, const std::string& resource, const json::array& verbs) {
  return {{"apiGroups", json::array{json::value(group)}},
          {"resources", json::array{json::value(resource)}},
          {"verbs", verbs}};
}

Attempt attempt_of(const json::value& review) {
  const auto attribute = [&](std::string_view key) {
    return text_at(review, {"spec", "resourceAttributes", key});
  };
  Attempt attempt{.verb = attribute("verb"),
                  .group = attribute("group"),
                  .resource = attribute("resource"),
                  .ns = attribute("namespace"),
                  .name = attribute("name")};
  const std::string subresource = attribute("subresource");
  if (!subresource.empty()) attempt.resource += "/" + subresource;
  return attempt;
}

}  // namespace

Accounts::Accounts(const Shelf& shelf, std::string administrator, Denied denied)
    : shelf_(shelf), administrator_(std::move(administrator)), denied_(std::move(denied)) {}

std::string Accounts::user_of(const http::ServerRequest& request) const {
  static constexpr std::string_view kBearer = "Bearer ";
  const std::string* header = http::find_header(request.headers, "Authorization");
  if (header == nullptr || !header->starts_with(kBearer)) return administrator_;
  const std::string token = header->substr(kBearer.size());
  if (token == administrator_) return administrator_;
  const auto found = tokens_.find(token);
  return found == tokens_.end() ? std::string() : found->second;
}

std::string Accounts::issue_token(const std::string& ns, const std::string& name) {
  std::string token = fmt::format("emulated-token-{}", tokens_.size() + 1);
  tokens_[token] = "system:serviceaccount:" + ns + ":" + name;
  return token;
}

bool Accounts::allows(const std::string& user, const Attempt& attempt) const {
  if (denied_.contains({attempt.verb, attempt.resource})) return false;
  if (is_administrator(user)) return true;
  // Everybody who has a token may ask what they may do.
  if (attempt.group == "authorization.k8s.io" && attempt.resource.starts_with("selfsubject")) {
    return true;
  }
  return std::ranges::any_of(bound_rules(shelf_, user),
                             [&](const json::value& one) { return grants(one, attempt); });
}

std::optional<Failure> Accounts::refusal(const std::string& user, const Attempt& attempt) const {
  if (allows(user, attempt)) return std::nullopt;
  const std::string resource = attempt.resource.substr(0, attempt.resource.find('/'));
  const std::string what = attempt.group.empty() ? resource : resource + "." + attempt.group;
  const std::string where =
      attempt.ns.empty() ? "at the cluster scope" : "in the namespace \"" + attempt.ns + "\"";
  Failure failure(
      403, "Forbidden",
      fmt::format("{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}",
                  what, attempt.name.empty() ? "" : " \"" + attempt.name + "\"", user, attempt.verb,
                  attempt.resource, attempt.group, where));
  failure.name = attempt.name;
  failure.group = attempt.group;
  failure.kind = resource;
  return failure;
}

json::array Accounts::rules_of(const std::string& user) const {
  json::array rules;
  if (!is_administrator(user)) {
    for (const json::value& one : bound_rules(shelf_, user)) rules.push_back(one);
    return rules;
  }
  if (denied_.empty()) {
    rules.push_back(rule("*", "*", json::array{"*"}));
    return rules;
  }
  static constexpr const char* kVerbs[] = {"get",    "list",  "watch",  "create",
                                           "update", "patch", "delete", "deletecollection"};
  const auto add = [&](const Resource& resource, const std::string& name) {
    json::array verbs;
    for (const char* verb : kVerbs) {
      if (!denied_.contains({verb, name})) verbs.emplace_back(verb);
    }
    rules.push_back(rule(resource.group, name, verbs));
  };
  for (const Resource& resource : resources()) {
    add(resource, resource.name);
    for (const auto& sub : resource.subresources) add(resource, resource.name + "/" + sub);
  }
  return rules;
}

json::object answer_review(const Accounts& accounts, const std::string& user,
                           const std::string& resource, json::object review) {
  const json::value asked(review);
  json::object status;
  if (resource == "selfsubjectrulesreviews") {
    review["kind"] = "SelfSubjectRulesReview";
    status["resourceRules"] = accounts.rules_of(user);
    status["nonResourceRules"] = json::array{};
    status["incomplete"] = false;
  } else {
    const bool self = resource == "selfsubjectaccessreviews";
    review["kind"] = self ? "SelfSubjectAccessReview" : "SubjectAccessReview";
    status["allowed"] =
        accounts.allows(self ? user : text_at(asked, {"spec", "user"}), attempt_of(asked));
  }
  review["apiVersion"] = "authorization.k8s.io/v1";
  review["status"] = std::move(status);
  return review;
}

}  // namespace spotkeeper::emulator
