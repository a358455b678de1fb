// SPDX-License-Identifier: Apache-2.0
// What IMDS says about the end of a Spot instance, as values. Pure.
// Source:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::aws {

enum class SpotActionKind {
  kTerminate,
  kStop,
  kHibernate,  // begins at once: its notice does not come two minutes ahead
  kOther,      // a word that AWS did not have when this was written; the host goes all the same
};

struct SpotAction {
  SpotActionKind kind = SpotActionKind::kTerminate;
  std::string action;  // the word as given
  Time time{};         // when; may lie in the past
};

// The body of /latest/meta-data/spot/instance-action. An Error (kPermanent) names what is wrong.
Result<SpotAction> parse_instance_action(const std::string& body);

// The body of the older /latest/meta-data/spot/termination-time; nullopt when it is not a time,
// which AWS allows.
std::optional<Time> parse_termination_time(const std::string& body);

}  // namespace spotkeeper::aws
