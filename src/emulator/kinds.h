// SPDX-License-Identifier: Apache-2.0
// From a Kind that is known at run time to its C++ type.
#pragma once

#include <cassert>
#include <utility>

#include "world/objects.h"

namespace spotkeeper::emulator {

// Calls `use.operator()<T>()` with the type of that kind.
template <class Use>
auto with_kind(world::Kind kind, Use&& use) {
  using world::Kind;
  switch (kind) {
    case Kind::kNamespace:
      return use.template operator()<world::Namespace>();
    case Kind::kNode:
      return use.template operator()<world::Node>();
    case Kind::kPod:
      return use.template operator()<world::Pod>();
    case Kind::kReplicaSet:
      return use.template operator()<world::ReplicaSet>();
    case Kind::kDeployment:
      return use.template operator()<world::Deployment>();
    case Kind::kStatefulSet:
      return use.template operator()<world::StatefulSet>();
    case Kind::kDaemonSet:
      return use.template operator()<world::DaemonSet>();
    case Kind::kJob:
      return use.template operator()<world::Job>();
    case Kind::kBudget:
      return use.template operator()<world::Budget>();
    case Kind::kService:
      return use.template operator()<world::Service>();
    case Kind::kEndpointSlice:
      break;
  }
  assert(kind == Kind::kEndpointSlice);
  return use.template operator()<world::EndpointSlice>();
}

}  // namespace spotkeeper::emulator
