// SPDX-License-Identifier: Apache-2.0
#include "world/labels.h"

#include <algorithm>

namespace spotkeeper::world {
namespace {

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

Labels::Labels(std::initializer_list<value_type> pairs) : Labels(Map(pairs.begin(), pairs.end())) {}

Labels::Labels(const Map& map) {
  if (!map.empty()) pairs_ = std::make_shared<const Pairs>(map.begin(), map.end());
}

const std::string& Labels::at(std::string_view key) const {
  static const std::string nothing;
  const std::string* found = find(key);
  return found != nullptr ? *found : nothing;
}

void Labels::set(const std::string& key, std::string value) {
  Pairs copy(begin(), end());
  const auto place = std::ranges::lower_bound(copy, key, {}, &value_type::first);
  if (place != copy.end() && place->first == key) {
    place->second = std::move(value);
  } else {
    copy.insert(place, {key, std::move(value)});
  }
  pairs_ = std::make_shared<const Pairs>(std::move(copy));
}

void Labels::erase(std::string_view key) {
  if (find(key) == nullptr) return;
  Pairs copy(begin(), end());
  std::erase_if(copy, [key](const value_type& pair) { return pair.first == key; });
  pairs_ = std::make_shared<const Pairs>(std::move(copy));
}

bool Labels::operator==(const Labels& other) const {
  return pairs_ == other.pairs_ || std::equal(begin(), end(), other.begin(), other.end());
}

bool Labels::equal_but(std::string_view key, const Labels& other) const {
  const auto* theirs = other.begin();
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
