// SPDX-License-Identifier: Apache-2.0
#include "core/rules.h"

#include <gtest/gtest.h>

#include "core/plan.h"

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

constexpr auto kSpot = NoticeKind::kSpotInterruption;

Rule rule(const std::string& name) {
  return Rule{.name = name};
}

std::string found(const std::vector<Rule>& rules, const RuleFacts& facts, NoticeKind kind = kSpot) {
  const Rule* rule = find_rule(rules, facts, kind);
  return rule == nullptr ? "" : rule->name;
}

TEST(Rules, WithoutConditionsAnyUnitMatches) {
  EXPECT_EQ(found({rule("1")}, {}), "1");
  EXPECT_EQ(found({}, {}), "");
}

TEST(Rules, TheFirstThatMatchesHolds) {
  Rule shop = rule("shop");
  shop.namespaces = {"shop"};
  EXPECT_EQ(found({shop, rule("rest")}, {.ns = "shop"}), "shop");
  EXPECT_EQ(found({shop, rule("rest")}, {.ns = "bank"}), "rest");
  EXPECT_EQ(found({rule("rest"), shop}, {.ns = "shop"}), "rest");
}

TEST(Rules, OfSeveralValuesOneIsEnoughOfSeveralConditionsAllAreNeeded) {
  Rule both = rule("1");
  both.namespaces = {"shop", "bank"};
  both.owners = {"Job"};
  EXPECT_EQ(found({both}, {.ns = "bank", .owner_kind = "Job"}), "1");
  EXPECT_EQ(found({both}, {.ns = "bank", .owner_kind = "Deployment"}), "");
  EXPECT_EQ(found({both}, {.ns = "else", .owner_kind = "Job"}), "");
}

TEST(Rules, AStarAtTheEndStandsForAnything) {
  Rule team = rule("1");
  team.namespaces = {"team-*"};
  EXPECT_EQ(found({team}, {.ns = "team-a"}), "1");
  EXPECT_EQ(found({team}, {.ns = "team-"}), "1");
  EXPECT_EQ(found({team}, {.ns = "team"}), "");
  EXPECT_EQ(found({team}, {.ns = "a-team-a"}), "");
  team.namespaces = {"*"};
  EXPECT_EQ(found({team}, {.ns = "any"}), "1");
}

TEST(Rules, ByKindOfNotice) {
  Rule soft = rule("1");
  soft.notices = {NoticeKind::kRebalanceRecommendation, NoticeKind::kScheduledEvent};
  EXPECT_EQ(found({soft}, {}, NoticeKind::kScheduledEvent), "1");
  EXPECT_EQ(found({soft}, {}, kSpot), "");
}

TEST(Rules, WhatNobodyOwnsIsOwnedByNone) {
  Rule bare = rule("1");
  bare.owners = {"None"};
  EXPECT_EQ(found({bare}, {}), "1");
  EXPECT_EQ(found({bare}, {.ns = "", .owner_kind = "Job", .labels = {}}), "");
}

TEST(Rules, ByLabels) {
  Rule batch = rule("1");
  batch.selector.match_labels = {{"tier", "batch"}};
  EXPECT_EQ(found({batch}, {.ns = "", .owner_kind = "", .labels = {{"tier", "batch"}}}), "1");
  EXPECT_EQ(found({batch}, {.ns = "", .owner_kind = "", .labels = {{"tier", "web"}}}), "");
  EXPECT_EQ(found({batch}, {}), "");
}

TEST(Rules, WordsForModes) {
  EXPECT_EQ(mode_of("hand-over"), Mode::kHandOver);
  EXPECT_EQ(mode_of("at-once"), Mode::kAtOnce);
  EXPECT_EQ(mode_of("last-moment"), Mode::kLastMoment);
  EXPECT_EQ(mode_of("never"), Mode::kNotOurs);
  EXPECT_EQ(mode_of("Never"), std::nullopt);
  EXPECT_EQ(mode_of(""), std::nullopt);
  EXPECT_STREQ(to_string(Mode::kNotOurs), "stays");
  EXPECT_STREQ(to_string(Mode::kHandOver), "hand-over");
}

// --- What comes of them, with the unit's own wish and the policy ---------------------------------

const Notice kNotice{.id = NoticeId("n")};

TEST(Wanted, TheWishGoesBeforeTheRuleAndTheRuleBeforeThePolicy) {
  Policy policy{.margin = Seconds(3), .enough_grace = Seconds(60)};
  policy.rules = {{.name = "rule 1",
                   .treatment = {.mode = Mode::kLastMoment,
                                 .enough_grace = Seconds(20),
                                 .margin = Seconds(9),
                                 .order = 7}}};
  Unit unit;
  const Wanted ruled = wanted_for(unit, kNotice, policy);
  EXPECT_EQ(ruled.mode, Mode::kLastMoment);
  EXPECT_EQ(ruled.enough_grace, Seconds(20));
  EXPECT_EQ(ruled.margin, Seconds(9));
  EXPECT_EQ(ruled.order, 7);
  EXPECT_EQ(ruled.by, "rule 1");
  unit.wish = {.mode = Mode::kAtOnce, .enough_grace = kFullGrace, .margin = {}, .order = {}};
  const Wanted wished = wanted_for(unit, kNotice, policy);
  EXPECT_EQ(wished.mode, Mode::kAtOnce);
  EXPECT_EQ(wished.enough_grace, kFullGrace);
  EXPECT_EQ(wished.margin, Seconds(9)) << "what it does not name is left to the rule";
  EXPECT_EQ(wished.by, "its annotation");
  policy.rules.clear();
  EXPECT_EQ(wanted_for(unit, kNotice, policy).margin, Seconds(3));
}

TEST(Wanted, DefaultsByOwner) {
  Unit unit;
  EXPECT_EQ(wanted_for(unit, kNotice, {}).mode, Mode::kAtOnce);
  unit.group = GroupId("shop/web");
  EXPECT_EQ(wanted_for(unit, kNotice, {}).mode, Mode::kHandOver);
  unit.local_data = true;
  EXPECT_EQ(wanted_for(unit, kNotice, {.spare_local_data = true}).mode, Mode::kLastMoment);
  EXPECT_EQ(wanted_for(unit, kNotice, {}).by, "");
}

TEST(Wanted, CriticalUnitsGoLastUnlessARuleSaysOtherwise) {
  Unit unit;
  EXPECT_EQ(wanted_for(unit, kNotice, {}).order, 0);
  unit.critical = true;
  EXPECT_GT(wanted_for(unit, kNotice, {}).order, 0);
  Policy policy;
  policy.rules = {{.name = "1", .treatment = {.order = -1}}};
  EXPECT_EQ(wanted_for(unit, kNotice, policy).order, -1);
}

TEST(Wanted, FullGraceIsNeverShortenedByTheBudgetsLongHold) {
  Unit unit{.grace = Seconds(300)};
  EXPECT_EQ(needed_grace(unit, wanted_for(unit, kNotice, {}), {}), Seconds(60));
  unit.wish.enough_grace = kFullGrace;
  EXPECT_EQ(needed_grace(unit, wanted_for(unit, kNotice, {}), {}), Seconds(300));
}

}  // namespace
}  // namespace spotkeeper::core
