// SPDX-License-Identifier: Apache-2.0
// From EndpointSlices to the Services that are, or were, on one node: how many Ready endpoints each
// has anywhere. Pure bookkeeping. Services that never were on the node are kept quiet about. The
// slices themselves are on a shelf that all hosts that go share.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

core::ServiceId id_of(const kube::EndpointSlice& slice);

class ServiceShelf {
 public:
  using Slices = std::map<std::string, kube::EndpointSlice>;  // by uid

  void put(const kube::EndpointSlice& slice);
  void erase(const kube::EndpointSlice& slice);

  // Services of which a load balancer sends only to nodes that have their endpoints.
  void local(std::set<core::ServiceId> ids) { local_ = std::move(ids); }

  core::Service on(const core::ServiceId& id, const std::string& node) const;
  std::vector<core::ServiceId> all() const;

 private:
  std::map<core::ServiceId, Slices> services_;
  std::set<core::ServiceId> local_;
};

class ServiceBook {
 public:
  using Observations = std::vector<core::Observation>;

  ServiceBook(std::string node, std::shared_ptr<const ServiceShelf> shelf)
      : node_(std::move(node)), shelf_(std::move(shelf)) {}

  // The shelf shows another state of the Service than before.
  Observations changed(const core::ServiceId& id);
  // … or of any.
  Observations all_changed();

  // All that is known now, for a drain that begins later.
  Observations everything() const;

 private:
  std::string node_;
  std::shared_ptr<const ServiceShelf> shelf_;
  std::map<core::ServiceId, core::Service> told_;  // those that are, or were, here
};

}  // namespace spotkeeper::effects
