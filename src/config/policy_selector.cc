// SPDX-License-Identifier: Apache-2.0
#include "config/policy_selector.h"

#include <string>
#include <utility>
#include <vector>

#include "config/kube_names.h"

namespace spotkeeper::config {
namespace {

Result<void> read_labels(const YamlValue& value, Labels& labels) {
  const auto members = value.members("a map of labels, such as {app: web}");
  if (!members) return std::unexpected(members.error());
  if (members->empty()) return value.error("the map is empty; leave the key out");
  for (const auto& [key, each] : *members) {
    if (!is_label_key(key))
      return each.error("the key is no label's; expected one such as app or example.com/app");
    Result<std::string> text = each.text("a label's value");
    if (!text) return std::unexpected(text.error());
    if (!is_label_value(*text)) {
      return each.error(each.found() +
                        " is no label's value; expected at most 63 letters, digits, '-', '_', '.'");
    }
    labels[key] = std::move(*text);
  }
  return {};
}

Result<void> read_values(const YamlValue& value, std::vector<std::string>& values) {
  return read_words(value, "label's value", "at most 63 letters, digits, '-', '_', '.'",
                    [&](const std::string& word) {
                      values.push_back(word);
                      return is_label_value(word);
                    });
}

Result<void> read_expression(const YamlValue& value, LabelSelector::Expression& expression) {
  const auto key = [&](const YamlValue& at) -> Result<void> {
    Result<std::string> text = at.text("a label's key");
    if (!text) return std::unexpected(text.error());
    if (!is_label_key(*text)) {
      return at.error(at.found() +
                      " is no label's key; expected one such as app or example.com/app");
    }
    expression.key = std::move(*text);
    return {};
  };
  const auto op = [&](const YamlValue& at) -> Result<void> {
    Result<std::string> text = at.text("an operator");
    if (!text) return std::unexpected(text.error());
    for (const char* known : {"In", "NotIn", "Exists", "DoesNotExist"}) {
      if (*text == known) expression.op = known;
    }
    if (!expression.op.empty()) return {};
    return at.error(at.found() + " is no operator; expected In, NotIn, Exists or DoesNotExist");
  };
  const auto values = [&](const YamlValue& at) { return read_values(at, expression.values); };
  if (auto read = read_members(value, {{"key", key}, {"operator", op}, {"values", values}});
      !read) {
    return read;
  }
  if (expression.key.empty()) return value.error("the key is missing; expected key: LABEL");
  if (expression.op.empty()) {
    return value.error("the operator is missing; expected In, NotIn, Exists or DoesNotExist");
  }
  const bool lists = expression.op == "In" || expression.op == "NotIn";
  if (lists && expression.values.empty()) {
    return value.error(expression.op + " needs values; expected values: [A, B]");
  }
  if (!lists && !expression.values.empty()) {
    return value.error(expression.op + " takes no values; leave them out");
  }
  return {};
}

Result<void> read_expressions(const YamlValue& value,
                              std::vector<LabelSelector::Expression>& expressions) {
  const auto items = value.items("a list of maps with key, operator, values");
  if (!items) return std::unexpected(items.error());
  if (items->empty()) return value.error("the list is empty; leave the key out");
  for (const YamlValue& item : *items) {
    LabelSelector::Expression expression;
    if (auto read = read_expression(item, expression); !read) return read;
    expressions.push_back(std::move(expression));
  }
  return {};
}

}  // namespace

Result<void> read_selector(const YamlValue& value, LabelSelector& selector) {
  auto read = read_members(
      value,
      {{"matchLabels", [&](const YamlValue& at) { return read_labels(at, selector.match_labels); }},
       {"matchExpressions",
        [&](const YamlValue& at) { return read_expressions(at, selector.match_expressions); }}});
  if (read && selector == LabelSelector{}) {
    return value.error("the selector is empty; leave the key out, which means any");
  }
  return read;
}

}  // namespace spotkeeper::config
