// SPDX-License-Identifier: Apache-2.0
#include "template/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "template/utf8.h"

namespace spotkeeper::tmpl {

// ---- reading a format -------------------------------------------------------------------------

// Go's rules for a format: %[flags][width][.precision]verb, where a width or precision may be an
// argument (*), and [n] before either of them or the verb names the next argument.
class Format::Scan {
 public:
  Scan(Format& out, std::string_view format, std::span<const Value> args)
      : out_(out), format_(format), args_(args) {}

  void run() {
    while (at_ < format_.size() && !out_.budget_.spent()) {
      const size_t percent = std::min(format_.find('%', at_), format_.size());
      out_.append(format_.substr(at_, percent - at_));
      at_ = percent;
      if (at_ < format_.size()) directive();
    }
    if (!reordered_ && next_ < args_.size()) extra();
  }

 private:
  bool at(char c) const { return at_ < format_.size() && format_[at_] == c; }

  void directive() {
    at_++;
    out_.flags_ = {};
    good_index_ = true;
    flags();
    bool indexed = index();
    if (at('*')) {
      at_++;
      width_argument();
      indexed = false;
    } else if (number(out_.flags_.width)) {
      out_.flags_.has_width = true;
      if (indexed) good_index_ = false;
    }
    if (at('.') && at_ + 1 < format_.size()) {
      at_++;
      if (indexed) good_index_ = false;
      indexed = index();
      if (at('*')) {
        at_++;
        precision_argument();
        indexed = false;
      } else {
        number(out_.flags_.precision);
        out_.flags_.has_precision = true;
      }
    }
    if (!indexed) index();
    if (at_ >= format_.size()) return out_.append("%!(NOVERB)");
    const Rune verb = rune_at(format_, at_);
    at_ += verb.width;
    if (verb.value == '%') return out_.append("%");
    if (!good_index_) return complain(verb.value, "BADINDEX");
    if (next_ >= args_.size()) return complain(verb.value, "MISSING");
    out_.verb(verb.value, args_[next_++]);
  }

  void flags() {
    for (; at_ < format_.size(); at_++) {
      Flags& flags = out_.flags_;
      switch (format_[at_]) {
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case '#':
          flags.sharp = true;
          break;
        case ' ':
          flags.space = true;
          break;
        case '0':
          flags.zero = true;
          break;
        default:
          return;
      }
    }
  }

  bool number(size_t& out) {
    const size_t from = at_;
    size_t value = 0;
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
      value = std::min<size_t>(value * 10 + static_cast<size_t>(format_[at_] - '0'), kMostWidth);
      at_++;
    }
    if (at_ > from) out = value;
    return at_ > from;
  }

  // "[n]".
  bool index() {
    if (!at('[')) return false;
    reordered_ = true;
    const size_t close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_index_ = false;
      at_++;
      return false;
    }
    const size_t from = at_++;
    size_t which = 0;
    const bool read = number(which);
    const bool good = read && at_ == close && which >= 1 && which <= args_.size();
    at_ = close + 1;
    if (good) {
      next_ = which - 1;
    } else {
      good_index_ = false;
    }
    return good && from < close;
  }

  std::optional<int64_t> int_argument() {
    if (next_ >= args_.size()) return std::nullopt;
    const Value& value = args_[next_++];
    const auto most = static_cast<int64_t>(kMostWidth);
    if (!value.is(Kind::kInt) || value.number() > most || value.number() < -most)
      return std::nullopt;
    return value.number();
  }
  void width_argument() {
    const auto width = int_argument();
    if (!width) return out_.append("%!(BADWIDTH)");
    out_.flags_.has_width = true;
    out_.flags_.width = static_cast<size_t>(std::abs(*width));
    if (*width < 0) {
      out_.flags_.minus = true;
      out_.flags_.zero = false;
    }
  }
  void precision_argument() {
    const auto precision = int_argument();
    if (!precision || *precision < 0) {
      out_.append("%!(BADPREC)");
      return;
    }
    out_.flags_.has_precision = true;
    out_.flags_.precision = static_cast<size_t>(*precision);
  }

  void complain(char32_t verb, const char* what) {
    std::string text = "%!";
    append_rune(text, verb);
    out_.append(text + "(" + what + ")");
  }

  void extra() {
    out_.flags_ = {};
    out_.append("%!(EXTRA ");
    for (size_t i = next_; i < args_.size(); i++) {
      if (i > next_) out_.append(", ");
      if (args_[i].is_nil()) {
        out_.append("<nil>");
        continue;
      }
      out_.append(args_[i].type());
      out_.append("=");
      out_.value('v', args_[i], false);
    }
    out_.append(")");
  }

  Format& out_;
  std::string_view format_;
  std::span<const Value> args_;
  size_t at_ = 0;
  size_t next_ = 0;
  bool reordered_ = false;
  bool good_index_ = true;
};

void Format::printf(std::string_view format, std::span<const Value> args) {
  Scan(*this, format, args).run();
}

void Format::print(const Value& value) {
  flags_ = {};
  this->value('v', value, false);
}

void Format::print_all(std::span<const Value> values) {
  bool text_before = true;
  for (const Value& value : values) {
    const bool text = value.is(Kind::kText);
    if (!text && !text_before) append(" ");
    print(value);
    text_before = text;
  }
}

void Format::print_line(std::span<const Value> values) {
  for (size_t i = 0; i < values.size(); i++) {
    if (i > 0) append(" ");
    print(values[i]);
  }
  append("\n");
}

// ---- writing values ---------------------------------------------------------------------------

void Format::append(std::string_view text) {
  if (budget_.spend(text.size())) out_ += text;
}

void Format::pad(std::string_view text) {
  const size_t runes = flags_.has_width ? count_runes(text) : 0;
  if (!flags_.has_width || runes >= flags_.width) return append(text);
  const size_t missing = flags_.width - runes;
  if (flags_.minus) {
    append(text);
    append(std::string(missing, ' '));
  } else {
    append(std::string(missing, flags_.zero ? '0' : ' '));
    append(text);
  }
}

void Format::verb(char32_t verb, const Value& value) {
  // %+v asks for the names of a record's fields, not for signs.
  if (verb == 'v') flags_.names = std::exchange(flags_.plus, false);
  if (value.is_nil()) {
    if (verb == 'v') return pad("<nil>");
    return bad_verb(verb, value);
  }
  this->value(verb, value, false);
}

void Format::value(char32_t verb, const Value& value, bool inner) {
  if (!budget_.spend(Budget::kElement)) return;
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kNil:
      return inner ? append("<nil>") : pad("<nil>");
    case Kind::kBool:
      if (verb != 't' && verb != 'v') return bad_verb(verb, value);
      return pad(value.boolean() ? "true" : "false");
    case Kind::kInt:
      return integer(verb, value);
    case Kind::kFloat:
      return real(verb, value);
    case Kind::kText:
      return text(verb, value.text(), value);
    case Kind::kTime:
      return text(verb, time_text(value.time()), value);
    case Kind::kList: {
      append("[");
      bool first = true;
      for (const Value& item : value.list()) {
        if (!std::exchange(first, false)) append(" ");
        this->value(verb, item, true);
      }
      return append("]");
    }
    case Kind::kMap: {
      append("map[");
      bool first = true;
      for (const auto& [key, item] : value.map()) {
        if (!std::exchange(first, false)) append(" ");
        this->value(verb, Value::text(key), true);
        append(":");
        this->value(verb, item, true);
      }
      return append("]");
    }
    case Kind::kRecord: {
      append("{");
      bool first = true;
      for (const auto& [name, item] : value.fields()) {
        if (!std::exchange(first, false)) append(" ");
        if (flags_.names) append(name + ":");
        this->value(verb, item, true);
      }
      return append("}");
    }
  }
}

void Format::bad_verb(char32_t verb, const Value& value) {
  std::string text = "%!";
  append_rune(text, verb);
  append(text + "(");
  if (value.is_nil()) {
    append("<nil>");
  } else {
    append(value.type());
    append("=");
    this->value('v', value, false);
  }
  append(")");
}

void Format::pad_number(std::string digits, bool negative) {
  Flags& flags = flags_;
  const bool sign = negative || flags.plus || flags.space;
  size_t least = flags.has_precision ? flags.precision : 0;
  if (!flags.has_precision && flags.zero && !flags.minus && flags.has_width) {
    least = flags.width - (sign && flags.width > 0 ? 1 : 0);
  }
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  const char* mark = negative ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const bool zero = std::exchange(flags.zero, false);
  pad(mark + digits);
  flags.zero = zero;
}

void Format::based(int64_t number, unsigned base, bool upper, std::string_view prefix) {
  const bool negative = number < 0;
  uint64_t rest = negative ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  std::string digits;
  do {
    digits.insert(digits.begin(), (upper ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base]);
    rest /= base;
  } while (rest > 0);
  if (flags_.has_precision && flags_.precision == 0 && number == 0) {
    const bool zero = std::exchange(flags_.zero, false);
    pad("");
    flags_.zero = zero;
    return;
  }
  if (prefix.empty()) return pad_number(std::move(digits), negative);
  // Zeros come between the prefix and the digits.
  const size_t sign = negative || flags_.plus || flags_.space ? 1 : 0;
  size_t least = flags_.has_precision ? flags_.precision : 0;
  if (!flags_.has_precision && flags_.zero && !flags_.minus && flags_.has_width)
    least = flags_.width - std::min(flags_.width, sign);
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  if (prefix != "0" || digits.front() != '0') digits.insert(0, prefix);
  const Flags before = flags_;
  flags_.zero = false;
  flags_.has_precision = false;
  pad_number(std::move(digits), negative);
  flags_ = before;
}

void Format::integer(char32_t verb, const Value& value) {
  const int64_t number = value.number();
  const bool sharp = flags_.sharp;
  const bool rune = number >= 0 && number <= 0x10FFFF;
  switch (verb) {
    case 'v':
    case 'd':
      return based(number, 10, false, "");
    case 'b':
      return based(number, 2, false, sharp ? "0b" : "");
    case 'o':
      return based(number, 8, false, sharp ? "0" : "");
    case 'O':
      return based(number, 8, false, "0o");
    case 'x':
      return based(number, 16, false, sharp ? "0x" : "");
    case 'X':
      return based(number, 16, true, sharp ? "0X" : "");
    case 'c':
    case 'q': {
      std::string text;
      append_rune(text, rune ? static_cast<char32_t>(number) : kBadRune);
      if (verb == 'c') return pad(text);
      if (text == "'") return pad("'\\''");
      if (text == "\"") return pad("'\"'");
      std::string inner = quote(text);
      inner.front() = inner.back() = '\'';
      return pad(inner);
    }
    default:
      return bad_verb(verb, value);
  }
}

void Format::real(char32_t verb, const Value& value) {
  std::string digits;
  switch (verb) {
    case 'v':
    case 'g':
    case 'G':
      digits = float_text(value.real(), 'g',
                          flags_.has_precision ? static_cast<int>(flags_.precision) : -1);
      break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
      digits = float_text(value.real(), verb == 'e' || verb == 'E' ? 'e' : 'f',
                          flags_.has_precision ? static_cast<int>(flags_.precision) : 6);
      break;
    default:
      return bad_verb(verb, value);
  }
  if (verb == 'E' || verb == 'G') std::ranges::replace(digits, 'e', 'E');
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.erase(0, 1);
  const std::string mark = negative ? "-" : flags_.plus ? "+" : flags_.space ? " " : "";
  const bool finite = digits != "Inf" && digits != "NaN";
  const size_t size = mark.size() + digits.size();
  if (finite && flags_.zero && !flags_.minus && flags_.has_width && size < flags_.width) {
    return append(mark + std::string(flags_.width - size, '0') + digits);
  }
  const bool zero = std::exchange(flags_.zero, flags_.zero && finite);
  pad((digits == "Inf" && mark.empty() ? "+" : mark) + digits);
  flags_.zero = zero;
}

void Format::text(char32_t verb, std::string_view text, const Value& whole) {
  const auto cut = [&] {
    if (!flags_.has_precision) return text;
    size_t end = 0;
    for (size_t runes = 0; runes < flags_.precision && end < text.size(); runes++) {
      end += rune_at(text, end).width;
    }
    return text.substr(0, end);
  };
  switch (verb) {
    case 'v':
    case 's':
      return pad(cut());
    case 'q':
      return quoted(cut());
    case 'x':
    case 'X':
      return hex(text, verb == 'X');
    default:
      return bad_verb(verb, whole);
  }
}

void Format::hex(std::string_view text, bool upper) {
  if (flags_.has_precision) text = text.substr(0, flags_.precision);
  if (!budget_.spend(text.size() * 5)) return;
  const std::string prefix = flags_.sharp ? (upper ? "0X" : "0x") : "";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.empty() || flags_.space) out += (out.empty() ? "" : " ") + prefix;
    out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  pad(out);
}

void Format::quoted(std::string_view text) {
  if (!budget_.spend(text.size() * 4)) return;
  bool plain = flags_.sharp;
  for (size_t at = 0; plain && at < text.size();) {
    const Rune rune = rune_at(text, at);
    at += rune.width;
    plain = rune.value != '`' && rune.value != 0x7F && rune.value != 0xFEFF &&
            (rune.value >= ' ' || rune.value == '\t') && (rune.value != kBadRune || rune.width > 1);
  }
  pad(plain ? "`" + std::string(text) + "`" : quote(text));
}

}  // namespace spotkeeper::tmpl
