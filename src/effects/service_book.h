// SPDX-License-Identifier: Apache-2.0
// From EndpointSlices to the Services that are, or were, on one node: how many Ready endpoints each
// has anywhere. Pure bookkeeping. Services that never were on the node are kept quiet about.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

class ServiceBook {
 public:
  using Observations = std::vector<core::Observation>;

  explicit ServiceBook(std::string node) : node_(std::move(node)) {}

  Observations slice_changed(const kube::EndpointSlice& slice);
  Observations slice_gone(const kube::EndpointSlice& slice);

  // Services of which a load balancer sends only to nodes that have their endpoints.
  Observations local(std::set<core::ServiceId> ids);

  // All that is known now, for a drain that begins later.
  Observations everything() const;

 private:
  struct Slice {
    int ready = 0;
    bool here = false;
    int elsewhere = 0;  // Ready on other nodes
  };
  struct Entry {
    std::map<std::string, Slice> slices;  // by uid
    bool was_here = false;
    core::Service told;
  };
  core::Service sum(const core::ServiceId& id, const Entry& entry) const;
  Observations settle(const core::ServiceId& id, Entry& entry);

  std::string node_;
  std::set<core::ServiceId> local_;
  std::map<core::ServiceId, Entry> services_;
};

}  // namespace spotkeeper::effects
