// SPDX-License-Identifier: Apache-2.0
// Ids of events that bring none of their own, as NTH makes them: a prefix and the hex SHA-256 of
// what they say.
#pragma once

#include <string>

#include "core/notice.h"

namespace spotkeeper::sources {

core::NoticeId event_id(const std::string& prefix, const std::string& says);

}  // namespace spotkeeper::sources
