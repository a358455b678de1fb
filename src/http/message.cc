// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace spotkeeper::http {
namespace {

constexpr Seconds kLongestPause = std::chrono::hours(1);

// ASCII only, and blind to the process's locale, as header names are.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

const char* to_string(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPut:
      return "PUT";
    case Method::kPost:
      return "POST";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (std::ranges::equal(header.name, name, {}, lower, lower)) return &header.value;
  }
  return nullptr;
}

std::optional<Time> date_of(const Headers& headers) {
  const std::string* text = find_header(headers, "Date");
  Time time{};
  if (text == nullptr || !parse_http_date(*text, time)) return std::nullopt;
  return time;
}

std::optional<Millis> retry_after(const Headers& headers) {
  const std::string* text = find_header(headers, "Retry-After");
  if (text == nullptr) return std::nullopt;
  int64_t seconds = 0;
  const char* last = text->data() + text->size();
  const auto [end, failed] = std::from_chars(text->data(), last, seconds);
  if (end == last && failed == std::errc::result_out_of_range && text->front() != '-') {
    return kLongestPause;
  }
  if (end == last && failed == std::errc() && seconds >= 0) {
    return Seconds(std::min(seconds, kLongestPause.count()));
  }
  Time until{};
  const std::optional<Time> now = date_of(headers);
  if (!now || !parse_http_date(*text, until)) return std::nullopt;
  return std::clamp<Millis>(until - *now, Millis(0), kLongestPause);
}

}  // namespace spotkeeper::http
