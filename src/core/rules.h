// SPDX-License-Identifier: Apache-2.0
// What the operator wants done with which units: rules, of which the first that matches a unit
// holds. A unit's own wish (its annotations) goes before them. Pure values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/label_selector.h"
#include "core/notice.h"

namespace spotkeeper::core {

enum class Mode {
  kNotOurs,     // stays: why is in the plan
  kHandOver,    // its replacement first; asked when that is Ready
  kAtOnce,      // asked now, has all the time that is left
  kLastMoment,  // left alone until its last moment, then told
};

// "stays", "hand-over", "at-once", "last-moment".
const char* to_string(Mode mode);

// What people write: "hand-over", "at-once", "last-moment", "never" (kNotOurs); nothing for
// anything else.
std::optional<Mode> mode_of(const std::string& word);

// Never shorten a unit's grace for the sake of its budget; people write "full".
inline constexpr Seconds kFullGrace = Seconds(366L * 86'400);

// What people write for a grace that is enough: "full" (kFullGrace), or a duration of whole seconds
// from 1 s to 24 h: "90", "90s", "2m", "1h". Nothing for anything else.
std::optional<Seconds> enough_grace_of(const std::string& words);

// What is not given is left to whoever comes next: the rule, then the policy.
struct Treatment {
  std::optional<Mode> mode;
  std::optional<Seconds> enough_grace;  // as Policy::enough_grace; kFullGrace: all of it
  std::optional<Seconds> margin;        // as Policy::margin
  std::optional<int> order;             // units of a lower one go first; 0 if not given

  bool operator==(const Treatment&) const = default;
};

struct Rule {
  std::string name;                     // for people; never empty: "rule 2" when it has none
  std::vector<NoticeKind> notices;      // empty: any
  std::vector<std::string> namespaces;  // empty: any; "*" at the end stands for anything
  std::vector<std::string> owners;      // "Deployment", "Job", … "None"; empty: any
  LabelSelector selector;               // empty: any
  Treatment treatment;

  bool operator==(const Rule&) const = default;
};

// What rules look at in a unit.
struct RuleFacts {
  std::string ns;
  std::string owner_kind;  // "Deployment", "ReplicaSet", "StatefulSet", "Job" …; empty: none
  Labels labels;

  bool operator==(const RuleFacts&) const = default;
};

// The first rule that matches; nullptr: none.
const Rule* find_rule(const std::vector<Rule>& rules, const RuleFacts& facts, NoticeKind kind);

}  // namespace spotkeeper::core
