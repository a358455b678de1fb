// SPDX-License-Identifier: Apache-2.0
#include "core/rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace spotkeeper::core {
namespace {

constexpr std::array<std::pair<const char*, Mode>, 4> kWords{{{"hand-over", Mode::kHandOver},
                                                              {"at-once", Mode::kAtOnce},
                                                              {"last-moment", Mode::kLastMoment},
                                                              {"never", Mode::kNotOurs}}};

constexpr Seconds kLongestGrace{86'400};

bool fits(const std::string& pattern, const std::string& name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool matches(const Rule& rule, const RuleFacts& facts, NoticeKind kind) {
  const std::string owner = facts.owner_kind.empty() ? "None" : facts.owner_kind;
  const auto any_or = [](const auto& list, const auto& test) {
    return list.empty() || std::ranges::any_of(list, test);
  };
  return any_or(rule.notices, [kind](NoticeKind one) { return one == kind; }) &&
         any_or(rule.namespaces,
                [&facts](const std::string& one) { return fits(one, facts.ns); }) &&
         any_or(rule.owners, [&owner](const std::string& one) { return one == owner; }) &&
         rule.selector.matches(facts.labels);
}

}  // namespace

const char* to_string(Mode mode) {
  if (mode == Mode::kNotOurs) return "stays";
  const auto* const found = std::ranges::find(kWords, mode, &std::pair<const char*, Mode>::second);
  return found != kWords.end() ? found->first : "unknown";
}

std::optional<Mode> mode_of(const std::string& word) {
  for (const auto& [text, mode] : kWords) {
    if (word == text) return mode;
  }
  return std::nullopt;
}

std::optional<Seconds> enough_grace_of(const std::string& words) {
  if (words == "full") return kFullGrace;
  if (words.starts_with('0') || words.starts_with('-')) return std::nullopt;
  int count = 0;
  const char* const last = words.data() + words.size();
  const auto [end, error] = std::from_chars(words.data(), last, count);
  const std::string_view unit(end, static_cast<size_t>(last - end));
  if (error != std::errc() || count > kLongestGrace.count()) return std::nullopt;
  Seconds grace(count);
  if (unit == "m") {
    grace = std::chrono::minutes(count);
  } else if (unit == "h") {
    grace = std::chrono::hours(count);
  } else if (!unit.empty() && unit != "s") {
    return std::nullopt;
  }
  return grace <= kLongestGrace ? std::optional(grace) : std::nullopt;
}

const Rule* find_rule(const std::vector<Rule>& rules, const RuleFacts& facts, NoticeKind kind) {
  const auto found =
      std::ranges::find_if(rules, [&](const Rule& rule) { return matches(rule, facts, kind); });
  return found != rules.end() ? &*found : nullptr;
}

}  // namespace spotkeeper::core
