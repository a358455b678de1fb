// SPDX-License-Identifier: Apache-2.0
// Whether an EventBridge rule's pattern lets an event through. Pure.
// For a check that must not cry wolf: what the event does not say, and ways of matching that are
// not known here ("cidr", "$or"), are taken as let through.
// Source: EventBridge user guide, "Comparison operators".
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

namespace spotkeeper::bootstrap {

bool lets_through(const boost::json::value& pattern, const boost::json::value& event);

// "*" is any text, "?" any character.
bool is_like(std::string_view text, std::string_view wildcard);

}  // namespace spotkeeper::bootstrap
