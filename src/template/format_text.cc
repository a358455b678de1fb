// SPDX-License-Identifier: Apache-2.0
// The parts of format.h that do not depend on flags: quoting, floats, JSON.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "template/format.h"
#include "template/time_layout.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

struct Digits {
  std::string digits;  // without a point
  int exponent = 0;    // of the first digit
};

// The fewest digits that are read back as the same number; the value is finite and not negative.
Digits shortest(double value) {
  char buffer[64];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  Digits made{.digits = std::string(text.substr(0, e))};
  std::erase(made.digits, '.');
  const size_t digits = e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(buffer + digits, end, made.exponent);
  return made;
}

std::string scientific(const Digits& of) {
  const std::string rest = of.digits.substr(1);
  return fmt::format("{}{}{}e{}{:02}", of.digits[0], rest.empty() ? "" : ".", rest,
                     of.exponent < 0 ? '-' : '+', std::abs(of.exponent));
}

std::string positional(const Digits& of) {
  const auto size = static_cast<int>(of.digits.size());
  if (of.exponent < 0)
    return "0." + std::string(static_cast<size_t>(-of.exponent - 1), '0') + of.digits;
  if (of.exponent >= size - 1)
    return of.digits + std::string(static_cast<size_t>(of.exponent - size + 1), '0');
  std::string text = of.digits;
  return text.insert(static_cast<size_t>(of.exponent) + 1, ".");
}

std::string precise(double value, char form, int precision) {
  std::string buffer(static_cast<size_t>(precision) + 400, '\0');
  const auto chars = form == 'e'   ? std::chars_format::scientific
                     : form == 'f' ? std::chars_format::fixed
                                   : std::chars_format::general;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, chars, precision);
  buffer.resize(error == std::errc() ? static_cast<size_t>(end - buffer.data()) : 0);
  return buffer;
}

class Json {
 public:
  Json(bool html, bool pretty, Budget& budget) : html_(html), pretty_(pretty), budget_(budget) {}

  std::string write(const Value& value) {
    any(value);
    return broken_ ? "" : std::move(out_);
  }

 private:
  void add(std::string_view text) {
    if (budget_.spend(text.size())) {
      out_ += text;
    } else {
      broken_ = true;
    }
  }
  void line() {
    if (!pretty_) return;
    add("\n");
    for (size_t i = 0; i < depth_; i++) add("  ");
  }

  void any(const Value& value) {
    if (broken_ || !budget_.spend(Budget::kElement)) {
      broken_ = true;
      return;
    }
    switch (value.kind()) {
      case Kind::kMissing:
      case Kind::kNil:
        return add("null");
      case Kind::kBool:
        return add(value.boolean() ? "true" : "false");
      case Kind::kInt:
        return add(std::to_string(value.number()));
      case Kind::kFloat:
        return real(value.real());
      case Kind::kText:
        return text(value.text());
      case Kind::kTime:
        return text(format_layout(value.time(), "2006-01-02T15:04:05.999999999Z07:00"));
      case Kind::kList:
        return group('[', ']', value.list(), [&](const Value& item) { any(item); });
      case Kind::kMap:
        return group('{', '}', value.map(),
                     [&](const auto& entry) { member(entry.first, entry.second); });
      case Kind::kRecord:
        return group('{', '}', value.fields(),
                     [&](const auto& entry) { member(entry.first, entry.second); });
    }
  }

  template <class Items, class Each>
  void group(char open, char close, const Items& items, const Each& each) {
    add({&open, 1});
    depth_++;
    bool first = true;
    for (const auto& item : items) {
      if (broken_) return;
      if (!std::exchange(first, false)) add(",");
      line();
      each(item);
    }
    depth_--;
    if (!first) line();
    add({&close, 1});
  }

  void member(const std::string& key, const Value& value) {
    text(key);
    add(pretty_ ? ": " : ":");
    any(value);
  }

  void real(double value) {
    if (!std::isfinite(value)) {
      broken_ = true;
      return;
    }
    const double size = std::abs(value);
    const bool small_or_large = size != 0 && (size < 1e-6 || size >= 1e21);
    std::string digits = float_text(value, small_or_large ? 'e' : 'f', -1);
    const size_t e = digits.find("e-0");
    if (e != std::string::npos) digits.erase(e + 2, 1);
    add(digits);
  }

  void text(std::string_view text) {
    if (!budget_.spend(text.size() * 2)) {
      broken_ = true;
      return;
    }
    std::string out = "\"";
    for (size_t at = 0; at < text.size();) {
      const Rune rune = rune_at(text, at);
      const std::string_view bytes = text.substr(at, rune.width);
      at += rune.width;
      constexpr std::string_view kNamed = "\"\\\n\r\t\b\f";
      constexpr std::string_view kNames = "\"\\nrtbf";
      const bool ascii = rune.value < 0x80;
      const size_t named =
          ascii ? kNamed.find(static_cast<char>(rune.value)) : std::string_view::npos;
      const bool html = html_ && (rune.value == '<' || rune.value == '>' || rune.value == '&');
      const bool bad = rune.value == kBadRune && rune.width == 1;
      if (named != std::string_view::npos) {
        out += '\\';
        out += kNames[named];
      } else if (rune.value < ' ' || html || bad || rune.value == 0x2028 || rune.value == 0x2029) {
        out += fmt::format("\\u{:04x}", static_cast<uint32_t>(rune.value));
      } else {
        out += bytes;
      }
    }
    add(out + "\"");
  }

  bool html_;
  bool pretty_;
  Budget& budget_;
  size_t depth_ = 0;
  bool broken_ = false;
  std::string out_;
};

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    const auto value = static_cast<uint32_t>(rune.value);
    constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view kNames = "abfnrtv\\\"";
    const size_t named =
        value < 0x80 ? kNamed.find(static_cast<char>(value)) : std::string_view::npos;
    if (named != std::string_view::npos) {
      out += '\\';
      out += kNames[named];
    } else if (rune.value == kBadRune && rune.width == 1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (is_print(rune.value)) {
      append_rune(out, rune.value);
    } else if (value < ' ' || value == 0x7F) {
      out += fmt::format("\\x{:02x}", value);
    } else {
      out += value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
    }
    at += rune.width;
  }
  return out + "\"";
}

std::string float_text(double value, char form, int precision) {
  if (std::isnan(value)) return "NaN";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return (sign.empty() ? "+" : "-") + std::string("Inf");
  value = std::abs(value);
  if (precision >= 0)
    return sign + precise(value, form, form == 'g' ? std::max(precision, 1) : precision);
  const Digits digits = shortest(value);
  if (form == 'e') return sign + scientific(digits);
  if (form == 'f') return sign + positional(digits);
  const bool far = digits.exponent < -4 || digits.exponent >= 6;
  return sign + (far ? scientific(digits) : positional(digits));
}

std::string time_text(Time time) {
  return format_layout(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string json_text(const Value& value, bool escape_html, bool pretty, Budget& budget) {
  return Json(escape_html, pretty, budget).write(value);
}

}  // namespace spotkeeper::tmpl
