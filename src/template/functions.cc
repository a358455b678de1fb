// SPDX-License-Identifier: Apache-2.0
#include "template/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "template/format.h"
#include "template/lexer.h"
#include "template/literal.h"

namespace spotkeeper::tmpl {
namespace {

struct Refusal {
  std::string_view names;  // parted by spaces, and around all
  std::string_view reason;
};

// What sprig and Go have and we do not.
constexpr Refusal kRefused[] = {
    {" env expandenv ",
     "is not supported (the agent's environment stays out of messages; write the value into the "
     "template)"},
    {" regexMatch mustRegexMatch regexFind mustRegexFind regexFindAll mustRegexFindAll "
     "regexReplaceAll "
     "mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral regexSplit "
     "mustRegexSplit regexQuoteMeta ",
     "is not supported (use contains, hasPrefix, hasSuffix, replace or splitList)"},
    {" set unset merge mergeOverwrite mustMerge mustMergeOverwrite deepCopy mustDeepCopy ",
     "is not supported (maps do not change; make one with dict)"},
    {" randAlphaNum randAlpha randAscii randNumeric randInt randBytes shuffle uuidv4 ",
     "is not supported (nothing here is random; .EventID is unique)"},
    {" getHostByName ", "is not supported (a template does not use the network)"},
    {" bcrypt htpasswd genPrivateKey derivePassword buildCustomCert genCA genCAWithKey "
     "genSelfSignedCert "
     "genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES sha1sum "
     "sha256sum "
     "adler32sum ",
     "is not supported (a template does no cryptography)"},
    {" ago duration durationRound dateModify date_modify mustDateModify must_date_modify toDate "
     "mustToDate ",
     "is not supported (use date, dateInZone, unixEpoch with add and sub, or .StartTime.Format)"},
    {" fromJson mustFromJson ", "is not supported (the fields are values already)"},
    {" typeOf typeIs typeIsLike kindOf kindIs deepEqual call ",
     "is not supported (use eq, empty or hasKey)"},
    {" addf subf divf mulf maxf minf add1f toDecimal seq ",
     "is not supported (use add, sub, mul, div, mod, max, min)"},
    {" b64dec b32enc b32dec ", "is not supported (use b64enc)"},
    {" snakecase camelcase kebabcase swapcase initials wrap wrapWith abbrev abbrevboth ",
     "is not supported (use lower, upper, title, replace or trunc)"},
};

std::string_view listed(std::string_view name, std::span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    if (refusal.names.contains(" " + std::string(name) + " ")) return refusal.reason;
  }
  return "";
}

const Signature* found(std::span<const Signature> table, std::string_view name) {
  const auto entry = std::ranges::find(table, name, &Signature::name);
  return entry == table.end() ? nullptr : &*entry;
}

}  // namespace

bool Signature::takes(size_t args) const {
  if (!types.ends_with('*')) return args == types.size();
  return args + 2 >= types.size();
}

char Signature::type(size_t arg) const {
  const size_t fixed = types.ends_with('*') ? types.size() - 1 : types.size();
  if (fixed == 0) return 'a';
  return types[std::min(arg, fixed - 1)];
}

std::string Signature::wants() const {
  const bool more = types.ends_with('*');
  const size_t least = types.size() - (more ? 2 : 0);
  return fmt::format("{} argument{}{}", least, least == 1 ? "" : "s", more ? " or more" : "");
}

const Signature* find_function(std::string_view name) {
  for (const auto table : {builtin_functions(), text_functions(), list_functions(),
                           number_functions(), time_functions()}) {
    if (const Signature* function = found(table, name)) return function;
  }
  return nullptr;
}

const Signature* find_time_method(std::string_view name) {
  return found(time_methods(), name);
}

std::string why_no_function(std::string_view name) {
  const std::string_view reason = listed(name, kRefused);
  return std::string(reason.empty() ? "is not known (docs/templates.md lists them)" : reason);
}

std::string why_no_time_method(std::string_view name) {
  static constexpr Refusal kMethods[] = {
      {" Month Weekday ", "is not supported (use .Format \"January\", \"01\" or \"Monday\")"},
      {" Local In Location Zone ", "is not supported (times are UTC)"},
      {" Add Sub AddDate Truncate Round ", "is not supported (use .Unix with add and sub)"},
  };
  const std::string_view reason = listed(name, kMethods);
  return std::string(reason.empty()
                         ? "is not known (there are Format, Unix, UnixMilli, UTC, Year, Day …)"
                         : reason);
}

std::string as_text(const Value& value, Budget& budget) {
  if (value.is(Kind::kText)) return value.text();
  std::string out;
  Format(out, budget).print(value);
  return out;
}

int64_t as_int(const Value& value) {
  switch (value.kind()) {
    case Kind::kInt:
      return value.number();
    case Kind::kBool:
      return value.boolean() ? 1 : 0;
    case Kind::kFloat: {
      const double real = value.real();
      if (!(std::abs(real) < 0x1p63)) return INT64_MIN;  // as Go's conversion yields on amd64
      return static_cast<int64_t>(real);
    }
    case Kind::kText:
      return parse_int(value.text()).value_or(0);
    default:
      return 0;
  }
}

double as_float(const Value& value) {
  switch (value.kind()) {
    case Kind::kFloat:
      return value.real();
    case Kind::kText:
      return parse_float(value.text()).value_or(0);
    default:
      return static_cast<double>(as_int(value));
  }
}

std::vector<std::string> as_texts(const Value& value, Budget& budget) {
  std::vector<std::string> texts;
  if (value.is_nil()) return texts;
  if (!value.is(Kind::kList)) return {as_text(value, budget)};
  for (const Value& item : value.list()) {
    if (!budget.spend(Budget::kElement + item.weight())) break;
    if (!item.is_nil()) texts.push_back(as_text(item, budget));
  }
  return texts;
}

std::string wrong_format(std::string_view format) {
  for (size_t at = format.find('%'); at < format.size(); at = format.find('%', at)) {
    const size_t from = at++;
    const size_t verb = std::min(format.find_first_not_of("+-# 0123456789.*[]", at), format.size());
    if (verb == format.size()) return "";
    const std::string_view directive = format.substr(from, verb + 1 - from);
    const char letter = format[verb];
    constexpr std::string_view kSharpless = "veEfFgG";
    const bool refused = letter == 'T' || letter == 'p' || letter == 'U' ||
                         (directive.contains('#') && kSharpless.contains(letter)) ||
                         (directive.contains('+') && letter == 'q');
    if (refused) {
      return fmt::format("printf's {} is not supported (use %v, %s, %q, %d, %x, %t, %f, %e or %g)",
                         shown(directive));
    }
    size_t number = 0;
    for (const char c : directive) {
      number = c >= '0' && c <= '9' ? number * 10 + static_cast<size_t>(c - '0') : 0;
      if (number > kMostWidth)
        return fmt::format("printf's widths and precisions end at {}", kMostWidth);
    }
    at = verb + 1;
  }
  return "";
}

std::string wrong_literal(const Signature& function, size_t arg, const Value& literal) {
  if (!literal.is(Kind::kText)) return "";
  if (function.name == "printf" && arg == 0) return wrong_format(literal.text());
  const bool zone = arg == 2 && (function.name == "dateInZone" || function.name == "date_in_zone");
  return zone && !is_utc(literal.text()) ? kOnlyUtc : "";
}

}  // namespace spotkeeper::tmpl
