// SPDX-License-Identifier: Apache-2.0
#include "aws/iam.h"

#include <utility>

namespace spotkeeper::aws {
namespace {

Call iam_call(const char* action, const std::string& object, Form form) {
  return {.service = &kIam, .action = action, .form = std::move(form), .object = object};
}

Task<Result<void>> done(Client& iam, Call call) {
  const Result<Xml> answer = co_await iam.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// IAM gives documents percent-encoded (RFC 3986).
std::string decoded(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool encoded =
        text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    out += encoded ? static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

}  // namespace

Task<Result<std::string>> own_account(Client& client) {
  Call call{.service = &kSts, .action = "GetCallerIdentity"};
  const Result<Xml> answer = co_await client.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  std::string account = (*answer)["Account"].text;
  if (account.empty()) co_return permanent("sts GetCallerIdentity: the answer has no Account");
  co_return account;
}

Task<Result<std::string>> policy_document(Client& iam, std::string arn) {
  Call call = iam_call("GetPolicy", arn, {{"PolicyArn", arn}});
  const Result<Xml> policy = co_await iam.query(std::move(call));
  if (!policy) co_return std::unexpected(policy.error());
  Call version =
      iam_call("GetPolicyVersion", arn,
               {{"PolicyArn", arn}, {"VersionId", (*policy)["Policy"]["DefaultVersionId"].text}});
  const Result<Xml> answer = co_await iam.query(std::move(version));
  if (!answer) co_return std::unexpected(answer.error());
  co_return decoded((*answer)["PolicyVersion"]["Document"].text);
}

Task<Result<void>> create_policy(Client& iam, std::string name, std::string document) {
  Call call = iam_call("CreatePolicy", name,
                       {{"PolicyName", name}, {"PolicyDocument", std::move(document)}});
  return done(iam, std::move(call));
}

Task<Result<void>> change_policy(Client& iam, std::string arn, std::string document) {
  Call call = iam_call(
      "CreatePolicyVersion", arn,
      {{"PolicyArn", arn}, {"PolicyDocument", std::move(document)}, {"SetAsDefault", "true"}});
  return done(iam, std::move(call));
}

Task<Result<std::string>> role_trust(Client& iam, std::string name) {
  Call call = iam_call("GetRole", name, {{"RoleName", name}});
  const Result<Xml> answer = co_await iam.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return decoded((*answer)["Role"]["AssumeRolePolicyDocument"].text);
}

Task<Result<void>> create_role(Client& iam, std::string name, std::string trust) {
  Call call = iam_call("CreateRole", name,
                       {{"RoleName", name}, {"AssumeRolePolicyDocument", std::move(trust)}});
  return done(iam, std::move(call));
}

Task<Result<void>> change_role_trust(Client& iam, std::string name, std::string trust) {
  Call call = iam_call("UpdateAssumeRolePolicy", name,
                       {{"RoleName", name}, {"PolicyDocument", std::move(trust)}});
  return done(iam, std::move(call));
}

Task<Result<std::vector<std::string>>> policies_of_role(Client& iam, std::string name) {
  std::vector<std::string> arns;
  std::string marker;
  do {
    Form form{{"RoleName", name}};
    if (!marker.empty()) form.emplace_back("Marker", marker);
    Call call = iam_call("ListAttachedRolePolicies", name, std::move(form));
    const Result<Xml> answer = co_await iam.query(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    for (const Xml* each : (*answer)["AttachedPolicies"].members()) {
      arns.push_back((*each)["PolicyArn"].text);
    }
    marker = (*answer)["Marker"].text;
  } while (!marker.empty());
  co_return arns;
}

Task<Result<void>> attach_policy(Client& iam, std::string role, std::string policy_arn) {
  Call call = iam_call("AttachRolePolicy", role,
                       {{"RoleName", role}, {"PolicyArn", std::move(policy_arn)}});
  return done(iam, std::move(call));
}

}  // namespace spotkeeper::aws
