// SPDX-License-Identifier: Apache-2.0
#include "app/aws_access.h"

#include <utility>

#include "aws/endpoint.h"

namespace spotkeeper::app {
namespace {

http::ClientOptions link_local() {
  http::ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

}  // namespace

AwsAccess::AwsAccess(const boost::asio::any_io_executor& executor)
    : http_(executor, {}), local_(executor, link_local()) {}

Result<std::unique_ptr<AwsAccess>> AwsAccess::make(const boost::asio::any_io_executor& executor,
                                                   const Clock& clock, std::string region,
                                                   const std::string&) {
  const aws::Environment environment = aws::process_environment();
  auto endpoints = aws::endpoint_options(environment);
  if (!endpoints) return std::unexpected(endpoints.error());
  std::unique_ptr<AwsAccess> access(new AwsAccess(executor));
  access->credentials_ = std::make_unique<aws::FixedCredentials>(aws::Credentials{
      .access_key_id = environment("AWS_ACCESS_KEY_ID").value_or(""),
      .secret_access_key = Secret(environment("AWS_SECRET_ACCESS_KEY").value_or("")),
      .session_token = Secret(environment("AWS_SESSION_TOKEN").value_or("")),
      .expires = std::nullopt,
      .source = "environment"});
  aws::ClientOptions options{.region = std::move(region), .endpoints = std::move(*endpoints)};
  access->client_ = std::make_unique<aws::Client>(access->http_, *access->credentials_, clock,
                                                  std::move(options));
  return access;
}

std::string region_of_arn(const std::string& arn) {
  if (!arn.starts_with("arn:")) return {};
  size_t begin = 0;
  for (int colon = 0; colon < 3; ++colon) {
    begin = arn.find(':', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  const size_t end = arn.find(':', begin);
  return end == std::string::npos ? std::string() : arn.substr(begin, end - begin);
}

}  // namespace spotkeeper::app
