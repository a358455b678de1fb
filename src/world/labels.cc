// SPDX-License-Identifier: Apache-2.0
#include "world/labels.h"

#include <algorithm>

namespace spotkeeper::world {
namespace {

const Labels::Map& no_labels() {
  static const Labels::Map none;
  return none;
}

bool holds(const Selector::Expression& expression, const Labels& labels) {
  const std::string* value = labels.find(expression.key);
  const bool listed =
      value != nullptr && std::ranges::find(expression.values, *value) != expression.values.end();
  if (expression.op == "In") return listed;
  if (expression.op == "NotIn") return !listed;
  if (expression.op == "Exists") return value != nullptr;
  if (expression.op == "DoesNotExist") return value == nullptr;
  return false;
}

}  // namespace

Labels::Labels(std::initializer_list<value_type> pairs)
    : map_(pairs.size() == 0 ? nullptr : std::make_shared<const Map>(pairs)) {}

Labels::Labels(Map map) : map_(std::make_shared<const Map>(std::move(map))) {}

const Labels::Map& Labels::map() const {
  return map_ ? *map_ : no_labels();
}

const std::string* Labels::find(const std::string& key) const {
  const auto found = map().find(key);
  return found == map().end() ? nullptr : &found->second;
}

bool Labels::has(const std::string& key, const std::string& value) const {
  const std::string* found = find(key);
  return found != nullptr && *found == value;
}

const std::string& Labels::at(const std::string& key) const {
  static const std::string nothing;
  const std::string* found = find(key);
  return found != nullptr ? *found : nothing;
}

void Labels::set(const std::string& key, std::string value) {
  Map copy = map();
  copy[key] = std::move(value);
  map_ = std::make_shared<const Map>(std::move(copy));
}

void Labels::erase(const std::string& key) {
  if (find(key) == nullptr) return;
  Map copy = map();
  copy.erase(key);
  map_ = std::make_shared<const Map>(std::move(copy));
}

bool Labels::operator==(const Labels& other) const {
  return map_ == other.map_ || map() == other.map();
}

bool Labels::equal_but(std::string_view key, const Labels& other) const {
  auto theirs = other.begin();
  for (const auto& mine : *this) {
    if (mine.first == key) continue;
    if (theirs == other.end() || mine != *theirs) return false;
    ++theirs;
  }
  return theirs == other.end();
}

bool Selector::matches(const Labels& labels) const {
  const bool all_labels = std::ranges::all_of(match_labels, [&labels](const auto& wanted) {
    return labels.has(wanted.first, wanted.second);
  });
  return all_labels && std::ranges::all_of(match_expressions, [&labels](const Expression& each) {
           return holds(each, labels);
         });
}

}  // namespace spotkeeper::world
