// SPDX-License-Identifier: Apache-2.0
// What a container instance says of the drain that has set it DRAINING: an attribute of ours, which
// holds the notice in short. DRAINING with it is ours, also after a restart; without it, it is
// somebody else's. It is written for a drain that may be taken back, before DRAINING, and deleted
// once the instance is ACTIVE again: on an ACTIVE one it says nothing. Pure.
// Source: ECS API reference, Attribute (1 to 128 characters; which ones).
#pragma once

#include <optional>
#include <string>

#include "aws/ecs.h"
#include "core/notice.h"

namespace spotkeeper::ecs {

inline constexpr const char* kDrainAttribute = "spotkeeper.drain";

// A drain that may be taken back. What hurries (an interruption) is never, and is not to wait for
// one more call.
bool is_recorded(const core::Notice& notice);

// "RebalanceRecommendation/2026-11-22T21:00:00Z/ID"; the middle is empty without a deadline. What
// ECS does not take of an id is "-", and what is too long is cut.
std::string record_of(const core::Notice& notice);

// Nothing where there is none, or none that is ours.
std::optional<core::Notice> recorded_notice(const aws::ContainerInstance& instance);

// Whether a drain for `notice` goes on with what that record tells of: a person's with a person's,
// the agent's with the agent's.
bool goes_on_with(const core::Notice& recorded, const core::Notice& notice);

}  // namespace spotkeeper::ecs
