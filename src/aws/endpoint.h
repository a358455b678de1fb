// SPDX-License-Identifier: Apache-2.0
// Where a service of a region is reached: partition, host name, FIPS and dual-stack variants, and
// custom endpoints. Pure but for the environment, which comes as a function.
// Sources: docs.aws.amazon.com/general/latest/gr/rande.html; the SDKs' reference guide, "Service-
// specific endpoints" and "Dual-stack and FIPS endpoints"; partitions.json of the SDKs.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "aws/service.h"
#include "base/result.h"

namespace spotkeeper::aws {

// A variable's value; nullopt when it is not set. An empty value counts as not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

struct Partition {
  const char* name;               // "aws-cn"
  const char* suffix;             // "amazonaws.com.cn"
  const char* dual_stack_suffix;  // "api.amazonwebservices.com.cn"
};

// By the region's prefix; a region that is not known is of partition aws.
const Partition& partition_of(const std::string& region);

struct EndpointOptions {
  bool fips = false;                             // AWS_USE_FIPS_ENDPOINT
  bool dual_stack = false;                       // AWS_USE_DUALSTACK_ENDPOINT
  std::string url;                               // AWS_ENDPOINT_URL: of every service
  std::map<std::string, std::string> urls_of{};  // AWS_ENDPOINT_URL_<id>, by Service::id; wins
};

// Error (kPermanent): a value that is neither true nor false, or no http(s) URL.
Result<EndpointOptions> endpoint_options(const Environment& environment);

// AWS_REGION, else AWS_DEFAULT_REGION; nullopt: ask IMDS. Error (kPermanent): not a region's name.
Result<std::optional<std::string>> region_of(const Environment& environment);

// Whether it can be one: it becomes part of a host name.
bool is_region(const std::string& text);

// The region in which IAM, which is one for all regions of a partition, is called. Of a partition
// whose IAM is not known here: the region itself.
// Source: docs.aws.amazon.com/general/latest/gr/iam-service.html
std::string global_region_of(const std::string& region);

// "https://ecs.eu-west-1.amazonaws.com", without a slash at its end.
std::string endpoint_url(const Service& service, const std::string& region,
                         const EndpointOptions& options);

}  // namespace spotkeeper::aws
