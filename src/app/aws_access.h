// SPDX-License-Identifier: Apache-2.0
// Our way to AWS in one region: HTTP, credentials, a client. By the environment, as AWS's own
// tools read it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "aws/client.h"
#include "aws/credentials.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace spotkeeper::app {

class AwsAccess {
 public:
  // What must outlive it: the clock. Error: the environment says something that cannot be.
  static Result<std::unique_ptr<AwsAccess>> make(const boost::asio::any_io_executor& executor,
                                                 const Clock& clock, std::string region,
                                                 const std::string& metadata_url);

  aws::Client& client() { return *client_; }

 private:
  AwsAccess(const boost::asio::any_io_executor& executor);

  http::Client http_;
  http::Client local_;  // link-local addresses: credentials
  std::unique_ptr<aws::CredentialSource> credentials_;
  std::unique_ptr<aws::Client> client_;
};

// "eu-west-1" of "arn:aws:ecs:eu-west-1:…"; empty when it is none.
std::string region_of_arn(const std::string& arn);

}  // namespace spotkeeper::app
