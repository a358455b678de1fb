// SPDX-License-Identifier: Apache-2.0
#include "config/kube_names.h"

#include <algorithm>
#include <cstddef>

namespace spotkeeper::config {
namespace {

constexpr size_t kLongestName = 63;
constexpr size_t kLongestPrefix = 253;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_dns(char c) {
  return is_lower(c) || is_digit(c);
}
bool is_alphanumeric(char c) {
  return is_dns(c) || is_upper(c);
}

// Begins and ends with `end`, has `end` and `inner` between.
template <class End>
bool is_made_of(std::string_view text, End end, std::string_view inner) {
  return !text.empty() && end(text.front()) && end(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return end(c) || inner.find(c) != inner.npos; });
}

}  // namespace

bool is_namespace_pattern(std::string_view text) {
  const bool open = text.ends_with('*');
  if (open) text.remove_suffix(1);
  if (text.size() > kLongestName) return false;
  if (!open) return is_made_of(text, is_dns, "-");
  if (text.empty()) return true;
  return is_dns(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_dns(c) || c == '-'; });
}

bool is_kind(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_upper(text.front()) &&
         std::ranges::all_of(text, is_alphanumeric);
}

bool is_label_key(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(0, slash);
    if (prefix.size() > kLongestPrefix || !is_made_of(prefix, is_dns, "-.")) return false;
    text.remove_prefix(slash + 1);
  }
  return !text.empty() && is_label_value(text);
}

bool is_label_value(std::string_view text) {
  return text.empty() || (text.size() <= kLongestName && is_made_of(text, is_alphanumeric, "-_."));
}

}  // namespace spotkeeper::config
