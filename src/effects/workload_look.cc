// SPDX-License-Identifier: Apache-2.0
#include "effects/workload_look.h"

#include <utility>

#include "async/timing.h"
#include "kube/list.h"

namespace spotkeeper::effects {
namespace {

constexpr int kTries = 3;
constexpr Millis kBetweenTries{300};

template <class T>
Task<Result<std::vector<T>>> read_all(kube::Api& api, kube::Listing listing,
                                      Result<T> (*decode)(const boost::json::value&)) {
  listing.urgent = true;
  for (int left = kTries;; --left) {
    Result<std::vector<T>> all = co_await kube::list_all<T>(api, listing, decode);
    const bool again = !all && all.error().kind == ErrorKind::kRetryable && left > 1;
    if (!again) co_return all;
    co_await sleep_for(kBetweenTries);
  }
}

}  // namespace

std::string unread(const Error& error, const std::string& what) {
  return what + (error.kind == ErrorKind::kDenied ? " may not be read" : " could not be read");
}

Task<std::set<std::string>> read_shared_claims(kube::Api& api, std::string ns) {
  const auto all = co_await read_all<kube::Claim>(
      api, kube::listing_in(ns, "/api/v1", "persistentvolumeclaims"), kube::decode_claim);
  std::set<std::string> shared;
  if (!all) co_return shared;
  for (const kube::Claim& claim : *all) {
    if (claim.shared) shared.insert(claim.name);
  }
  co_return shared;
}

Task<std::string> read_hash_selectors(kube::Api& api, std::string ns) {
  const auto services = co_await read_all<kube::Service>(
      api, kube::listing_in(ns, "/api/v1", "services"), kube::decode_service);
  if (!services) co_return unread(services.error(), "its namespace's Services");
  const auto policies = co_await read_all<kube::NetworkPolicy>(
      api, kube::listing_in(ns, "/apis/networking.k8s.io/v1", "networkpolicies"),
      kube::decode_network_policy);
  if (!policies) co_return unread(policies.error(), "its namespace's NetworkPolicies");
  for (const kube::Service& each : *services) {
    if (each.by_hash) co_return "Service " + each.name + " selects by pod-template-hash";
  }
  for (const kube::NetworkPolicy& each : *policies) {
    if (each.by_hash) co_return "NetworkPolicy " + each.name + " selects by pod-template-hash";
  }
  co_return std::string();
}

Task<WorkloadLook> look_at_workloads(kube::Api& api, std::vector<kube::Pod> pods) {
  WorkloadLook look;
  const Surroundings around = surroundings_of(pods);
  WorkloadBook book([](const std::string&) { return true; });
  book.marks_known();  // nothing is counted here
  book.wanted(around.groups);
  for (const auto& [ns, space] : around.spaces) {
    const auto all = co_await read_all<kube::Deployment>(
        api, kube::listing_in(ns, "/apis/apps/v1", "deployments"), kube::decode_deployment);
    if (!all) {
      look.unread = all.error();
      look.groups.emplace_back(core::GroupsUnread{.why = unread(all.error(), "its Deployment")});
      continue;
    }
    for (const kube::Deployment& deployment : *all) book.deployment_changed(deployment);
    std::set<std::string>& shared = look.shared_claims[ns];
    if (space.claims) shared = co_await read_shared_claims(api, ns);
    book.looked_at(ns, co_await read_hash_selectors(api, ns));
  }
  for (core::Observation& group : book.everything()) look.groups.push_back(std::move(group));
  co_return look;
}

}  // namespace spotkeeper::effects
