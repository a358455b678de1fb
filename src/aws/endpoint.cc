// SPDX-License-Identifier: Apache-2.0
#include "aws/endpoint.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace spotkeeper::aws {
namespace {

struct Prefix {
  const char* region;
  Partition partition;
};

// The first that fits; the last fits every region.
constexpr std::array<Prefix, 8> kPartitions{{
    {"cn-", {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"}},
    {"us-gov-", {"aws-us-gov", "amazonaws.com", "api.aws"}},
    {"us-iso-", {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"}},
    {"us-isob-", {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"}},
    {"eu-isoe-", {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"}},
    {"us-isof-", {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"}},
    {"eusc-", {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"}},
    {"", {"aws", "amazonaws.com", "api.aws"}},
}};

constexpr auto kServices = std::to_array<const Service*>(
    {&kEcs, &kElb, &kEventBridge, &kSns, &kIam, &kSts, &kAutoScaling, &kEc2, &kSqs});

struct GlobalHost {
  const char* partition;
  const char* region;  // in which its calls are signed
  const char* iam;
};
constexpr std::array<GlobalHost, 3> kGlobal{{
    {"aws", "us-east-1", "https://iam.amazonaws.com"},
    {"aws-cn", "cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn"},
    {"aws-us-gov", "us-gov-west-1", "https://iam.us-gov.amazonaws.com"},
}};

const GlobalHost* global_of(const std::string& region) {
  const std::string partition = partition_of(region).name;
  const auto* found = std::ranges::find_if(
      kGlobal, [&](const GlobalHost& each) { return partition == each.partition; });
  return found == kGlobal.end() ? nullptr : found;
}

std::string value_of(const Environment& environment, const std::string& name) {
  return environment(name).value_or("");
}

Result<bool> flag_of(const Environment& environment, const std::string& name) {
  std::string value = value_of(environment, name);
  std::ranges::transform(value, value.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (value.empty() || value == "false") return false;
  if (value == "true") return true;
  return permanent(name + "=" + value + ": neither true nor false");
}

Result<std::string> url_of(const Environment& environment, const std::string& name) {
  std::string url = value_of(environment, name);
  const bool absolute = url.starts_with("http://") || url.starts_with("https://");
  const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; });
  const size_t host = url.find("://");
  if (!url.empty() && (!absolute || !plain || url.size() <= host + 3 ||
                       url.find_first_of("?#@") != std::string::npos)) {
    // Not the value: it may hold a password.
    return permanent(name + ": not an http or https URL of a host and perhaps a path");
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

const Partition& partition_of(const std::string& region) {
  return std::ranges::find_if(kPartitions,
                              [&](const Prefix& each) { return region.starts_with(each.region); })
      ->partition;
}

Result<EndpointOptions> endpoint_options(const Environment& environment) {
  EndpointOptions options;
  const Result<bool> fips = flag_of(environment, "AWS_USE_FIPS_ENDPOINT");
  if (!fips) return std::unexpected(fips.error());
  const Result<bool> dual_stack = flag_of(environment, "AWS_USE_DUALSTACK_ENDPOINT");
  if (!dual_stack) return std::unexpected(dual_stack.error());
  const Result<bool> ignored = flag_of(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (!ignored) return std::unexpected(ignored.error());
  options.fips = *fips;
  options.dual_stack = *dual_stack;
  if (*ignored) return options;
  Result<std::string> url = url_of(environment, "AWS_ENDPOINT_URL");
  if (!url) return std::unexpected(url.error());
  options.url = std::move(*url);
  for (const Service* service : kServices) {
    Result<std::string> own = url_of(environment, std::string("AWS_ENDPOINT_URL_") + service->id);
    if (!own) return std::unexpected(own.error());
    if (!own->empty()) options.urls_of[service->id] = std::move(*own);
  }
  return options;
}

bool is_region(const std::string& text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Result<std::optional<std::string>> region_of(const Environment& environment) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    const std::string region = value_of(environment, name);
    if (region.empty()) continue;
    if (!is_region(region)) {
      return permanent(std::string(name) + ": not the name of a region, as eu-west-1 is one");
    }
    return region;
  }
  return std::nullopt;
}

std::string global_region_of(const std::string& region) {
  const GlobalHost* global = global_of(region);
  return global == nullptr ? region : global->region;
}

std::string endpoint_url(const Service& service, const std::string& region,
                         const EndpointOptions& options) {
  const auto own = options.urls_of.find(service.id);
  if (own != options.urls_of.end()) return own->second;
  if (!options.url.empty()) return options.url;
  const GlobalHost* global = global_of(region);
  if (std::string_view(service.id) == kIam.id && global != nullptr) return global->iam;
  const Partition& partition = partition_of(region);
  const bool plain =
      service.plain_in_gov && !options.dual_stack && std::string(partition.name) == "aws-us-gov";
  return std::string("https://") + service.prefix + (options.fips && !plain ? "-fips." : ".") +
         region + "." + (options.dual_stack ? partition.dual_stack_suffix : partition.suffix);
}

}  // namespace spotkeeper::aws
