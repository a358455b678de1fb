// SPDX-License-Identifier: Apache-2.0
// Labels (and annotations) of emulated objects, and selectors over them. A Labels value shares its
// content with its copies until one of them is changed: thousands of pods of one template cost
// nothing. A handful of pairs in one piece of memory, which are looked through from the front.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spotkeeper::world {

class Labels {
 public:
  using Map = std::map<std::string, std::string>;
  using value_type = std::pair<std::string, std::string>;
  using Pairs = std::vector<value_type>;  // ordered by key, each key once

  Labels() = default;
  Labels(std::initializer_list<value_type> pairs);
  explicit Labels(const Map& map);

  Map map() const { return {begin(), end()}; }
  const value_type* begin() const { return pairs_ ? pairs_->data() : nullptr; }
  const value_type* end() const { return pairs_ ? pairs_->data() + pairs_->size() : nullptr; }
  bool empty() const { return !pairs_ || pairs_->empty(); }
  size_t size() const { return pairs_ ? pairs_->size() : 0; }

  // nullptr when there is none.
  const std::string* find(std::string_view key) const {
    for (const value_type& pair : *this) {
      if (pair.first == key) return &pair.second;
    }
    return nullptr;
  }
  bool has(std::string_view key, std::string_view value) const {
    const std::string* found = find(key);
    return found != nullptr && *found == value;
  }
  // The value, empty when there is none.
  const std::string& at(std::string_view key) const;

  void set(const std::string& key, std::string value);
  void erase(std::string_view key);

  // The same content, by identity first.
  bool operator==(const Labels& other) const;
  // … but for what stands here under that key.
  bool equal_but(std::string_view key, const Labels& other) const;

 private:
  std::shared_ptr<const Pairs> pairs_;  // never written once it is here
};

// meta/v1 LabelSelector; an empty one matches everything.
struct Selector {
  struct Expression {
    std::string key;
    std::string op;  // "In", "NotIn", "Exists", "DoesNotExist"
    std::vector<std::string> values;
    bool operator==(const Expression&) const = default;
  };
  Labels match_labels;
  std::vector<Expression> match_expressions;

  bool matches(const Labels& labels) const;
  bool empty() const { return match_labels.empty() && match_expressions.empty(); }
  bool operator==(const Selector&) const = default;
};

}  // namespace spotkeeper::world
