// SPDX-License-Identifier: Apache-2.0
// Plain named counters for what is counted but not journalled: polls, API requests, weather.
// Names and label values come from a fixed set, so that their number stays bounded.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace spotkeeper {

class Counters {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  struct Key {
    std::string name;
    Labels labels;
    auto operator<=>(const Key&) const = default;
  };

  void count(std::string name, Labels labels = {}, double by = 1) {
    all_[Key{std::move(name), std::move(labels)}] += by;
  }

  // 0 when it was never counted.
  double value(std::string name, Labels labels = {}) const {
    const auto found = all_.find(Key{std::move(name), std::move(labels)});
    return found == all_.end() ? 0 : found->second;
  }

  const std::map<Key, double>& all() const { return all_; }

 private:
  std::map<Key, double> all_;
};

}  // namespace spotkeeper
