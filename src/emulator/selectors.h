// SPDX-License-Identifier: Apache-2.0
// labelSelector and fieldSelector, as they stand in a URL. Pure. A selector that cannot be read is
// an Error (kPermanent) in the API server's words.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spotkeeper::emulator {

// Looks a label or a field up; nullopt: the object has none of that name.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

struct Requirement {
  enum class Op { kIn, kNotIn, kExists, kAbsent, kGreater, kLess };
  std::string key;
  Op op = Op::kIn;
  std::vector<std::string> values;

  bool matches(const std::optional<std::string>& value) const;
};

struct Requirements {
  std::vector<Requirement> all;

  bool empty() const { return all.empty(); }
  bool match(const Lookup& lookup) const;
};

// "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1".
Result<Requirements> parse_label_selector(std::string_view text);

// "metadata.name=a,spec.nodeName!=b".
Result<Requirements> parse_field_selector(std::string_view text);

}  // namespace spotkeeper::emulator
