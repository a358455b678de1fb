// SPDX-License-Identifier: Apache-2.0
// Labels (and annotations) of emulated objects, and selectors over them. A Labels value shares its
// content with its copies until one of them is changed: thousands of pods of one template cost
// nothing.
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
  using value_type = Map::value_type;

  Labels() = default;
  Labels(std::initializer_list<value_type> pairs);
  explicit Labels(Map map);

  const Map& map() const;
  Map::const_iterator begin() const { return map().begin(); }
  Map::const_iterator end() const { return map().end(); }
  bool empty() const { return map().empty(); }
  size_t size() const { return map().size(); }

  // nullptr when there is none.
  const std::string* find(const std::string& key) const;
  bool has(const std::string& key, const std::string& value) const;
  // The value, empty when there is none.
  const std::string& at(const std::string& key) const;

  void set(const std::string& key, std::string value);
  void erase(const std::string& key);

  // The same content, by identity first.
  bool operator==(const Labels& other) const;
  // … but for what stands here under that key.
  bool equal_but(std::string_view key, const Labels& other) const;

 private:
  std::shared_ptr<const Map> map_;  // never written once it is here
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
