// SPDX-License-Identifier: Apache-2.0
#include "core/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

constexpr Time kNoon = Time(Seconds(1'800'000'000));

Notice spot(Seconds in) {
  return Notice{.id = NoticeId("n1"), .deadline = kNoon + in, .source = "imds"};
}

Unit unit(Seconds grace) {
  return Unit{.id = UnitId("u1"), .name = "default/web", .grace = grace, .ready = true};
}

Plan plan_of(const Unit& unit, const Notice& notice, const Policy& policy,
             Millis lead = Millis(0)) {
  return plan_unit(unit, wanted_for(unit, notice, policy), "", notice, policy, lead, kNoon);
}

struct Row {
  const char* name;
  int notice_s;
  int grace_s;
  int override_s;  // -1: none
  int stops;
  int force_s;  // expected, after kNoon
  bool fits;
};

class PlanTable : public testing::TestWithParam<Row> {};

TEST_P(PlanTable, ForceFollowsFromTheDeadline) {
  const Row& row = GetParam();
  Policy policy;
  if (row.override_s >= 0) policy.grace_override = Seconds(row.override_s);
  const Plan plan = plan_of(unit(Seconds(row.grace_s)), spot(Seconds(row.notice_s)), policy,
                            stop_lead(row.stops, kMostRequestsPerStop, Millis(0), policy));
  EXPECT_EQ(plan.mode, Mode::kAtOnce);
  EXPECT_EQ(plan.start, kNoon);
  EXPECT_EQ(plan.force, kNoon + Seconds(row.force_s));
  EXPECT_EQ(plan.fits, row.fits);
  EXPECT_FALSE(plan.why.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rules, PlanTable,
    testing::Values(Row{"grace_30", 120, 30, -1, 0, 87, true},
                    Row{"grace_0", 120, 0, -1, 0, 117, true},
                    Row{"enough_grace_caps", 120, 100, -1, 0, 57, true},
                    Row{"grace_longer_than_notice", 120, 600, -1, 0, 57, false},
                    Row{"override_shortens", 120, 600, 10, 0, 107, true},
                    Row{"override_lengthens", 120, 5, 90, 0, 57, true},
                    Row{"a_hundred_stops_take_three_seconds", 120, 30, -1, 100, 84, true},
                    Row{"late_notice_forces_at_once", 20, 30, -1, 0, 0, false},
                    Row{"deadline_in_the_past", -600, 30, -1, 0, 0, false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Plan, ExemptUnitsStayWithTheirReason) {
  Unit daemon = unit(Seconds(30));
  daemon.exempt = "a DaemonSet pod";
  const Plan plan = plan_of(daemon, spot(Seconds(120)), Policy{});
  EXPECT_EQ(plan.mode, Mode::kNotOurs);
  EXPECT_EQ(plan.force, kNever);
  EXPECT_EQ(plan.why, "a DaemonSet pod");
}

TEST(Plan, SoftNoticesNeverForce) {
  Notice notice = spot(Seconds(120));
  notice.kind = NoticeKind::kRebalanceRecommendation;
  const Plan plan = plan_of(unit(Seconds(30)), notice, Policy{});
  EXPECT_EQ(plan.start, kNoon);
  EXPECT_EQ(plan.force, kNever);
}

TEST(Plan, LocalDataIsSparedUntilTheLastMomentWhenAsked) {
  Unit with_data = unit(Seconds(30));
  with_data.local_data = true;
  Policy policy;
  EXPECT_EQ(plan_of(with_data, spot(Seconds(120)), policy).mode, Mode::kAtOnce);
  policy.spare_local_data = true;
  const Plan plan = plan_of(with_data, spot(Seconds(120)), policy);
  EXPECT_EQ(plan.mode, Mode::kLastMoment);
  EXPECT_EQ(plan.start, kNoon + Seconds(87));
  EXPECT_EQ(plan.force, plan.start);
}

TEST(Plan, LocalDataStaysForGoodOnSoftNotices) {
  Unit with_data = unit(Seconds(30));
  with_data.local_data = true;
  Policy policy;
  policy.spare_local_data = true;
  Notice notice = spot(Seconds(120));
  notice.kind = NoticeKind::kRebalanceRecommendation;
  EXPECT_EQ(plan_of(with_data, notice, policy).start, kNever);
}

TEST(Plan, StartCanBeHeldBackToNodeTerminationGracePeriod) {
  Policy policy;
  policy.start_before = Seconds(60);
  const Plan plan = plan_of(unit(Seconds(30)), spot(Seconds(120)), policy);
  EXPECT_EQ(plan.start, kNoon + Seconds(60));
  EXPECT_EQ(plan.force, kNoon + Seconds(87));
  const Plan tight = plan_of(unit(Seconds(100)), spot(Seconds(120)), policy);
  EXPECT_EQ(tight.start, kNoon + Seconds(57)) << "being left alone costs nobody the last moment";
  EXPECT_EQ(tight.force, tight.start);
}

TEST(Plan, ASlowApiIsAllowedForAtEachRequest) {
  EXPECT_EQ(stop_lead(0, 3, Millis(1'500), Policy{}), Millis(4'500));
  EXPECT_EQ(stop_lead(0, requests_per_stop(true, true), Millis(1'500), Policy{}), Millis(1'500));
}

TEST(Plan, TooLongAGraceIsSaid) {
  const Plan plan = plan_of(unit(Seconds(600)), spot(Seconds(120)), Policy{});
  EXPECT_THAT(plan.why, HasSubstr("600 s"));
}

struct GraceRow {
  const char* name;
  int grace_s;
  int left_s;  // until the deadline; the margin is 3 s
  int expected_s;
};

class LastGraceTable : public testing::TestWithParam<GraceRow> {};

TEST_P(LastGraceTable, IsWhatFits) {
  const GraceRow& row = GetParam();
  Plan plan;
  plan.grace = Seconds(row.grace_s);
  EXPECT_EQ(last_grace(plan, spot(Seconds(row.left_s)), kNoon), Seconds(row.expected_s));
}

INSTANTIATE_TEST_SUITE_P(Rules, LastGraceTable,
                         testing::Values(GraceRow{"own", 30, 60, 30}, GraceRow{"cut", 600, 60, 57},
                                         GraceRow{"never_0", 0, 60, 1},
                                         GraceRow{"one_second", 30, 4, 1},
                                         GraceRow{"within_the_margin", 30, 3, 3},
                                         GraceRow{"at_the_deadline", 30, 0, 1},
                                         GraceRow{"past_the_deadline", 30, -5, 10},
                                         GraceRow{"past_and_short", 2, -5, 2}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace spotkeeper::core
