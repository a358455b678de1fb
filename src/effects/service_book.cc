// SPDX-License-Identifier: Apache-2.0
#include "effects/service_book.h"

#include <algorithm>

namespace spotkeeper::effects {
namespace {

core::ServiceId id_of(const kube::EndpointSlice& slice) {
  return core::ServiceId(slice.ns + "/" + slice.service);
}

}  // namespace

ServiceBook::Observations ServiceBook::slice_changed(const kube::EndpointSlice& slice) {
  if (slice.service.empty()) return {};
  const core::ServiceId id = id_of(slice);
  Entry& entry = services_[id];
  const bool here = std::binary_search(slice.nodes.begin(), slice.nodes.end(), node_);
  Slice& known = entry.slices[slice.uid];
  known = Slice{.ready = slice.ready, .here = here};
  for (const auto& [node, ready] : slice.ready_on) {
    if (node != node_) known.elsewhere += ready;
  }
  return settle(id, entry);
}

ServiceBook::Observations ServiceBook::slice_gone(const kube::EndpointSlice& slice) {
  const core::ServiceId id = id_of(slice);
  const auto found = services_.find(id);
  if (found == services_.end()) return {};
  found->second.slices.erase(slice.uid);
  Observations out = settle(id, found->second);
  if (found->second.slices.empty() && !found->second.was_here) services_.erase(found);
  return out;
}

ServiceBook::Observations ServiceBook::everything() const {
  Observations out;
  for (const auto& [id, entry] : services_) {
    if (entry.was_here) out.emplace_back(core::ServiceSeen{.service = sum(id, entry)});
  }
  return out;
}

ServiceBook::Observations ServiceBook::local(std::set<core::ServiceId> ids) {
  local_ = std::move(ids);
  Observations out;
  for (const core::ServiceId& id : local_) {
    const auto found = services_.find(id);
    if (found == services_.end()) continue;
    for (core::Observation& seen : settle(id, found->second)) out.push_back(std::move(seen));
  }
  return out;
}

core::Service ServiceBook::sum(const core::ServiceId& id, const Entry& entry) const {
  core::Service service{.id = id};
  int elsewhere = 0;
  for (const auto& [uid, slice] : entry.slices) {
    service.ready += slice.ready;
    service.here = service.here || slice.here;
    elsewhere += slice.elsewhere;
  }
  service.only_here = service.here && elsewhere == 0 && local_.contains(id);
  return service;
}

ServiceBook::Observations ServiceBook::settle(const core::ServiceId& id, Entry& entry) {
  const core::Service now = sum(id, entry);
  const bool first = now.here && !entry.was_here;
  entry.was_here = entry.was_here || now.here;
  if (!entry.was_here || (!first && now == entry.told)) return {};
  entry.told = now;
  return {core::ServiceSeen{.service = now}};
}

}  // namespace spotkeeper::effects
