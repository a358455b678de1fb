// SPDX-License-Identifier: Apache-2.0
// Policy files. What is accepted is a list of rules that each set something within its limits; what
// is refused is refused in one line.
#include <string>

#include "base/fuzz.h"
#include "config/kube_names.h"
#include "config/policy_file.h"

namespace spotkeeper {
namespace {

void check(const LabelSelector& selector) {
  for (const auto& [key, value] : selector.match_labels) {
    must(config::is_label_key(key) && config::is_label_value(value), "labels are labels");
  }
  for (const LabelSelector::Expression& each : selector.match_expressions) {
    const bool lists = each.op == "In" || each.op == "NotIn";
    must(lists || each.op == "Exists" || each.op == "DoesNotExist", "operators are known");
    must(lists != each.values.empty(), "operators have their values");
    must(config::is_label_key(each.key), "an expression has a key");
  }
}

void check(const core::Rule& rule) {
  const core::Treatment& does = rule.treatment;
  must(does != core::Treatment{}, "a rule sets something");
  must(!rule.name.empty() && rule.name.size() <= 252, "a rule has a name");
  must(is_one_line(rule.name) && is_utf8(rule.name), "its name is fit for a log");
  must(!does.enough_grace || *does.enough_grace == core::kFullGrace ||
           (*does.enough_grace >= Seconds(1) && *does.enough_grace <= std::chrono::hours(24)),
       "enough is from a second to a day");
  must(!does.margin || (*does.margin >= Seconds(0) && *does.margin <= Seconds(60)),
       "a margin is short");
  must(!does.order || std::abs(*does.order) <= 1'000'000, "an order has its limits");
  must(std::ranges::all_of(rule.namespaces, config::is_namespace_pattern), "namespaces are some");
  must(std::ranges::all_of(rule.owners, config::is_kind), "owners are kinds");
  check(rule.selector);
}

}  // namespace

void fuzz(std::string_view input) {
  const auto rules = config::parse_policy(std::string(input), "policy.yaml");
  if (rules) {
    for (const core::Rule& rule : *rules) check(rule);
    return;
  }
  const std::string& message = rules.error().message;
  must(rules.error().kind == ErrorKind::kPermanent, "a bad file stays bad");
  must(is_one_line(message) && is_utf8(message), "the message is one line");
  must(message.starts_with("policy.yaml:"), "the message names the file");
  must(message.size() < 2'000, "the message can be read");
}

}  // namespace spotkeeper
