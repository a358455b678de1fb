// SPDX-License-Identifier: Apache-2.0
// sprig's functions on numbers. Integers wrap around at 64 bits, as Go's do.
#include <algorithm>
#include <cmath>
#include <functional>

#include "template/functions.h"
#include "template/literal.h"

namespace spotkeeper::tmpl {
namespace {

std::unexpected<std::string> wrong(std::string message) {
  return std::unexpected(std::move(message));
}

template <class Join>
Made folded(const Call& call, uint64_t start, size_t from, const Join& join) {
  for (const Value& value : call.args.subspan(from))
    start = join(start, static_cast<uint64_t>(as_int(value)));
  return Value::number(static_cast<int64_t>(start));
}

uint64_t bits(const Call& call, size_t arg) {
  return static_cast<uint64_t>(as_int(call.args[arg]));
}

Made add(const Call& call) {
  return folded(call, 0, 0, std::plus());
}
Made mul(const Call& call) {
  return folded(call, bits(call, 0), 1, std::multiplies());
}
Made sub(const Call& call) {
  return folded(call, bits(call, 0), 1, std::minus());
}
Made add1(const Call& call) {
  return folded(call, 1, 0, std::plus());
}

Made div(const Call& call) {
  const int64_t by = as_int(call.args[1]);
  if (by == 0) return wrong("division by zero");
  if (by == -1) return Value::number(static_cast<int64_t>(0 - bits(call, 0)));
  return Value::number(as_int(call.args[0]) / by);
}
Made mod(const Call& call) {
  const int64_t by = as_int(call.args[1]);
  if (by == 0) return wrong("division by zero");
  return Value::number(by == -1 ? 0 : as_int(call.args[0]) % by);
}

Made most(const Call& call) {
  int64_t found = as_int(call.args[0]);
  for (const Value& value : call.args) found = std::max(found, as_int(value));
  return Value::number(found);
}
Made least(const Call& call) {
  int64_t found = as_int(call.args[0]);
  for (const Value& value : call.args) found = std::min(found, as_int(value));
  return Value::number(found);
}

Made to_int(const Call& call) {
  return Value::number(as_int(call.args[0]));
}
// Decimal only: "0x10" is 0, "010" is 10.
Made atoi(const Call& call) {
  const std::string& text = call.args[0].text();
  const size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const size_t digits = std::min(text.find_first_not_of('0', sign), text.size());
  const bool plain =
      text.size() > sign && text.find_first_not_of("0123456789", sign) == std::string::npos;
  if (!plain) return Value::number(0);
  return Value::number(parse_int(text.substr(0, sign) + text.substr(digits)).value_or(0));
}
Made to_float(const Call& call) {
  return Value::real(as_float(call.args[0]));
}
Made floor(const Call& call) {
  return Value::real(std::floor(as_float(call.args[0])));
}
Made ceil(const Call& call) {
  return Value::real(std::ceil(as_float(call.args[0])));
}

Made until(const Call& call) {
  const int64_t end = call.args[0].number();
  const int64_t step = end < 0 ? -1 : 1;
  List items;
  for (int64_t i = 0; i != end; i += step) {
    if (!call.budget.spend(Budget::kElement)) break;
    items.push_back(Value::number(i));
  }
  return Value::list(std::move(items));
}

constexpr Signature kTable[] = {
    {"add", "a*", add},    {"sub", "aa", sub},   {"mul", "aa*", mul},    {"div", "aa", div},
    {"mod", "aa", mod},    {"add1", "a", add1},  {"max", "aa*", most},   {"biggest", "aa*", most},
    {"min", "aa*", least}, {"int", "a", to_int}, {"int64", "a", to_int}, {"float64", "a", to_float},
    {"floor", "a", floor}, {"ceil", "a", ceil},  {"until", "i", until},  {"atoi", "s", atoi},
};

}  // namespace

std::span<const Signature> number_functions() {
  return kTable;
}

}  // namespace spotkeeper::tmpl
