// SPDX-License-Identifier: Apache-2.0
#include "emulator/selectors.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace spotkeeper::emulator {
namespace {

using Op = Requirement::Op;

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

// At commas that stand outside of parentheses.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      parts.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')') {
      --depth;
    }
  }
  return parts;
}

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

std::optional<int64_t> to_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "key in (a, b)" and "key notin (a)".
std::optional<Requirement> parse_set(std::string_view text) {
  const size_t space = text.find_first_of(" \t");
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view key = text.substr(0, space);
  std::string_view rest = trim(text.substr(space));
  Requirement requirement{.key = std::string(key), .op = Op::kIn, .values = {}};
  if (rest.starts_with("notin")) {
    requirement.op = Op::kNotIn;
    rest.remove_prefix(5);
  } else if (rest.starts_with("in")) {
    rest.remove_prefix(2);
  } else {
    return std::nullopt;
  }
  rest = trim(rest);
  if (!is_key(key) || !rest.starts_with("(") || !rest.ends_with(")")) return std::nullopt;
  rest = rest.substr(1, rest.size() - 2);
  for (const std::string_view value : split(rest)) requirement.values.emplace_back(value);
  return requirement;
}

std::optional<Requirement> parse_comparison(std::string_view text) {
  struct Sign {
    std::string_view text;
    Op op;
  };
  static constexpr Sign kSigns[] = {
      {"!=", Op::kNotIn}, {"==", Op::kIn}, {"=", Op::kIn}, {">", Op::kGreater}, {"<", Op::kLess}};
  for (const auto& [sign, op] : kSigns) {
    const size_t at = text.find(sign);
    if (at == std::string_view::npos) continue;
    const std::string_view key = trim(text.substr(0, at));
    const std::string_view value = trim(text.substr(at + sign.size()));
    if (!is_key(key) || (!value.empty() && !is_key(value))) return std::nullopt;
    const bool ordered = op == Op::kGreater || op == Op::kLess;
    if (ordered && !to_number(value)) return std::nullopt;
    return Requirement{.key = std::string(key), .op = op, .values = {std::string(value)}};
  }
  return std::nullopt;
}

std::optional<Requirement> parse_label_requirement(std::string_view text) {
  if (auto set = parse_set(text)) return set;
  if (auto comparison = parse_comparison(text)) return comparison;
  if (is_key(text)) return Requirement{.key = std::string(text), .op = Op::kExists, .values = {}};
  if (text.starts_with('!') && is_key(trim(text.substr(1)))) {
    return Requirement{.key = std::string(trim(text.substr(1))), .op = Op::kAbsent, .values = {}};
  }
  return std::nullopt;
}

// Field selectors know "=", "==" and "!=", and values of any characters.
std::optional<Requirement> parse_field_requirement(std::string_view text) {
  for (const std::string_view sign : {"!=", "==", "="}) {
    const size_t at = text.find(sign);
    if (at == std::string_view::npos) continue;
    return Requirement{.key = std::string(trim(text.substr(0, at))),
                       .op = sign == "!=" ? Op::kNotIn : Op::kIn,
                       .values = {std::string(trim(text.substr(at + sign.size())))}};
  }
  return std::nullopt;
}

std::string complain_of_label(std::string_view part) {
  // The real parser names the first word that it did not expect.
  const size_t space = part.find_first_of(" \t");
  const std::string_view word = space == std::string_view::npos ? part : trim(part.substr(space));
  return "unable to parse requirement: found '" + std::string(word) +
         "', expected: in, notin, =, ==, !=, gt, lt";
}

std::string complain_of_field(std::string_view part) {
  const std::string quoted = "'" + std::string(part) + "'";
  return "invalid selector: " + quoted + "; can't understand " + quoted;
}

template <class Parse, class Complain>
Result<Requirements> parse_all(std::string_view text, Parse parse, Complain complain) {
  Requirements requirements;
  if (trim(text).empty()) return requirements;
  for (const std::string_view part : split(text)) {
    if (part.empty()) continue;
    auto requirement = parse(part);
    if (!requirement) return permanent(complain(part));
    requirements.all.push_back(std::move(*requirement));
  }
  return requirements;
}

}  // namespace

bool Requirement::matches(const std::optional<std::string>& value) const {
  const auto among = [&] { return std::ranges::find(values, *value) != values.end(); };
  const auto number = value ? to_number(*value) : std::nullopt;
  switch (op) {
    case Op::kIn:
      return value && among();
    case Op::kNotIn:
      return !value || !among();
    case Op::kExists:
      return value.has_value();
    case Op::kAbsent:
      return !value.has_value();
    case Op::kGreater:
      return number && *number > to_number(values.at(0)).value_or(0);
    case Op::kLess:
      return number && *number < to_number(values.at(0)).value_or(0);
  }
  return false;
}

bool Requirements::match(const Lookup& lookup) const {
  return std::ranges::all_of(all, [&](const Requirement& r) { return r.matches(lookup(r.key)); });
}

Result<Requirements> parse_label_selector(std::string_view text) {
  return parse_all(text, parse_label_requirement, complain_of_label);
}

Result<Requirements> parse_field_selector(std::string_view text) {
  return parse_all(text, parse_field_requirement, complain_of_field);
}

}  // namespace spotkeeper::emulator
