// SPDX-License-Identifier: Apache-2.0
// Policies and roles, for who sets them up, and who we are. The Client of IAM's calls is of
// global_region_of(); it must outlive the call. Errors as in aws/client.h; what does not exist is
// kGone.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/, …/STS/latest/APIReference/
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"

namespace spotkeeper::aws {

// The account that our credentials are of (STS GetCallerIdentity, which needs no right).
Task<Result<std::string>> own_account(Client& client);

// The document that is in force.
Task<Result<std::string>> policy_document(Client& iam, std::string arn);
Task<Result<void>> create_policy(Client& iam, std::string name, std::string document);
// A new version, in force; of five that there may be the oldest has to be deleted by a person.
Task<Result<void>> change_policy(Client& iam, std::string arn, std::string document);

// Who may take the role.
Task<Result<std::string>> role_trust(Client& iam, std::string name);
Task<Result<void>> create_role(Client& iam, std::string name, std::string trust);
Task<Result<void>> change_role_trust(Client& iam, std::string name, std::string trust);
// ARNs of the managed policies that it has.
Task<Result<std::vector<std::string>>> policies_of_role(Client& iam, std::string name);
Task<Result<void>> attach_policy(Client& iam, std::string role, std::string policy_arn);

}  // namespace spotkeeper::aws
