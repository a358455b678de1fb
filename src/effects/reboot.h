// SPDX-License-Identifier: Apache-2.0
// What a host finds on its Node when it starts: a mark from before it booted, so that what was
// announced has been; and what it is to say of itself. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "effects/mark.h"

namespace spotkeeper::effects {

struct Boot {
  Time now{};
  Seconds uptime{0};
  bool nth_labels = true;   // a mark of NTH's counts, by its labels
  bool nth_taints = false;  // … and its taints are removed with it
};

// The event that the node's mark is of, when the host has booted since it was placed (NTH's rule:
// the mark is at least as old as the uptime) and its time has come; else nothing. What a person
// asked for, and a recommendation, is not ended by a boot.
std::optional<core::NoticeId> event_before_boot(const kube::Node& node, const Boot& boot);

// The patch that takes such a mark back: only what was ours, or NTH's.
std::optional<boost::json::value> reboot_patch(const kube::Node& node, const Boot& boot);
std::string reboot_remark(const kube::Node& node, const Boot& boot);

// The patch that adds labels and taints that are not there; a taint of the key that is stays.
std::optional<boost::json::value> description_patch(const kube::Node& node, const Labels& labels,
                                                    const std::vector<kube::Taint>& taints);
std::string description_remark(const kube::Node& node, const Labels& labels,
                               const std::vector<kube::Taint>& taints);

}  // namespace spotkeeper::effects
