// SPDX-License-Identifier: Apache-2.0
// The kinds of notice as people write them, in policy files and on command lines.
#pragma once

#include <string>
#include <vector>

namespace spotkeeper::config {

// "SpotInterruption", "RebalanceRecommendation" …: what core::parse_kind reads.
const std::vector<std::string>& notice_kinds();

}  // namespace spotkeeper::config
