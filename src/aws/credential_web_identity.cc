// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_web_identity.h"

#include <algorithm>
#include <utility>

#include "aws/credential_body.h"

namespace spotkeeper::aws {
namespace {

constexpr const char* kWhat = "web identity";

// As STS wants it: 2 to 64 of these.
bool is_session_name(const std::string& text) {
  return text.size() >= 2 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_=,.@-").find(c) != std::string_view::npos;
         });
}

}  // namespace

Result<std::optional<WebIdentity>> web_identity(const Environment& environment) {
  WebIdentity identity;
  identity.token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE").value_or("");
  if (identity.token_file.empty()) return std::nullopt;
  identity.role_arn = environment("AWS_ROLE_ARN").value_or("");
  if (!identity.role_arn.starts_with("arn:")) {
    return permanent("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is no ARN of a role");
  }
  identity.session_name = environment("AWS_ROLE_SESSION_NAME").value_or("spotkeeper");
  if (!is_session_name(identity.session_name)) {
    return permanent("AWS_ROLE_SESSION_NAME: not 2 to 64 letters, digits and _=,.@-");
  }
  return identity;
}

Result<Credentials> decode_assumed_role(const Xml& result, const std::string& source) {
  const Xml& given = result["Credentials"];
  Credentials credentials{.access_key_id = given["AccessKeyId"].text,
                          .secret_access_key = Secret(given["SecretAccessKey"].text),
                          .session_token = Secret(given["SessionToken"].text),
                          .expires = std::nullopt,
                          .source = source};
  if (!is_token(credentials.access_key_id)) return permanent("the answer has no AccessKeyId");
  if (!is_token(credentials.secret_access_key.reveal())) {
    return permanent("the answer has no SecretAccessKey");
  }
  if (!is_token(credentials.session_token.reveal())) {
    return permanent("the answer has no SessionToken");
  }
  Time expires{};
  if (!parse_time(given["Expiration"].text, expires)) {
    return permanent("the answer's Expiration is no time");
  }
  credentials.expires = expires;
  return credentials;
}

WebIdentityCredentials::WebIdentityCredentials(http::Client& http, const Clock& clock,
                                               ClientOptions options, WebIdentity identity)
    : identity_(std::move(identity)), sts_(http, none_, clock, std::move(options)) {}

Task<Result<Credentials>> WebIdentityCredentials::fetch() {
  Result<Secret> token = read_token_file(identity_.token_file);
  if (!token) co_return std::unexpected(token.error().within(kWhat));
  Call call{.service = &kSts,
            .action = "AssumeRoleWithWebIdentity",
            .object = identity_.role_arn,
            .is_signed = false};
  call.form = {{"RoleArn", identity_.role_arn}, {"RoleSessionName", identity_.session_name}};
  call.secret_form.emplace_back("WebIdentityToken", std::move(*token));
  const Result<Xml> answer = co_await sts_.query(std::move(call));
  if (!answer) co_return std::unexpected(answer.error().within(kWhat));
  Result<Credentials> credentials = decode_assumed_role(*answer, kWhat);
  if (!credentials) co_return std::unexpected(credentials.error().within(kWhat));
  co_return credentials;
}

}  // namespace spotkeeper::aws
