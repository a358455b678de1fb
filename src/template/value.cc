// SPDX-License-Identifier: Apache-2.0
#include "template/value.h"

#include <algorithm>

#include "template/limits.h"

namespace spotkeeper::tmpl {

Value Value::nil() {
  Value made;
  made.data_ = Nil{};
  return made;
}

Value Value::boolean(bool value) {
  Value made;
  made.data_ = value;
  return made;
}

Value Value::number(int64_t value) {
  Value made;
  made.data_ = value;
  return made;
}

Value Value::real(double value) {
  Value made;
  made.data_ = value;
  return made;
}

Value Value::text(std::string value) {
  Value made;
  made.data_ = std::make_shared<const std::string>(std::move(value));
  return made;
}

Value Value::time(Time value) {
  constexpr Time kLast = Time(Millis(253402300799999));  // 9999-12-31T23:59:59.999Z
  Value made;
  made.data_ = std::clamp(value, kZeroTime, kLast);
  return made;
}

Value Value::list(List items) {
  Value made;
  for (const Value& item : items) made.depth_ = std::max(made.depth_, item.depth_);
  made.depth_++;
  made.data_ = std::make_shared<const List>(std::move(items));
  return made;
}

Value Value::texts(const std::vector<std::string>& items) {
  List list;
  list.reserve(items.size());
  for (const std::string& item : items) list.push_back(text(item));
  return Value::list(std::move(list));
}

Value Value::map(Map entries) {
  Value made;
  for (const auto& [key, value] : entries) made.depth_ = std::max(made.depth_, value.depth_);
  made.depth_++;
  made.data_ = std::make_shared<const MapData>(MapData{.entries = std::move(entries)});
  return made;
}

Value Value::text_map(const std::map<std::string, std::string>& entries) {
  Map map;
  for (const auto& [key, value] : entries) map.emplace(key, text(value));
  Value made;
  made.depth_ = 1;
  made.data_ =
      std::make_shared<const MapData>(MapData{.entries = std::move(map), .of_texts = true});
  return made;
}

Value Value::record(Fields fields) {
  Value made;
  for (const auto& [name, value] : fields) made.depth_ = std::max(made.depth_, value.depth_);
  made.depth_++;
  made.data_ = std::make_shared<const Fields>(std::move(fields));
  return made;
}

const Value* Value::field(std::string_view name) const {
  if (!is(Kind::kRecord)) return nullptr;
  const auto found = std::ranges::find(fields(), name, &Fields::value_type::first);
  return found == fields().end() ? nullptr : &found->second;
}

bool Value::truth() const {
  switch (kind()) {
    case Kind::kMissing:
    case Kind::kNil:
      return false;
    case Kind::kBool:
      return boolean();
    case Kind::kInt:
      return number() != 0;
    case Kind::kFloat:
      return real() != 0;
    case Kind::kText:
      return !text().empty();
    case Kind::kList:
      return !list().empty();
    case Kind::kMap:
      return !map().empty();
    case Kind::kTime:
    case Kind::kRecord:
      return true;
  }
  return false;
}

size_t Value::weight() const {
  switch (kind()) {
    case Kind::kText:
      return text().size();
    case Kind::kList:
      return list().size() * Budget::kElement;
    case Kind::kMap:
      return map().size() * Budget::kElement;
    case Kind::kRecord:
      return fields().size() * Budget::kElement;
    default:
      return 0;
  }
}

const char* Value::type() const {
  switch (kind()) {
    case Kind::kMissing:
    case Kind::kNil:
      return "nil";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float64";
    case Kind::kText:
      return "string";
    case Kind::kTime:
      return "time.Time";
    case Kind::kList:
      return "[]interface {}";
    case Kind::kMap:
      return of_texts() ? "map[string]string" : "map[string]interface {}";
    case Kind::kRecord:
      return "struct";
  }
  return "nil";
}

bool same(const Value& a, const Value& b, Budget& budget) {
  if (!budget.spend(Budget::kElement + std::min(a.weight(), b.weight()))) return false;
  if (a.is_nil() && b.is_nil()) return true;
  if (a.kind() != b.kind()) return false;
  const auto values = [&](const Value& one, const Value& other) {
    return same(one, other, budget);
  };
  const auto pairs = [&](const auto& one, const auto& other) {
    return one.first == other.first && same(one.second, other.second, budget);
  };
  switch (a.kind()) {
    case Kind::kBool:
      return a.boolean() == b.boolean();
    case Kind::kInt:
      return a.number() == b.number();
    case Kind::kFloat:
      return a.real() == b.real();
    case Kind::kText:
      return a.text() == b.text();
    case Kind::kTime:
      return a.time() == b.time();
    case Kind::kList:
      return std::ranges::equal(a.list(), b.list(), values);
    case Kind::kMap:
      return std::ranges::equal(a.map(), b.map(), pairs);
    case Kind::kRecord:
      return std::ranges::equal(a.fields(), b.fields(), pairs);
    default:
      return true;
  }
}

}  // namespace spotkeeper::tmpl
