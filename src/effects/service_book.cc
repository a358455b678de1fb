// SPDX-License-Identifier: Apache-2.0
#include "effects/service_book.h"

#include <algorithm>

namespace spotkeeper::effects {

core::ServiceId id_of(const kube::EndpointSlice& slice) {
  return core::ServiceId(slice.ns + "/" + slice.service);
}

void ServiceShelf::put(const kube::EndpointSlice& slice) {
  if (!slice.service.empty()) services_[id_of(slice)][slice.uid] = slice;
}

void ServiceShelf::erase(const kube::EndpointSlice& slice) {
  const auto found = services_.find(id_of(slice));
  if (found == services_.end()) return;
  found->second.erase(slice.uid);
  if (found->second.empty()) services_.erase(found);
}

core::Service ServiceShelf::on(const core::ServiceId& id, const std::string& node) const {
  core::Service service{.id = id};
  const auto found = services_.find(id);
  if (found == services_.end()) return service;
  int elsewhere = 0;
  for (const auto& [uid, slice] : found->second) {
    service.ready += slice.ready;
    service.here = service.here || std::ranges::binary_search(slice.nodes, node);
    for (const auto& [where, ready] : slice.ready_on) {
      if (where != node) elsewhere += ready;
    }
  }
  service.only_here = service.here && elsewhere == 0 && local_.contains(id);
  return service;
}

std::vector<core::ServiceId> ServiceShelf::all() const {
  std::vector<core::ServiceId> ids;
  ids.reserve(services_.size());
  for (const auto& [id, slices] : services_) ids.push_back(id);
  return ids;
}

ServiceBook::Observations ServiceBook::changed(const core::ServiceId& id) {
  const core::Service now = shelf_->on(id, node_);
  const auto found = told_.find(id);
  if (found == told_.end() ? !now.here : now == found->second) return {};
  told_[id] = now;
  return {core::ServiceSeen{.service = now}};
}

ServiceBook::Observations ServiceBook::all_changed() {
  Observations out;
  for (const core::ServiceId& id : shelf_->all()) {
    for (core::Observation& seen : changed(id)) out.push_back(std::move(seen));
  }
  return out;
}

ServiceBook::Observations ServiceBook::everything() const {
  Observations out;
  for (const auto& [id, service] : told_) out.emplace_back(core::ServiceSeen{.service = service});
  return out;
}

}  // namespace spotkeeper::effects
