// SPDX-License-Identifier: Apache-2.0
// Which objects a LIST or a WATCH is about: a namespace, labels, fields. Pure.
#pragma once

#include <string>

#include "emulator/query.h"
#include "emulator/selectors.h"
#include "emulator/status.h"
#include "world/objects.h"

namespace spotkeeper::emulator {

struct Filter {
  std::string ns;    // empty: all
  std::string name;  // of a single-object watch; empty: all
  Requirements labels;
  Requirements fields;

  bool everything() const { return labels.empty() && fields.empty(); }
  bool matches(const world::Object& object) const;
  bool matches(const json::object& object) const;  // one that is merely kept
};

// 400 when a selector cannot be read, or names a field that the resource does not select by.
Outcome<Filter> parse_filter(const Query& query, const Resource& resource);

}  // namespace spotkeeper::emulator
