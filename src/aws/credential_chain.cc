// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_chain.h"

#include <optional>
#include <utility>

#include "aws/credential_environment.h"
#include "aws/credential_imds.h"

namespace spotkeeper::aws {
namespace {

template <class... Handlers>
struct Match : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Result<CredentialChoice> choose_credentials(const Environment& environment) {
  Result<std::optional<Credentials>> keys = environment_credentials(environment);
  if (!keys) return std::unexpected(keys.error());
  if (*keys) return CredentialChoice(std::move(**keys));
  Result<std::optional<WebIdentity>> identity = web_identity(environment);
  if (!identity) return std::unexpected(identity.error());
  if (*identity) return CredentialChoice(std::move(**identity));
  Result<std::optional<ContainerSource>> container = container_source(environment);
  if (!container) return std::unexpected(container.error());
  if (*container) return CredentialChoice(std::move(**container));
  if (imds_allowed(environment)) return CredentialChoice(InstanceRole());
  return permanent(
      "no AWS credentials: neither keys nor a web identity nor a container's URL is in the "
      "environment, and AWS_EC2_METADATA_DISABLED is true");
}

std::unique_ptr<CredentialSource> make_credentials(CredentialChoice choice, CredentialParts parts) {
  if (auto* keys = std::get_if<Credentials>(&choice)) {
    return std::make_unique<FixedCredentials>(std::move(*keys));
  }
  std::unique_ptr<CredentialFetcher> fetcher;
  if (auto* identity = std::get_if<WebIdentity>(&choice)) {
    fetcher = std::make_unique<WebIdentityCredentials>(parts.http, parts.clock,
                                                       std::move(parts.sts), std::move(*identity));
  } else if (auto* container = std::get_if<ContainerSource>(&choice)) {
    fetcher = std::make_unique<ContainerCredentials>(parts.http, std::move(*container));
  } else {
    fetcher = std::make_unique<ImdsCredentials>(parts.imds);
  }
  const bool stable = std::holds_alternative<InstanceRole>(choice);
  return std::make_unique<CredentialCache>(parts.tasks, std::move(fetcher), parts.clock, stable,
                                           std::move(parts.warn));
}

std::string describe(const CredentialChoice& choice) {
  return std::visit(
      Match{[](const Credentials&) -> std::string { return "keys in the environment"; },
            [](const WebIdentity& of) -> std::string { return "web identity as " + of.role_arn; },
            [](const ContainerSource& of) -> std::string {
              const size_t begin = of.url.find("://") + 3;
              return "container, from " +
                     of.url.substr(begin, of.url.find_first_of("/?#", begin) - begin);
            },
            [](const InstanceRole&) -> std::string { return "instance role"; }},
      choice);
}

}  // namespace spotkeeper::aws
