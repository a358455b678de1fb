// SPDX-License-Identifier: Apache-2.0
// What literals are worth: Go's numbers, characters and strings. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "template/value.h"

namespace spotkeeper::tmpl {

struct Number {
  Value value;         // int or float, as it is written
  bool whole = false;  // also fit where an integer is wanted
  int64_t as_int = 0;  // when whole
};

// "12", "-0x1F", "0b101", "0o17", "1_000", "1.5e3", "0x1p-2". None: no number, or beyond 64 bits.
std::optional<Number> number_literal(std::string_view text);
// With its quotes. None: a bad escape, or not one character.
std::optional<int64_t> char_literal(std::string_view text);
std::optional<std::string> string_literal(std::string_view text);

// As strconv.ParseInt with base 0: prefixes 0x, 0o, 0b, 0; underscores between digits.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<double> parse_float(std::string_view text);

}  // namespace spotkeeper::tmpl
