// SPDX-License-Identifier: Apache-2.0
// sprig's functions on texts, and those that choose between values.
#include <fmt/format.h>

#include <algorithm>

#include "template/format.h"
#include "template/functions.h"
#include "template/lexer.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

std::unexpected<std::string> wrong(std::string message) {
  return std::unexpected(std::move(message));
}

const std::string& text(const Call& call, size_t arg) {
  return call.args[arg].text();
}

template <class Change>
Made runes(const std::string& text, const Change& change) {
  std::string out;
  char32_t before = ' ';
  for (size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    append_rune(out, change(rune.value, before));
    before = rune.value;
    at += rune.width;
  }
  return Value::text(std::move(out));
}

Made upper(const Call& call) {
  return runes(text(call, 0), [](char32_t rune, char32_t) { return upper_rune(rune); });
}
Made lower(const Call& call) {
  return runes(text(call, 0), [](char32_t rune, char32_t) { return lower_rune(rune); });
}

// Upper case behind what parts words, the rest as it is.
template <char32_t change(char32_t)>
Made first_letters(const Call& call) {
  return runes(text(call, 0), [](char32_t rune, char32_t before) {
    const bool parts = before < 0x80 ? !is_letter_or_digit(before) && before != '_'
                                     : !is_letter_or_digit(before) && is_space_rune(before);
    return parts ? change(rune) : rune;
  });
}

// What of the text is left when runes for which `drops` holds are taken off its ends.
template <class Drops>
std::string trimmed(std::string_view text, const Drops& drops) {
  size_t from = text.size();
  size_t to = text.size();
  bool begun = false;
  for (size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    if (!drops(rune.value)) {
      if (!begun) from = at;
      begun = true;
      to = at + rune.width;
    }
    at += rune.width;
  }
  return std::string(text.substr(from, begun ? to - from : 0));
}

Made trim(const Call& call) {
  return Value::text(trimmed(text(call, 0), is_space_rune));
}

Made trim_all(const Call& call) {
  std::u32string cutset;
  for (size_t at = 0; at < text(call, 0).size();) {
    const Rune rune = rune_at(text(call, 0), at);
    cutset += rune.value;
    at += rune.width;
  }
  std::ranges::sort(cutset);
  return Value::text(trimmed(
      text(call, 1), [&](char32_t rune) { return std::ranges::binary_search(cutset, rune); }));
}

Made trim_prefix(const Call& call) {
  const std::string& from = text(call, 1);
  return from.starts_with(text(call, 0)) ? Value::text(from.substr(text(call, 0).size()))
                                         : call.args[1];
}
Made trim_suffix(const Call& call) {
  const std::string& from = text(call, 1);
  return from.ends_with(text(call, 0))
             ? Value::text(from.substr(0, from.size() - text(call, 0).size()))
             : call.args[1];
}

// Bytes, as sprig counts; from the end when negative.
Made trunc(const Call& call) {
  const int64_t count = call.args[0].number();
  const std::string& from = text(call, 1);
  const auto size = static_cast<int64_t>(from.size());
  if (count < 0 && count > -size)
    return Value::text(from.substr(static_cast<size_t>(size + count)));
  if (count >= 0 && count < size) return Value::text(from.substr(0, static_cast<size_t>(count)));
  return call.args[1];
}

Made substr(const Call& call) {
  const std::string& from = text(call, 2);
  const auto size = static_cast<int64_t>(from.size());
  int64_t start = call.args[0].number();
  int64_t end = call.args[1].number();
  if (start < 0) {
    start = 0;
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (end < start || end > size)
    return wrong(fmt::format("{} to {} is out of range: there are {}", start, end, size));
  return Value::text(from.substr(static_cast<size_t>(start), static_cast<size_t>(end - start)));
}

Made repeat(const Call& call) {
  const int64_t count = call.args[0].number();
  const std::string& what = text(call, 1);
  if (count < 0) return wrong("a negative number of times");
  if (what.empty()) return call.args[1];
  // Both below 2^63 / 2^20: no overflow.
  if (count > static_cast<int64_t>(kMostWork) ||
      !call.budget.spend(static_cast<size_t>(count) * what.size())) {
    call.budget.spend(kMostWork + 1);
    return Value();
  }
  std::string out;
  for (int64_t i = 0; i < count; i++) out += what;
  return Value::text(std::move(out));
}

// False: the budget does not reach.
bool replaced(std::string_view in, std::string_view from, std::string_view to, Budget& budget,
              std::string& out) {
  size_t at = 0;
  while (at <= in.size()) {
    size_t found = in.find(from, at);
    size_t taken = from.size();
    if (from.empty()) {  // before each rune and at the end
      found = at;
      if (!budget.spend(to.size() + 4)) return false;
      out += to;
      if (at == in.size()) return true;
      taken = rune_at(in, at).width;
      out += in.substr(at, taken);
      at += taken;
      continue;
    }
    if (found == std::string_view::npos) break;
    if (!budget.spend(found - at + to.size())) return false;
    out += in.substr(at, found - at);
    out += to;
    at = found + taken;
  }
  if (!budget.spend(in.size() - std::min(at, in.size()))) return false;
  out += in.substr(std::min(at, in.size()));
  return true;
}

Made replace(const Call& call) {
  std::string out;
  // Finding may cost the product of both lengths.
  const size_t search =
      text(call, 0).size() * std::min<size_t>(text(call, 2).size(), 1UL << 20) / 64;
  if (!call.budget.spend(search) ||
      !replaced(text(call, 2), text(call, 0), text(call, 1), call.budget, out))
    return Value();
  return Value::text(std::move(out));
}

Made contains(const Call& call) {
  const size_t search =
      text(call, 0).size() * std::min<size_t>(text(call, 1).size(), 1UL << 20) / 64;
  if (!call.budget.spend(search)) return Value();
  return Value::boolean(text(call, 1).contains(text(call, 0)));
}
Made has_prefix(const Call& call) {
  return Value::boolean(text(call, 1).starts_with(text(call, 0)));
}
Made has_suffix(const Call& call) {
  return Value::boolean(text(call, 1).ends_with(text(call, 0)));
}

template <class Each>
Made each_but_nil(const Call& call, const Each& each) {
  std::string out;
  bool first = true;
  for (const Value& value : call.args) {
    if (value.is_nil()) continue;
    if (!std::exchange(first, false)) out += ' ';
    out += each(value);
  }
  call.budget.spend(out.size());
  return Value::text(std::move(out));
}

Made quote_all(const Call& call) {
  return each_but_nil(call, [&](const Value& value) { return quote(as_text(value, call.budget)); });
}
Made squote(const Call& call) {
  return each_but_nil(call,
                      [&](const Value& value) { return "'" + as_text(value, call.budget) + "'"; });
}
Made cat(const Call& call) {
  return each_but_nil(call, [&](const Value& value) { return as_text(value, call.budget); });
}

Made nospace(const Call& call) {
  std::string out;
  for (size_t at = 0; at < text(call, 0).size();) {
    const Rune rune = rune_at(text(call, 0), at);
    if (!is_space_rune(rune.value)) append_rune(out, rune.value);
    at += rune.width;
  }
  return Value::text(std::move(out));
}

Made indented(const Call& call, std::string out) {
  const int64_t count = call.args[0].number();
  if (count < 0) return wrong("a negative number of spaces");
  const size_t lines = 1 + static_cast<size_t>(std::ranges::count(text(call, 1), '\n'));
  if (count > static_cast<int64_t>(kMostWork) ||
      !call.budget.spend(lines * static_cast<size_t>(count))) {
    call.budget.spend(kMostWork + 1);
    return Value();
  }
  const std::string pad(static_cast<size_t>(count), ' ');
  out += pad;
  if (!replaced(text(call, 1), "\n", "\n" + pad, call.budget, out)) return Value();
  return Value::text(std::move(out));
}
Made indent(const Call& call) {
  return indented(call, "");
}
Made nindent(const Call& call) {
  return indented(call, "\n");
}

Made plural(const Call& call) {
  return call.args[call.args[2].number() == 1 ? 0 : 1];
}

Made to_string(const Call& call) {
  return Value::text(as_text(call.args[0], call.budget));
}

Made b64enc(const Call& call) {
  const std::string& in = text(call, 0);
  if (!call.budget.spend(in.size() * 2)) return Value();
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at < in.size(); at += 3) {
    const auto byte = [&](size_t i) -> uint32_t {
      return at + i < in.size() ? static_cast<unsigned char>(in[at + i]) : 0;
    };
    const uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t i = 0; i < 4; i++)
      out += at + i > in.size() ? '=' : kDigits[bits >> (18 - 6 * i) & 63U];
  }
  return Value::text(std::move(out));
}

Made json(const Call& call, bool html, bool pretty) {
  return Value::text(json_text(call.args[0], html, pretty, call.budget));
}
Made to_json(const Call& call) {
  return json(call, true, false);
}
Made to_raw_json(const Call& call) {
  return json(call, false, false);
}
Made to_pretty_json(const Call& call) {
  return json(call, true, true);
}

// ---- choosing ---------------------------------------------------------------------------------

Made otherwise(const Call& call) {
  return call.args.size() == 1 || call.args[1].empty() ? call.args[0] : call.args[1];
}
Made empty(const Call& call) {
  return Value::boolean(call.args[0].empty());
}
Made coalesce(const Call& call) {
  for (const Value& value : call.args) {
    if (!value.empty()) return value;
  }
  return Value::nil();
}
Made ternary(const Call& call) {
  return call.args[call.args[2].boolean() ? 0 : 1];
}
Made all(const Call& call) {
  return Value::boolean(std::ranges::all_of(call.args, &Value::truth));
}
Made any(const Call& call) {
  return Value::boolean(std::ranges::any_of(call.args, &Value::truth));
}
Made fail(const Call& call) {
  return wrong(shown(text(call, 0)));
}

constexpr Signature kTable[] = {
    {"upper", "s", upper},
    {"lower", "s", lower},
    {"title", "s", first_letters<upper_rune>},
    {"untitle", "s", first_letters<lower_rune>},
    {"trim", "s", trim},
    {"trimAll", "ss", trim_all},
    {"trimall", "ss", trim_all},
    {"trimPrefix", "ss", trim_prefix},
    {"trimSuffix", "ss", trim_suffix},
    {"trunc", "is", trunc},
    {"substr", "iis", substr},
    {"repeat", "is", repeat},
    {"replace", "sss", replace},
    {"contains", "ss", contains},
    {"hasPrefix", "ss", has_prefix},
    {"hasSuffix", "ss", has_suffix},
    {"quote", "a*", quote_all},
    {"squote", "a*", squote},
    {"cat", "a*", cat},
    {"nospace", "s", nospace},
    {"indent", "is", indent},
    {"nindent", "is", nindent},
    {"plural", "ssi", plural},
    {"toString", "a", to_string},
    {"b64enc", "s", b64enc},
    {"toJson", "a", to_json},
    {"mustToJson", "a", to_json},
    {"toRawJson", "a", to_raw_json},
    {"toPrettyJson", "a", to_pretty_json},
    {"default", "aa*", otherwise},
    {"empty", "a", empty},
    {"coalesce", "a*", coalesce},
    {"ternary", "aab", ternary},
    {"all", "a*", all},
    {"any", "a*", any},
    {"fail", "s", fail},
};

}  // namespace

std::span<const Signature> text_functions() {
  return kTable;
}

}  // namespace spotkeeper::tmpl
