// SPDX-License-Identifier: Apache-2.0
#include "template/literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

// The text without underscores, or none when one does not stand between digits (or after a prefix).
std::optional<std::string> without_underscores(std::string_view text, bool prefixed) {
  std::string digits;
  char before = prefixed ? '0' : '\0';
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    const bool next = i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1]));
    if (c != '_') {
      digits += c;
    } else if (!std::isxdigit(static_cast<unsigned char>(before)) || !next) {
      return std::nullopt;
    }
    before = c;
  }
  return digits;
}

struct Escaped {
  std::string_view rest;
  std::string& out;
  char quote;
  bool bad = false;

  std::optional<char32_t> digits(size_t count, int base) {
    if (rest.size() < count) return std::nullopt;
    const std::string piece(rest.substr(0, count));
    const char* const last = piece.data() + count;
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(piece.data(), last, value, base);
    if (error != std::errc() || end != last) return std::nullopt;
    rest.remove_prefix(count);
    return value;
  }

  // After the backslash.
  bool escape() {
    if (rest.empty()) return false;
    const char c = rest.front();
    constexpr std::string_view kNames = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    if (const size_t which = kNames.find(c); which != std::string_view::npos) {
      out += kMeanings[which];
      rest.remove_prefix(1);
      return true;
    }
    if (c == quote) {
      out += c;
      rest.remove_prefix(1);
      return true;
    }
    const bool octal = c >= '0' && c <= '7';
    if (!octal) rest.remove_prefix(1);
    if (octal || c == 'x') {
      const auto byte = octal ? digits(3, 8) : digits(2, 16);
      if (!byte || *byte > 0xFF) return false;
      if (quote == '\'') {
        append_rune(out, *byte);
      } else {
        out += static_cast<char>(*byte);
      }
      return true;
    }
    if (c != 'u' && c != 'U') return false;
    const auto rune = digits(c == 'u' ? 4 : 8, 16);
    if (!rune || *rune > 0x10FFFF || (*rune >= 0xD800 && *rune <= 0xDFFF)) return false;
    append_rune(out, *rune);
    return true;
  }
};

std::optional<std::string> unquoted(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  std::string out;
  Escaped state{.rest = text.substr(1, text.size() - 2), .out = out, .quote = text.front()};
  while (!state.rest.empty()) {
    const char c = state.rest.front();
    state.rest.remove_prefix(1);
    if (c == state.quote || c == '\n') return std::nullopt;
    if (c != '\\') {
      out += c;
    } else if (!state.escape()) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<int64_t> parse_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text.front() == '0') {
    const char kind = static_cast<char>(std::tolower(static_cast<unsigned char>(text[1])));
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  const auto digits = without_underscores(text, base != 10);
  if (!digits || digits->empty()) return std::nullopt;
  uint64_t value = 0;
  const char* const last = digits->data() + digits->size();
  const auto [end, error] = std::from_chars(digits->data(), last, value, base);
  const uint64_t most = negative ? 1UL << 63 : INT64_MAX;
  if (error != std::errc() || end != last || value > most) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - value : value);
}

std::optional<double> parse_float(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  const auto digits = without_underscores(text, hex);
  const auto starts_number = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) || c == '.';
  };
  if (!digits || digits->empty() || !starts_number(digits->front())) return std::nullopt;
  if (hex && digits->find_first_of("pP") == std::string::npos) return std::nullopt;
  double value = 0;
  const char* const last = digits->data() + digits->size();
  const auto [end, error] = std::from_chars(
      digits->data(), last, value, hex ? std::chars_format::hex : std::chars_format::general);
  if (error != std::errc() || end != last || !std::isfinite(value)) return std::nullopt;
  return negative ? -value : value;
}

std::optional<Number> number_literal(std::string_view text) {
  if (const auto whole = parse_int(text)) {
    return Number{.value = Value::number(*whole), .whole = true, .as_int = *whole};
  }
  const bool has_mark = text.find_first_of(".eEpP") != std::string_view::npos;
  const auto real = parse_float(text);
  if (!real || !has_mark) return std::nullopt;
  Number number{.value = Value::real(*real)};
  if (std::abs(*real) < 0x1p62 && std::trunc(*real) == *real) {
    number.whole = true;
    number.as_int = static_cast<int64_t>(*real);
  }
  return number;
}

std::optional<int64_t> char_literal(std::string_view text) {
  const auto inner = unquoted(text);
  if (!inner || inner->empty()) return std::nullopt;
  const Rune rune = rune_at(*inner, 0);
  if (rune.width != inner->size()) return std::nullopt;
  return rune.value;
}

std::optional<std::string> string_literal(std::string_view text) {
  if (!text.starts_with('`')) return unquoted(text);
  std::string out(text.substr(1, text.size() - 2));
  std::erase(out, '\r');
  return out;
}

}  // namespace spotkeeper::tmpl
