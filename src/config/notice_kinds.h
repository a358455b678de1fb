// SPDX-License-Identifier: Apache-2.0
// The kinds of notice as people write them, in policy files and on command lines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/notice.h"

namespace spotkeeper::config {

// "SpotInterruption", "RebalanceRecommendation" …: as core::to_string says them.
const std::vector<std::string>& notice_kinds();

// Nothing for any other word.
std::optional<core::NoticeKind> notice_kind_of(const std::string& word);

}  // namespace spotkeeper::config
