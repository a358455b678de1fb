// SPDX-License-Identifier: Apache-2.0
// Values as Go's fmt package writes them: print, and printf with its verbs, flags, widths and its
// way of complaining within the text ("%!d(string=x)"). Pure; stops writing when the budget is
// spent.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "template/limits.h"
#include "template/value.h"

namespace spotkeeper::tmpl {

class Format {
 public:
  Format(std::string& out, Budget& budget) : out_(out), budget_(budget) {}

  // As %v.
  void print(const Value& value);
  // As Sprint: a space between two operands of which neither is a text.
  void print_all(std::span<const Value> values);
  // As Sprintln: a space between all, and a line break.
  void print_line(std::span<const Value> values);
  void printf(std::string_view format, std::span<const Value> args);

 private:
  struct Flags {
    bool plus = false, names = false, minus = false, sharp = false, space = false, zero = false;
    bool has_width = false, has_precision = false;
    size_t width = 0, precision = 0;
  };
  class Scan;

  void verb(char32_t verb, const Value& value);
  void value(char32_t verb, const Value& value, bool inner);
  void bad_verb(char32_t verb, const Value& value);
  void integer(char32_t verb, const Value& value);
  void based(int64_t number, unsigned base, bool upper, std::string_view prefix);
  void real(char32_t verb, const Value& value);
  void text(char32_t verb, std::string_view text, const Value& whole);
  void hex(std::string_view text, bool upper);
  void quoted(std::string_view text);
  void append(std::string_view text);
  void pad(std::string_view text);
  void pad_number(std::string digits, bool negative);

  std::string& out_;
  Budget& budget_;
  Flags flags_;
};

// strconv.Quote.
std::string quote(std::string_view text);
// strconv.FormatFloat with 'e', 'f' or 'g'; precision -1: as many digits as it takes.
std::string float_text(double value, char form, int precision);
// As time.Time prints itself: "2020-09-15 21:15:41 +0000 UTC".
std::string time_text(Time time);
// encoding/json: keys in order, RFC 3339 times. Empty: it cannot be written (infinity).
std::string json_text(const Value& value, bool escape_html, bool pretty, Budget& budget);

}  // namespace spotkeeper::tmpl
