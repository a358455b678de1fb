// SPDX-License-Identifier: Apache-2.0
// Go's own functions: comparison, logic, printing, escaping, looking into lists and maps.
#include <fmt/format.h>

#include <algorithm>

#include "template/format.h"
#include "template/functions.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

std::unexpected<std::string> wrong(std::string message) {
  return std::unexpected(std::move(message));
}

// ---- comparison -------------------------------------------------------------------------------

std::expected<bool, std::string> equal(const Value& a, const Value& b, Budget& budget) {
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  if (a.kind() != b.kind())
    return wrong(fmt::format("{} and {} are not compared", a.type(), b.type()));
  if (a.depth() > 0) return wrong(fmt::format("two {} are not compared", a.type()));
  return same(a, b, budget);
}

std::expected<bool, std::string> less(const Value& a, const Value& b) {
  const auto ordered = [](const Value& value) {
    return value.is(Kind::kInt) || value.is(Kind::kFloat) || value.is(Kind::kText);
  };
  if (!ordered(a) || !ordered(b))
    return wrong(fmt::format("{} and {} have no order", a.type(), b.type()));
  if (a.kind() != b.kind())
    return wrong(fmt::format("{} and {} are not compared", a.type(), b.type()));
  if (a.is(Kind::kInt)) return a.number() < b.number();
  if (a.is(Kind::kFloat)) return a.real() < b.real();
  return a.text() < b.text();
}

Made eq(const Call& call) {
  for (const Value& other : call.args.subspan(1)) {
    const auto is = equal(call.args[0], other, call.budget);
    if (!is) return wrong(is.error());
    if (*is) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Made ne(const Call& call) {
  const auto is = equal(call.args[0], call.args[1], call.budget);
  if (!is) return wrong(is.error());
  return Value::boolean(!*is);
}

Made lt(const Call& call) {
  const auto is = less(call.args[0], call.args[1]);
  if (!is) return wrong(is.error());
  return Value::boolean(*is);
}

// A float that is no number is neither less nor equal.
Made le(const Call& call) {
  const auto is = less(call.args[0], call.args[1]);
  if (!is) return wrong(is.error());
  return Value::boolean(*is || same(call.args[0], call.args[1], call.budget));
}

Made gt(const Call& call) {
  const Made is = le(call);
  if (!is) return is;
  return Value::boolean(!is->boolean());
}

Made ge(const Call& call) {
  const Made is = lt(call);
  if (!is) return is;
  return Value::boolean(!is->boolean());
}

Made negate(const Call& call) {
  return Value::boolean(!call.args[0].truth());
}

// ---- printing ---------------------------------------------------------------------------------

Made print(const Call& call) {
  std::string out;
  Format(out, call.budget).print_all(call.args);
  return Value::text(std::move(out));
}

Made println(const Call& call) {
  std::string out;
  Format(out, call.budget).print_line(call.args);
  return Value::text(std::move(out));
}

Made printf(const Call& call) {
  const std::string& format = call.args[0].text();
  if (const std::string refused = wrong_format(format); !refused.empty()) return wrong(refused);
  std::string out;
  Format(out, call.budget).printf(format, call.args.subspan(1));
  return Value::text(std::move(out));
}

// ---- escaping ---------------------------------------------------------------------------------

// One text as it is, anything else as print writes it.
std::string printed(const Call& call) {
  if (call.args.size() == 1 && call.args[0].is(Kind::kText)) return call.args[0].text();
  List args(call.args.begin(), call.args.end());
  for (Value& arg : args) {
    if (arg.is_nil()) arg = Value::text("<no value>");
  }
  std::string out;
  Format(out, call.budget).print_all(args);
  return out;
}

Made html(const Call& call) {
  const std::string text = printed(call);
  if (!call.budget.spend(text.size() * 5)) return Value();
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return Value::text(std::move(out));
}

Made js(const Call& call) {
  const std::string text = printed(call);
  if (!call.budget.spend(text.size() * 6)) return Value();
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Rune rune = rune_at(text, at);
    const std::string_view bytes = std::string_view(text).substr(at, rune.width);
    at += rune.width;
    constexpr std::string_view kHidden = "<>&=";
    const bool ascii = rune.value < 0x80;
    if (ascii && (bytes == "\\" || bytes == "'" || bytes == "\"")) {
      out += "\\";
      out += bytes;
    } else if (ascii ? rune.value < ' ' || kHidden.contains(bytes) : !is_print(rune.value)) {
      out += fmt::format("\\u{:04X}", static_cast<uint32_t>(rune.value));
    } else {
      append_rune(out, rune.value);
    }
  }
  return Value::text(std::move(out));
}

Made urlquery(const Call& call) {
  const std::string text = printed(call);
  if (!call.budget.spend(text.size() * 3)) return Value();
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (is_letter_or_digit(byte) || std::string_view("-_.~").contains(c))) {
      out += c;
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", byte);
    }
  }
  return Value::text(std::move(out));
}

// ---- looking into -----------------------------------------------------------------------------

Made len(const Call& call) {
  const Value& of = call.args[0];
  switch (of.kind()) {
    case Kind::kText:
      return Value::number(static_cast<int64_t>(of.text().size()));
    case Kind::kList:
      return Value::number(static_cast<int64_t>(of.list().size()));
    case Kind::kMap:
      return Value::number(static_cast<int64_t>(of.map().size()));
    default:
      return wrong(fmt::format("{} has no length", of.type()));
  }
}

Made index_one(const Value& of, const Value& by) {
  if (of.is(Kind::kMap)) {
    if (!by.is(Kind::kText)) return wrong(fmt::format("a map is not indexed by {}", by.type()));
    const auto found = of.map().find(by.text());
    if (found != of.map().end()) return found->second;
    return of.of_texts() ? Value::text("") : Value();
  }
  if (!of.is(Kind::kList) && !of.is(Kind::kText))
    return wrong(fmt::format("{} is not indexed", of.type()));
  if (!by.is(Kind::kInt))
    return wrong(fmt::format("{} is not indexed by {}", of.type(), by.type()));
  const size_t size = of.is(Kind::kList) ? of.list().size() : of.text().size();
  if (by.number() < 0 || by.number() >= static_cast<int64_t>(size)) {
    return wrong(fmt::format("index {} is out of range: there are {}", by.number(), size));
  }
  const auto at = static_cast<size_t>(by.number());
  if (of.is(Kind::kList)) return of.list()[at];
  return Value::number(static_cast<unsigned char>(of.text()[at]));
}

Made index(const Call& call) {
  Value value = call.args[0];
  for (const Value& by : call.args.subspan(1)) {
    Made next = index_one(value, by);
    if (!next) return next;
    value = std::move(*next);
  }
  return value;
}

// Go's on a text, sprig's (which takes its place) on a list.
Made slice(const Call& call) {
  const Value& of = call.args[0];
  if (call.args.size() > 3) return wrong("it takes two indexes");
  if (!of.is(Kind::kList) && !of.is(Kind::kText))
    return wrong(fmt::format("{} has no parts", of.type()));
  const auto size = static_cast<int64_t>(of.is(Kind::kList) ? of.list().size() : of.text().size());
  if (of.is(Kind::kList) && size == 0) return Value::nil();
  const int64_t from = call.args.size() > 1 ? as_int(call.args[1]) : 0;
  const int64_t to = call.args.size() > 2 ? as_int(call.args[2]) : size;
  if (from < 0 || from > to || to > size) {
    return wrong(fmt::format("{} to {} is out of range: there are {}", from, to, size));
  }
  if (of.is(Kind::kText))
    return Value::text(of.text().substr(static_cast<size_t>(from), static_cast<size_t>(to - from)));
  return Value::list(List(of.list().begin() + from, of.list().begin() + to));
}

constexpr Signature kTable[] = {
    {"and", "aa*", nullptr}, {"or", "aa*", nullptr},     {"not", "a", negate},
    {"eq", "aaa*", eq},      {"ne", "aa", ne},           {"lt", "aa", lt},
    {"le", "aa", le},        {"gt", "aa", gt},           {"ge", "aa", ge},
    {"print", "a*", print},  {"println", "a*", println}, {"printf", "sa*", printf},
    {"html", "a*", html},    {"js", "a*", js},           {"urlquery", "a*", urlquery},
    {"len", "a", len},       {"index", "aa*", index},    {"slice", "aa*", slice},
};

}  // namespace

std::span<const Signature> builtin_functions() {
  return kTable;
}

}  // namespace spotkeeper::tmpl
