// SPDX-License-Identifier: Apache-2.0
// Our way to AWS in one region: HTTP, credentials, a client. By the environment, as AWS's own
// tools read it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "async/task_group.h"
#include "aws/client.h"
#include "aws/credentials.h"
#include "aws/imds.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace spotkeeper::app {

class AwsAccess {
 public:
  struct Way {
    int tries = 3;  // of each call; 1 where the caller tries again in its own time
    std::string metadata_url = "http://169.254.169.254";  // where the instance's role is had
    std::function<void(const std::string&)> warn;         // credentials could not be renewed yet
    std::string endpoint = {};  // of SQS, EC2 and Auto Scaling, instead of the environment's
  };

  // What must outlive it: the group and the clock; the group's tasks end before it does. Error: the
  // environment says something that cannot be.
  static Result<std::unique_ptr<AwsAccess>> make(TaskGroup& tasks, const Clock& clock,
                                                 std::string region, Way way);

  aws::Client& client() { return *client_; }

  // For ever. A host may wait for its notice for months, and then there is no time to fetch
  // credentials: they are asked for often enough to be renewed ahead of their end.
  Task<> keep_fresh();

  // For people: where our credentials come from.
  const std::string& credentials_from() const { return credentials_from_; }

 private:
  AwsAccess(TaskGroup& tasks, const Clock& clock, const std::string& metadata_url);

  http::Client http_;
  http::Client local_;  // link-local addresses: credentials
  aws::ImdsClient imds_;
  std::string credentials_from_;
  std::unique_ptr<aws::CredentialSource> credentials_;
  std::unique_ptr<aws::Client> client_;
};

// "eu-west-1" of "arn:aws:ecs:eu-west-1:…"; empty when it is none.
std::string region_of_arn(const std::string& arn);

}  // namespace spotkeeper::app
