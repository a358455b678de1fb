// SPDX-License-Identifier: Apache-2.0
// Credentials of the role of the instance we run on, from its metadata. Owned by a CredentialCache;
// the ImdsClient must outlive it, and should be its own: a poller reads the time of its last
// answer. Source:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
#pragma once

#include "aws/credential_cache.h"
#include "aws/endpoint.h"
#include "aws/imds.h"

namespace spotkeeper::aws {

class ImdsCredentials final : public CredentialFetcher {
 public:
  explicit ImdsCredentials(ImdsClient& imds) : imds_(imds) {}

  // An instance without a role is an Error (kPermanent).
  Task<Result<Credentials>> fetch() override;

 private:
  ImdsClient& imds_;
};

// Whether the metadata service may be asked: not where AWS_EC2_METADATA_DISABLED is true.
bool imds_allowed(const Environment& environment);

// The region of the environment, else the instance's. Error (kPermanent) where there is neither, or
// none that is a region's name.
Task<Result<std::string>> find_region(Environment environment, ImdsClient& imds);

}  // namespace spotkeeper::aws
