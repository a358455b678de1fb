// SPDX-License-Identifier: Apache-2.0
// Credentials of a role that is assumed with a token of another identity provider: IAM roles for
// service accounts (IRSA). The token's file is read at each fetch: the kubelet rotates it. Owned by
// a CredentialCache; the HTTP client and the clock must outlive it.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
#pragma once

#include <optional>
#include <string>

#include "aws/client.h"
#include "aws/credential_cache.h"
#include "aws/endpoint.h"
#include "base/result.h"

namespace spotkeeper::aws {

struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name;
};

// From AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and, if set, AWS_ROLE_SESSION_NAME; nullopt: there
// is no token file. One without a role is an Error (kPermanent).
Result<std::optional<WebIdentity>> web_identity(const Environment& environment);

class WebIdentityCredentials final : public CredentialFetcher {
 public:
  // `options` say where STS is.
  WebIdentityCredentials(http::Client& http, const Clock& clock, ClientOptions options,
                         WebIdentity identity);
  Task<Result<Credentials>> fetch() override;

 private:
  const WebIdentity identity_;
  FixedCredentials none_{{}};  // its calls are not signed
  Client sts_;
};

// The credentials in <AssumeRoleWithWebIdentityResult>. Pure.
Result<Credentials> decode_assumed_role(const Xml& result, const std::string& source);

}  // namespace spotkeeper::aws
