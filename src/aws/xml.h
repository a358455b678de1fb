// SPDX-License-Identifier: Apache-2.0
// The XML that query services answer with, as a small tree of elements and their text: attributes,
// comments and name spaces are dropped. Pure; read by libexpat.
//
// Failures: kPermanent for what is not well-formed, has a document type (which may define
// entities), is nested deeper than kDeepest or has more than kMost elements.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spotkeeper::aws {

struct Xml {
  std::string name;  // without its prefix
  std::string text;  // that stands in it directly, white space at both ends cut off
  std::vector<Xml> children;

  // The first child of that name; an empty element when there is none, so that lookups chain.
  const Xml& operator[](std::string_view child) const;

  // Its children named "member", which is how query services write lists; EC2 says "item".
  std::vector<const Xml*> members(std::string_view name_of_each = "member") const;

  static constexpr size_t kDeepest = 32;
  static constexpr size_t kMost = 100'000;
};

// Elements named `dropped`, with all that is in them, are left out and not counted.
Result<Xml> parse_xml(std::string_view text, std::string_view dropped = {});

}  // namespace spotkeeper::aws
