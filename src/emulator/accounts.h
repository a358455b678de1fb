// SPDX-License-Identifier: Apache-2.0
// Who a request comes from and what they may do. A token that was issued for a service account is
// that account, and it may do what the ClusterRoles bound to it grant. Whoever sends no token, or
// the administrator's name as token, is the administrator, who may do everything. What is denied is
// denied to all.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulator/query.h"
#include "emulator/shelf.h"

namespace spotkeeper::emulator {

// One thing that somebody wants to do; `resource` carries its subresource: "pods/eviction".
struct Attempt {
  std::string verb;
  std::string group;
  std::string resource;
  std::string ns;
  std::string name;
};

class Accounts {
 public:
  using Denied = std::set<std::pair<std::string, std::string>>;  // (verb, resource)

  Accounts(const Shelf& shelf, std::string administrator, Denied denied);

  // Empty: a token that nobody has.
  std::string user_of(const http::ServerRequest& request) const;
  // A new token of the service account NS/NAME.
  std::string issue_token(const std::string& ns, const std::string& name);

  bool allows(const std::string& user, const Attempt& attempt) const;
  // 403 in the authoriser's words; nothing when it is allowed.
  std::optional<Failure> refusal(const std::string& user, const Attempt& attempt) const;

  // status.resourceRules of a SelfSubjectRulesReview.
  json::array rules_of(const std::string& user) const;

 private:
  bool is_administrator(const std::string& user) const { return user == administrator_; }

  const Shelf& shelf_;
  std::string administrator_;
  Denied denied_;
  std::map<std::string, std::string> tokens_;  // token, user
};

// The answer of POST …/{selfsubjectaccessreviews,selfsubjectrulesreviews,subjectaccessreviews}:
// the review with its status.
json::object answer_review(const Accounts& accounts, const std::string& user,
                           const std::string& resource, json::object review);

}  // namespace spotkeeper::emulator
