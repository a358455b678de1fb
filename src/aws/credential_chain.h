// SPDX-License-Identifier: Apache-2.0
// Where credentials come from, in botocore's order: keys in the environment, web identity (IRSA),
// the container's (ECS, EKS Pod Identity), the instance's role. The first that is configured is
// taken, and its failure is not made good by a later one: another role than the one that was meant
// would be worse. Profiles, SSO and credential processes come later, between the first two.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "async/task_group.h"
#include "aws/client.h"
#include "aws/credential_cache.h"
#include "aws/credential_container.h"
#include "aws/credential_web_identity.h"
#include "aws/endpoint.h"
#include "aws/imds.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace spotkeeper::aws {

struct InstanceRole {};
using CredentialChoice = std::variant<Credentials, WebIdentity, ContainerSource, InstanceRole>;

// Error (kPermanent): what is configured is not whole, or there is nothing. Pure but for the
// environment.
Result<CredentialChoice> choose_credentials(const Environment& environment);

// What a source needs; all must outlive it, and the group's tasks must end before it does.
struct CredentialParts {
  http::Client& http;
  ImdsClient& imds;  // of the credentials alone
  const Clock& clock;
  TaskGroup& tasks;
  ClientOptions sts;  // where STS is: region and endpoints
  Warn warn;
};

std::unique_ptr<CredentialSource> make_credentials(CredentialChoice choice, CredentialParts parts);

// For people: "web identity as arn:aws:iam::1:role/x". No secret.
std::string describe(const CredentialChoice& choice);

}  // namespace spotkeeper::aws
