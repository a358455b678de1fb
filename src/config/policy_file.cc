// SPDX-License-Identifier: Apache-2.0
#include "config/policy_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "config/kube_names.h"
#include "config/notice_kinds.h"
#include "config/policy_selector.h"
#include "config/policy_yaml.h"
#include "config/text_file.h"

namespace spotkeeper::config {
namespace {

constexpr size_t kLongestName = 63;  // characters
constexpr int kFurthestOrder = 1'000'000;
constexpr Seconds kLargestMargin{60};

Result<void> read_name(const YamlValue& value, std::string& name) {
  Result<std::string> text = value.text("a name");
  if (!text) return std::unexpected(text.error());
  const auto characters = std::ranges::count_if(
      *text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  const bool printable = std::ranges::none_of(
      *text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  if (text->empty() || static_cast<size_t>(characters) > kLongestName || !printable) {
    return value.error(fmt::format("{} is no name; expected 1 to {} characters on one line",
                                   value.found(), kLongestName));
  }
  name = std::move(*text);
  return {};
}

Result<void> read_notices(const YamlValue& value, std::vector<core::NoticeKind>& notices) {
  return read_words(value, "notice", fmt::format("{}", fmt::join(notice_kinds(), ", ")),
                    [&](const std::string& word) {
                      const auto kind = core::parse_kind(word);
                      if (kind) notices.push_back(*kind);
                      return kind.has_value();
                    });
}

Result<void> read_namespaces(const YamlValue& value, std::vector<std::string>& namespaces) {
  return read_words(value, "namespace",
                    "lower-case letters, digits and '-', with at most one '*', at the end",
                    [&](const std::string& word) {
                      namespaces.push_back(word);
                      return is_namespace_pattern(word);
                    });
}

Result<void> read_owners(const YamlValue& value, std::vector<std::string>& owners) {
  return read_words(value, "kind",
                    "Deployment, ReplicaSet, StatefulSet, Job, DaemonSet, None, or another kind as "
                    "manifests write it",
                    [&](const std::string& word) {
                      owners.push_back(word);
                      return is_kind(word);
                    });
}

Result<void> read_mode(const YamlValue& value, std::optional<core::Mode>& mode) {
  const Result<std::string> word = value.text("a mode");
  if (!word) return std::unexpected(word.error());
  mode = core::mode_of(*word);
  if (mode) return {};
  return value.error(value.found() +
                     " is no mode; expected hand-over, at-once, last-moment or never");
}

Result<void> read_enough_grace(const YamlValue& value, std::optional<Seconds>& grace) {
  const std::string expected = "whole seconds such as 90s or 2m, from 1s to 24h, or full";
  const Result<std::string> words = value.scalar(expected);
  if (!words) return std::unexpected(words.error());
  grace = core::enough_grace_of(*words);
  if (grace) return {};
  return value.error(fmt::format("{} is no such time; expected {}", value.found(), expected));
}

Result<void> read_margin(const YamlValue& value, std::optional<Seconds>& margin) {
  const std::string expected = "whole seconds such as 5s, from 0s to 60s";
  const Result<std::string> words = value.scalar(expected);
  if (!words) return std::unexpected(words.error());
  margin = *words == "0" || *words == "0s" ? Seconds(0) : core::enough_grace_of(*words);
  if (margin && *margin <= kLargestMargin) return {};
  return value.error(fmt::format("{} is no such time; expected {}", value.found(), expected));
}

Result<void> read_order(const YamlValue& value, std::optional<int>& order) {
  const std::string expected =
      fmt::format("a whole number from {} to {}", -kFurthestOrder, kFurthestOrder);
  const Result<std::string> words = value.scalar(expected);
  if (!words) return std::unexpected(words.error());
  int number = 0;
  const char* const last = words->data() + words->size();
  const auto [end, error] = std::from_chars(words->data(), last, number);
  const bool plain = value.node.Tag() == "?";
  if (!plain || error != std::errc() || end != last || std::abs(number) > kFurthestOrder) {
    return value.error(
        fmt::format("expected {}, found {}{}", expected, value.found(), plain ? "" : " in quotes"));
  }
  order = number;
  return {};
}

Result<core::Rule> read_rule(const YamlValue& value) {
  core::Rule rule;
  core::Treatment& treatment = rule.treatment;
  // In the order in which people are told of them.
  const auto read = read_members(
      value,
      {{"name", [&](const YamlValue& at) { return read_name(at, rule.name); }},
       {"notices", [&](const YamlValue& at) { return read_notices(at, rule.notices); }},
       {"namespaces", [&](const YamlValue& at) { return read_namespaces(at, rule.namespaces); }},
       {"owners", [&](const YamlValue& at) { return read_owners(at, rule.owners); }},
       {"selector", [&](const YamlValue& at) { return read_selector(at, rule.selector); }},
       {"mode", [&](const YamlValue& at) { return read_mode(at, treatment.mode); }},
       {"enoughGrace",
        [&](const YamlValue& at) { return read_enough_grace(at, treatment.enough_grace); }},
       {"margin", [&](const YamlValue& at) { return read_margin(at, treatment.margin); }},
       {"order", [&](const YamlValue& at) { return read_order(at, treatment.order); }}});
  if (!read) return std::unexpected(read.error());
  if (treatment == core::Treatment{}) {
    return value.error("the rule sets nothing; expected mode, enoughGrace, margin or order");
  }
  return rule;
}

Result<void> read_rules(const YamlValue& value, std::vector<core::Rule>& rules) {
  const auto items = value.items("a list of rules ('rules: []' for none)");
  if (!items) return std::unexpected(items.error());
  for (const YamlValue& item : *items) {
    Result<core::Rule> rule = read_rule(item);
    if (!rule) return std::unexpected(rule.error());
    rules.push_back(std::move(*rule));
    if (rules.back().name.empty()) rules.back().name = fmt::format("rule {}", rules.size());
  }
  return {};
}

// UTF-8 as other programs take it, and no control characters. What has NULs yaml-cpp would read as
// UTF-16.
bool is_plain_utf8(const std::string& text) {
  size_t follow = 0;
  unsigned code = 0;
  unsigned least = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (follow > 0) {
      if ((byte & 0xC0U) != 0x80U) return false;
      code = code << 6U | (byte & 0x3FU);
      if (--follow == 0 && (code < least || code > 0x10FFFFU || (code >> 11U) == 0x1BU))
        return false;
    } else if (byte < ' ' || byte == 0x7FU) {
      if (c != '\n' && c != '\r' && c != '\t') return false;
    } else if (byte >= 0x80U) {
      follow = byte >= 0xF0U ? 3 : byte >= 0xE0U ? 2 : 1;
      if (byte < 0xC2U || byte > 0xF4U) return false;
      code = byte & (0x3FU >> follow);
      least = follow == 3 ? 0x10000U : follow == 2 ? 0x800U : 0x80U;
    }
  }
  return follow == 0;
}

}  // namespace

Result<std::vector<core::Rule>> parse_policy(const std::string& text, const std::string& file) {
  if (text.size() > kLargestText) return permanent(file + ": is larger than 1 MiB; expected less");
  if (!is_plain_utf8(text)) return permanent(file + ": is no plain UTF-8 text; save it as that");
  const Result<YamlValue> root = load_yaml(text, file);
  if (!root) return std::unexpected(root.error());
  std::vector<core::Rule> rules;
  bool given = false;
  const auto read = read_members(*root, {{"rules", [&](const YamlValue& at) {
                                            given = true;
                                            return read_rules(at, rules);
                                          }}});
  if (!read) return std::unexpected(read.error());
  if (!given) return root->error("the rules are missing; expected 'rules: []' for none");
  return rules;
}

Result<std::vector<core::Rule>> read_policy_file(const std::string& path) {
  if (path.empty()) return std::vector<core::Rule>();
  const Result<std::string> text = read_text_file(path);
  if (!text) return std::unexpected(text.error().within("policy file"));
  return parse_policy(*text, path);
}

}  // namespace spotkeeper::config
