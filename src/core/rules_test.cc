// SPDX-License-Identifier: Apache-2.0
#include "core/rules.h"

#include <gtest/gtest.h>

namespace spotkeeper::core {
namespace {

struct GraceRow {
  const char* words;
  std::optional<Seconds> grace;
};

class EnoughGrace : public testing::TestWithParam<GraceRow> {};

TEST_P(EnoughGrace, IsADurationOfWholeSecondsOrFull) {
  EXPECT_EQ(enough_grace_of(GetParam().words), GetParam().grace) << "'" << GetParam().words << "'";
}

INSTANTIATE_TEST_SUITE_P(
    Words, EnoughGrace,
    testing::Values(GraceRow{"full", kFullGrace}, GraceRow{"90", Seconds(90)},
                    GraceRow{"90s", Seconds(90)}, GraceRow{"2m", Seconds(120)},
                    GraceRow{"1h", Seconds(3'600)}, GraceRow{"1", Seconds(1)},
                    GraceRow{"86400", Seconds(86'400)}, GraceRow{"24h", Seconds(86'400)},
                    GraceRow{"86401", {}}, GraceRow{"25h", {}}, GraceRow{"1441m", {}},
                    GraceRow{"9999999999", {}}, GraceRow{"2147483647h", {}}, GraceRow{"0", {}},
                    GraceRow{"0s", {}}, GraceRow{"090", {}}, GraceRow{"-5", {}}, GraceRow{"+5", {}},
                    GraceRow{"1.5s", {}}, GraceRow{"500ms", {}}, GraceRow{"90 s", {}},
                    GraceRow{" 90s", {}}, GraceRow{"s", {}}, GraceRow{"", {}}, GraceRow{"Full", {}},
                    GraceRow{"2d", {}}));

RuleFacts facts(const std::string& ns, const std::string& owner, Labels labels = {}) {
  return {.ns = ns, .owner_kind = owner, .labels = std::move(labels)};
}

TEST(FindRule, TheFirstThatMatchesHolds) {
  const std::vector<Rule> rules{{.name = "spot only",
                                 .notices = {NoticeKind::kSpotInterruption},
                                 .namespaces = {"jobs", "team-*"},
                                 .owners = {"Job", "None"}},
                                {.name = "rest", .selector = {.match_labels = {{"app", "web"}}}}};
  const auto name = [&](const RuleFacts& unit, NoticeKind kind) {
    const Rule* rule = find_rule(rules, unit, kind);
    return rule == nullptr ? std::string("no rule") : rule->name;
  };
  const NoticeKind spot = NoticeKind::kSpotInterruption;
  EXPECT_EQ(name(facts("jobs", "Job", {{"app", "web"}}), spot), "spot only");
  EXPECT_EQ(name(facts("team-a", ""), spot), "spot only") << "'None' is nobody's";
  EXPECT_EQ(name(facts("team", "Job"), spot), "no rule");
  EXPECT_EQ(name(facts("jobs", "Deployment"), spot), "no rule");
  EXPECT_EQ(name(facts("jobs", "Job"), NoticeKind::kManual), "no rule");
  EXPECT_EQ(name(facts("jobs", "Job", {{"app", "web"}}), NoticeKind::kManual), "rest");
}

}  // namespace
}  // namespace spotkeeper::core
