// SPDX-License-Identifier: Apache-2.0
// The functions a template may call: Go's own, and sprig's that work on texts, numbers, lists and
// times. None reads anything but its arguments and the moment of the render. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/limits.h"
#include "template/value.h"

namespace spotkeeper::tmpl {

struct Call {
  std::span<const Value> args;
  Budget& budget;
  Time now;
};

// A value, or what is wrong with the arguments.
using Made = std::expected<Value, std::string>;

// Types of the arguments, a letter each: s text, i int, b bool, t time, m map, a any. A '*' at the
// end: the last one any number of times, or not at all.
struct Signature {
  std::string_view name;
  std::string_view types;
  Made (*run)(const Call& call);  // nullptr: `and`, `or`, whose arguments are evaluated one by one

  bool takes(size_t args) const;
  char type(size_t arg) const;
  // "2 arguments", "1 argument or more".
  std::string wants() const;
};

// nullptr: there is none.
const Signature* find_function(std::string_view name);
// What .StartTime.NAME calls; the time is its first argument.
const Signature* find_time_method(std::string_view name);
// Why there is none, and what to use: "is not supported (…)", "is not known (…)".
std::string why_no_function(std::string_view name);
std::string why_no_time_method(std::string_view name);

// What is wrong with a format for printf that could never be rendered here; empty: nothing.
std::string wrong_format(std::string_view format);

// The same for any literal argument of a function.
std::string wrong_literal(const Signature& function, size_t arg, const Value& literal);

inline constexpr const char* kOnlyUtc = "the only time zone is \"UTC\"";
bool is_utc(std::string_view zone);

// The tables of the files functions_*.cc.
std::span<const Signature> builtin_functions();
std::span<const Signature> text_functions();
std::span<const Signature> list_functions();
std::span<const Signature> number_functions();
std::span<const Signature> time_functions();
std::span<const Signature> time_methods();

// For them. As sprig's strval: a text itself, anything else as %v; charged to the budget.
std::string as_text(const Value& value, Budget& budget);
// As spf13/cast: texts are parsed, floats cut, true is 1; 0 for the rest.
int64_t as_int(const Value& value);
double as_float(const Value& value);
// Its items as texts without the nils; a plain value is a list of itself.
std::vector<std::string> as_texts(const Value& value, Budget& budget);

}  // namespace spotkeeper::tmpl
