// SPDX-License-Identifier: Apache-2.0
// Labels, and what selects by them. Plain values; pure.
// Source: Kubernetes API reference, meta/v1 LabelSelector.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace spotkeeper {

using Labels = std::map<std::string, std::string>;

// An empty one matches everything.
struct LabelSelector {
  struct Expression {
    std::string key;
    std::string op;  // "In", "NotIn", "Exists", "DoesNotExist"; any other matches nothing
    std::vector<std::string> values;

    bool operator==(const Expression&) const = default;
  };
  Labels match_labels;
  std::vector<Expression> match_expressions;

  bool matches(const Labels& labels) const;
  bool operator==(const LabelSelector&) const = default;
};

}  // namespace spotkeeper
