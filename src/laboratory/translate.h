// SPDX-License-Identifier: Apache-2.0
// Between the emulated cluster and what effects/ and the core know, without HTTP. Refusals take the
// same way as real answers: a Status in JSON, read by kube::api_error.
#pragma once

#include <boost/json/fwd.hpp>

#include "kube/objects.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

kube::Pod to_kube(const world::Pod& pod);
kube::Node to_kube(const world::Node& node);
kube::Budget to_kube(const world::Budget& budget);

// `what` is "evict pods/eviction ns/name", as in kube/api.h.
Error to_error(const std::string& what, const world::Refusal& refusal);

// What effects::mark_patch writes, done to the node.
world::Answer<world::Ptr<world::Node>> apply_mark(world::World& world, const std::string& node,
                                                  const boost::json::value& patch);

}  // namespace spotkeeper::laboratory
