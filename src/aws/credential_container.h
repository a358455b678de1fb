// SPDX-License-Identifier: Apache-2.0
// Credentials of the container we run in: ECS gives a path at 169.254.170.2, EKS Pod Identity a URL
// and a file with a token that proves who we are. The file is read at each fetch: it is rotated.
// Owned by a CredentialCache; the HTTP client must outlive it.
//
// Over plain HTTP only loopback addresses and those of ECS and EKS are asked: the token is theirs.
// Source: the AWS SDKs' reference guide, "Container credential provider".
#pragma once

#include <optional>
#include <string>

#include "aws/credential_cache.h"
#include "aws/endpoint.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/client.h"

namespace spotkeeper::aws {

struct ContainerSource {
  std::string url;         // its path is a secret of ECS: messages name the host only
  std::string token_file;  // wins over token; both may be empty
  Secret token;
};

// From AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else AWS_CONTAINER_CREDENTIALS_FULL_URI; nullopt:
// there is none. A URL that is not allowed is an Error (kPermanent).
Result<std::optional<ContainerSource>> container_source(const Environment& environment);

class ContainerCredentials final : public CredentialFetcher {
 public:
  ContainerCredentials(http::Client& http, ContainerSource source, Millis pause = Seconds(1));
  Task<Result<Credentials>> fetch() override;

 private:
  Task<Result<Credentials>> fetch_once(const Secret& token);

  http::Client& http_;
  const ContainerSource source_;
  const Millis pause_;  // between tries
};

}  // namespace spotkeeper::aws
