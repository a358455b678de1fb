// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/pattern.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace spotkeeper::bootstrap {
namespace {

namespace json = boost::json;

bool holds(const json::value& list, const json::value& wanted) {
  const json::array* all = list.if_array();
  return all == nullptr ? list == wanted : std::ranges::find(*all, wanted) != all->end();
}

// One way of matching: {"prefix": "stop"}.
bool fits(const json::object& way, const json::value& value) {
  const json::string* text = value.if_string();
  for (const auto& [operation, argument] : way) {
    const json::string* wanted = argument.if_string();
    if (operation == "exists") return argument.is_bool() && argument.get_bool();
    if (operation == "anything-but" && !argument.is_object()) return !holds(argument, value);
    if (text == nullptr || wanted == nullptr) return true;
    if (operation == "prefix") return text->starts_with(*wanted);
    if (operation == "suffix") return text->ends_with(*wanted);
    if (operation == "wildcard") return is_like(*text, *wanted);
  }
  return true;
}

bool any_fits(const json::array& ways, const json::value& value) {
  return std::ranges::any_of(ways, [&](const json::value& way) {
    const json::object* operation = way.if_object();
    return operation == nullptr ? way == value : fits(*operation, value);
  });
}

}  // namespace

bool lets_through(const json::value& pattern, const json::value& event) {
  const json::object* wanted = pattern.if_object();
  const json::object* said = event.if_object();
  if (wanted == nullptr || said == nullptr) return false;
  return std::ranges::all_of(*wanted, [&](const json::key_value_pair& each) {
    const json::value* value = said->if_contains(each.key());
    if (value == nullptr) return true;
    if (const json::array* ways = each.value().if_array()) return any_fits(*ways, *value);
    return lets_through(each.value(), *value);
  });
}

bool is_like(std::string_view text, std::string_view wildcard) {
  size_t star = std::string_view::npos;
  size_t from = 0;  // where the text goes on that the last star has not taken
  size_t t = 0;
  size_t w = 0;
  while (t < text.size()) {
    if (w < wildcard.size() && wildcard[w] == '*') {
      star = w++;
      from = t;
    } else if (w < wildcard.size() && (wildcard[w] == '?' || wildcard[w] == text[t])) {
      ++t;
      ++w;
    } else if (star != std::string_view::npos) {
      w = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return wildcard.find_first_not_of('*', w) == std::string_view::npos;
}

}  // namespace spotkeeper::bootstrap
