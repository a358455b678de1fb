// SPDX-License-Identifier: Apache-2.0
#include "app/aws_access.h"

#include <utility>
#include <variant>

#include "async/timing.h"
#include "aws/credential_chain.h"
#include "aws/endpoint.h"

namespace spotkeeper::app {
namespace {

http::ClientOptions link_local() {
  http::ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

constexpr Millis kLookAtCredentials = std::chrono::minutes(4);

}  // namespace

AwsAccess::AwsAccess(TaskGroup& tasks, const Clock& clock, const std::string& metadata_url)
    : http_(tasks.executor(), {}),
      local_(tasks.executor(), link_local()),
      imds_(local_, {.base_url = metadata_url}, clock) {}

Result<std::unique_ptr<AwsAccess>> AwsAccess::make(TaskGroup& tasks, const Clock& clock,
                                                   std::string region, Way way) {
  const aws::Environment environment = aws::process_environment();
  auto endpoints = aws::endpoint_options(environment);
  if (!endpoints) return std::unexpected(endpoints.error());
  auto choice = aws::choose_credentials(environment);
  if (!choice) return std::unexpected(choice.error());
  if (!way.endpoint.empty()) {
    for (const aws::Service* service : {&aws::kSqs, &aws::kEc2, &aws::kAutoScaling}) {
      endpoints->urls_of[service->id] = way.endpoint;
    }
  }
  std::unique_ptr<AwsAccess> access(new AwsAccess(tasks, clock, way.metadata_url));
  access->credentials_from_ = aws::describe(*choice);
  aws::ClientOptions options{
      .region = std::move(region), .endpoints = std::move(*endpoints), .tries = way.tries};
  const bool link_local_only = !std::holds_alternative<aws::WebIdentity>(*choice);
  aws::CredentialParts parts{.http = link_local_only ? access->local_ : access->http_,
                             .imds = access->imds_,
                             .clock = clock,
                             .tasks = tasks,
                             .sts = options,
                             .warn = std::move(way.warn)};
  access->credentials_ = aws::make_credentials(std::move(*choice), std::move(parts));
  access->client_ = std::make_unique<aws::Client>(access->http_, *access->credentials_, clock,
                                                  std::move(options));
  return access;
}

Task<> AwsAccess::keep_fresh() {
  for (;;) {
    co_await sleep_for(kLookAtCredentials);
    // A failure was told of by the cache, or is by the call that needs them.
    [[maybe_unused]] const Result<aws::Credentials> there = co_await credentials_->get();
  }
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
