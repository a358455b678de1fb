// SPDX-License-Identifier: Apache-2.0
// Between the emulated cluster and what effects/ and the core know, without HTTP. Refusals take the
// same way as real answers: a Status in JSON, read by kube::api_error.
#pragma once

#include <boost/json/fwd.hpp>

#include "kube/objects.h"
#include "kube/workloads.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

kube::Pod to_kube(const world::Pod& pod);
// Whether a pod's change shows in its record, but for the version.
bool shows_in_record(const world::Event& event);
world::Selector to_world(const LabelSelector& selector);
kube::Node to_kube(const world::Node& node);
kube::Budget to_kube(const world::Budget& budget);
kube::Deployment to_kube(const world::Deployment& deployment);

// `what` is "evict pods/eviction ns/name", as in kube/api.h.
Error to_error(const std::string& what, const world::Refusal& refusal);

// Labels and annotations of a merge patch, done to an object.
void apply_metadata(world::Meta& meta, const boost::json::object& metadata);

// What effects::mark_patch or undo_patch writes, done to the node.
world::Answer<world::Ptr<world::Node>> apply_mark(world::World& world, const std::string& node,
                                                  const boost::json::value& patch);

}  // namespace spotkeeper::laboratory
