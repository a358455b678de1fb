// SPDX-License-Identifier: Apache-2.0
#include "app/replacements.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "kube/list.h"

namespace spotkeeper::app {
namespace {

constexpr Seconds kSettled{10};

// Names of namespaces have no "/".
std::string namespace_of(const OwnedPods& owned) {
  return owned.name.substr(0, owned.name.find('/'));
}

Task<Result<std::vector<kube::Pod>>> list_pods(kube::Api& api, std::string ns, std::string node) {
  kube::Listing listing;
  listing.path = ns.empty() ? "/api/v1/pods" : "/api/v1/namespaces/" + ns + "/pods";
  if (!node.empty()) listing.field_selector = "spec.nodeName=" + node;
  listing.resource = "pods";
  co_return co_await kube::list_all<kube::Pod>(api, std::move(listing), kube::decode_pod);
}

}  // namespace

void count_pod(Owners& owners, const kube::Pod& pod) {
  if (!pod.owner || pod.mirror || pod.finished() || pod.deletion) return;
  const std::string& kind = pod.owner->kind;
  if (kind == "Job" || kind == "DaemonSet" || kind == "Node") return;
  OwnedPods& owned = owners[pod.owner->uid];
  if (owned.name.empty()) owned.name = fmt::format("{}/{}/{}", pod.ns, kind, pod.owner->name);
  ++(pod.ready ? owned.ready : owned.starting);
}

std::vector<std::string> Replacements::namespaces() const {
  std::set<std::string> namespaces;
  for (const auto& [uid, owned] : before_) namespaces.insert(namespace_of(owned));
  return {namespaces.begin(), namespaces.end()};
}

std::vector<std::string> Replacements::missing(const Owners& now_there, Time now) {
  std::vector<std::string> missing;
  for (const auto& [uid, before] : before_) {
    const auto found = now_there.find(uid);
    const OwnedPods there = found == now_there.end() ? OwnedPods{} : found->second;
    if (there.ready >= before.ready) {
      settled_since_.erase(uid);
      continue;
    }
    if (there.starting > 0) {
      settled_since_.erase(uid);
    } else if (now - settled_since_.try_emplace(uid, now).first->second >= kSettled) {
      continue;
    }
    missing.push_back(fmt::format("{}: {} of {} Ready", before.name, there.ready, before.ready));
  }
  return missing;
}

Task<Result<Owners>> owners_on(kube::Api& api, std::string node) {
  const auto here = co_await list_pods(api, "", std::move(node));
  if (!here) co_return std::unexpected(here.error());
  Owners on_it;
  for (const kube::Pod& pod : *here) count_pod(on_it, pod);
  auto all = co_await owners_in(api, Replacements(on_it).namespaces());
  if (all) std::erase_if(*all, [&](const auto& one) { return !on_it.contains(one.first); });
  co_return all;
}

Task<Result<Owners>> owners_in(kube::Api& api, std::vector<std::string> namespaces) {
  Owners owners;
  for (const std::string& ns : namespaces) {
    const auto pods = co_await list_pods(api, ns, "");
    if (!pods) co_return std::unexpected(pods.error());
    for (const kube::Pod& pod : *pods) count_pod(owners, pod);
  }
  co_return owners;
}

}  // namespace spotkeeper::app
