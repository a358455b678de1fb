// SPDX-License-Identifier: Apache-2.0
// sprig's functions on lists and maps.
#include <fmt/format.h>

#include <algorithm>

#include "template/functions.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

std::unexpected<std::string> wrong(std::string message) {
  return std::unexpected(std::move(message));
}

const std::string& text(const Call& call, size_t arg) {
  return call.args[arg].text();
}

// Charged for what as_texts() does not know of: the result.
Made texts(const Call& call, const std::vector<std::string>& items) {
  if (!call.budget.spend(items.size() * Budget::kElement)) return Value();
  return Value::texts(items);
}

Made join(const Call& call) {
  std::string out;
  bool first = true;
  for (const std::string& item : as_texts(call.args[1], call.budget)) {
    if (!call.budget.spend(item.size() + text(call, 0).size())) return Value();
    if (!std::exchange(first, false)) out += text(call, 0);
    out += item;
  }
  return Value::text(std::move(out));
}

// At most `most` parts; by runes when there is no separator.
std::vector<std::string> parts(const Call& call, const std::string& by, std::string_view in,
                               int64_t most) {
  std::vector<std::string> out;
  if (most == 0) return out;
  if (!call.budget.spend(by.size() * std::min<size_t>(in.size(), 1UL << 20) / 64)) return out;
  while (most < 0 || static_cast<int64_t>(out.size()) + 1 < most) {
    const size_t found = by.empty() ? (in.empty() ? 0 : rune_at(in, 0).width) : in.find(by);
    if (found == std::string_view::npos || !call.budget.spend(2 * Budget::kElement)) break;
    if (by.empty() && found >= in.size()) break;
    out.emplace_back(in.substr(0, found));
    in.remove_prefix(found + by.size());
  }
  if (!by.empty() || !in.empty()) out.emplace_back(in);
  return out;
}

Made numbered(const std::vector<std::string>& items) {
  std::map<std::string, std::string> map;
  for (size_t i = 0; i < items.size(); i++) map.emplace(fmt::format("_{}", i), items[i]);
  return Value::text_map(map);
}

Made split(const Call& call) {
  return numbered(parts(call, text(call, 0), text(call, 1), -1));
}
Made splitn(const Call& call) {
  return numbered(parts(call, text(call, 0), text(call, 2), call.args[1].number()));
}
Made split_list(const Call& call) {
  return texts(call, parts(call, text(call, 0), text(call, 1), -1));
}
Made to_strings(const Call& call) {
  return texts(call, as_texts(call.args[0], call.budget));
}

Made sort_alpha(const Call& call) {
  if (call.args[0].is_nil()) return Value::texts({"<nil>"});  // as sprig has it
  std::vector<std::string> items = as_texts(call.args[0], call.budget);
  if (!call.budget.spend(items.size() * Budget::kElement * 4)) return Value();
  std::ranges::sort(items);
  return texts(call, items);
}

Made list(const Call& call) {
  List items(call.args.begin(), call.args.end());
  for (Value& item : items) {
    if (item.is(Kind::kMissing)) item = Value::nil();
  }
  return Value::list(std::move(items));
}

Made dict(const Call& call) {
  Map entries;
  for (size_t i = 0; i < call.args.size(); i += 2) {
    const bool odd = i + 1 == call.args.size();
    Value value = odd ? Value::text("") : call.args[i + 1];
    if (value.is_nil()) value = Value::nil();
    entries.insert_or_assign(as_text(call.args[i], call.budget), std::move(value));
  }
  return Value::map(std::move(entries));
}

Made get(const Call& call) {
  const auto found = call.args[0].map().find(text(call, 1));
  return found == call.args[0].map().end() ? Value::text("") : found->second;
}
Made has_key(const Call& call) {
  return Value::boolean(call.args[0].map().contains(text(call, 1)));
}

Made keys(const Call& call) {
  std::vector<std::string> names;
  for (const Value& map : call.args) {
    for (const auto& [key, value] : map.map()) names.push_back(key);
  }
  return texts(call, names);
}
Made values(const Call& call) {
  List items;
  for (const auto& [key, value] : call.args[0].map()) items.push_back(value);
  return Value::list(std::move(items));
}

Made pick_or_omit(const Call& call, bool pick) {
  Map entries = pick ? Map() : call.args[0].map();
  for (const Value& key : call.args.subspan(1)) {
    const auto found = call.args[0].map().find(key.text());
    if (found == call.args[0].map().end()) continue;
    if (pick) {
      entries.insert_or_assign(found->first, found->second);
    } else {
      entries.erase(found->first);
    }
  }
  return Value::map(std::move(entries));
}
Made pick(const Call& call) {
  return pick_or_omit(call, true);
}
Made omit(const Call& call) {
  return pick_or_omit(call, false);
}

// ---- lists ------------------------------------------------------------------------------------

template <Made (*then)(const Call& call, const List& list), size_t arg = 0>
Made on_list(const Call& call) {
  if (!call.args[arg].is(Kind::kList))
    return wrong(fmt::format("a list is wanted, not {}", call.args[arg].type()));
  return then(call, call.args[arg].list());
}

Made first(const Call&, const List& list) {
  return list.empty() ? Value::nil() : list.front();
}
Made last(const Call&, const List& list) {
  return list.empty() ? Value::nil() : list.back();
}
Made rest(const Call&, const List& list) {
  if (list.empty()) return Value::list({});
  return Value::list(List(list.begin() + 1, list.end()));
}
Made initial(const Call&, const List& list) {
  if (list.empty()) return Value::list({});
  return Value::list(List(list.begin(), list.end() - 1));
}
Made reverse(const Call&, const List& list) {
  return Value::list(List(list.rbegin(), list.rend()));
}
Made append(const Call& call, const List& list) {
  List items = list;
  items.push_back(call.args[1]);
  return Value::list(std::move(items));
}
Made prepend(const Call& call, const List& list) {
  List items = list;
  items.insert(items.begin(), call.args[1]);
  return Value::list(std::move(items));
}

bool in_list(const List& list, const Value& value, Budget& budget) {
  return std::ranges::any_of(list, [&](const Value& item) { return same(item, value, budget); });
}

Made uniq(const Call& call, const List& list) {
  List items;
  for (const Value& item : list) {
    if (!in_list(items, item, call.budget)) items.push_back(item);
    if (call.budget.spent()) break;
  }
  return Value::list(std::move(items));
}
Made compact(const Call&, const List& list) {
  List items;
  std::ranges::copy_if(list, std::back_inserter(items), &Value::truth);
  return Value::list(std::move(items));
}
Made without(const Call& call, const List& list) {
  const List gone(call.args.begin() + 1, call.args.end());
  List items;
  for (const Value& item : list) {
    if (!in_list(gone, item, call.budget)) items.push_back(item);
  }
  return Value::list(std::move(items));
}
Made has_item(const Call& call, const List& list) {
  return Value::boolean(in_list(list, call.args[0], call.budget));
}
Made has(const Call& call) {
  if (call.args[1].is_nil()) return Value::boolean(false);
  return on_list<has_item, 1>(call);
}

Made concat(const Call& call) {
  List items;
  for (const Value& value : call.args) {
    if (!value.is(Kind::kList)) return wrong(fmt::format("a list is wanted, not {}", value.type()));
    items.insert(items.end(), value.list().begin(), value.list().end());
  }
  return Value::list(std::move(items));
}

constexpr Signature kTable[] = {
    {"join", "sa", join},
    {"split", "ss", split},
    {"splitn", "sis", splitn},
    {"splitList", "ss", split_list},
    {"toStrings", "a", to_strings},
    {"sortAlpha", "a", sort_alpha},
    {"list", "a*", list},
    {"tuple", "a*", list},
    {"dict", "a*", dict},
    {"get", "ms", get},
    {"hasKey", "ms", has_key},
    {"keys", "m*", keys},
    {"values", "m", values},
    {"pick", "ms*", pick},
    {"omit", "ms*", omit},
    {"first", "a", on_list<first>},
    {"last", "a", on_list<last>},
    {"rest", "a", on_list<rest>},
    {"initial", "a", on_list<initial>},
    {"reverse", "a", on_list<reverse>},
    {"append", "aa", on_list<append>},
    {"prepend", "aa", on_list<prepend>},
    {"uniq", "a", on_list<uniq>},
    {"compact", "a", on_list<compact>},
    {"without", "aa*", on_list<without>},
    {"has", "aa", has},
    {"concat", "a*", concat},
};

}  // namespace

std::span<const Signature> list_functions() {
  return kTable;
}

}  // namespace spotkeeper::tmpl
