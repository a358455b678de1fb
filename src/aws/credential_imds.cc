// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_imds.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "aws/credential_body.h"

namespace spotkeeper::aws {
namespace {

constexpr const char* kWhat = "instance role";
constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";
constexpr const char* kRegion = "/latest/meta-data/placement/region";

// As IAM allows it; it becomes part of a path.
bool is_role_name(const std::string& text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos;
  });
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

Task<Result<Credentials>> ImdsCredentials::fetch() {
  const auto listed = co_await imds_.get(kRoles);
  if (!listed) co_return std::unexpected(listed.error().within(kWhat));
  const std::string role = first_line(listed->value_or(""));
  if (role.empty()) {
    co_return permanent("instance role: the instance has none: attach an instance profile to it");
  }
  if (!is_role_name(role)) co_return permanent("instance role: IMDS names none that can be one");
  const auto body = co_await imds_.get(kRoles + role);
  if (!body) co_return std::unexpected(body.error().within(kWhat));
  if (!*body) co_return retryable("instance role: IMDS has no credentials of " + role);
  Result<Credentials> credentials = decode_credential_body(**body, kWhat);
  if (!credentials) co_return std::unexpected(credentials.error().within("instance role " + role));
  co_return credentials;
}

bool imds_allowed(const Environment& environment) {
  std::string text = environment("AWS_EC2_METADATA_DISABLED").value_or("");
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text != "true";
}

Task<Result<std::string>> find_region(Environment environment, ImdsClient& imds) {
  const Result<std::optional<std::string>> given = region_of(environment);
  if (!given) co_return std::unexpected(given.error());
  if (*given) co_return **given;
  if (!imds_allowed(environment)) co_return permanent("no AWS region: set AWS_REGION");
  const auto answer = co_await imds.get(kRegion);
  if (!answer) co_return std::unexpected(answer.error().within("AWS region (or set AWS_REGION)"));
  std::string region = first_line(answer->value_or(""));
  if (!is_region(region)) co_return permanent("no AWS region: IMDS names none, set AWS_REGION");
  co_return region;
}

}  // namespace spotkeeper::aws
