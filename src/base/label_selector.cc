// SPDX-License-Identifier: Apache-2.0
#include "base/label_selector.h"

#include <algorithm>

namespace spotkeeper {
namespace {

bool holds(const LabelSelector::Expression& expression, const Labels& labels) {
  const auto label = labels.find(expression.key);
  const bool has = label != labels.end();
  const bool listed =
      has && std::ranges::find(expression.values, label->second) != expression.values.end();
  if (expression.op == "In") return listed;
  if (expression.op == "NotIn") return !listed;  // also where the label is missing
  if (expression.op == "Exists") return has;
  if (expression.op == "DoesNotExist") return !has;
  return false;
}

}  // namespace

bool LabelSelector::matches(const Labels& labels) const {
  const bool all_labels = std::ranges::all_of(match_labels, [&labels](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  });
  return all_labels && std::ranges::all_of(match_expressions, [&labels](const Expression& each) {
           return holds(each, labels);
         });
}

}  // namespace spotkeeper
