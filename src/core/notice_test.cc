// SPDX-License-Identifier: Apache-2.0
#include "core/notice.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace spotkeeper::core {
namespace {

constexpr Time kNoon = Time(Seconds(1'800'000'000));

Notice notice(NoticeKind kind, Time deadline) {
  return Notice{.id = NoticeId("n"), .kind = kind, .deadline = deadline};
}

const Notice kSpot = notice(NoticeKind::kSpotInterruption, kNoon + Seconds(120));
const Notice kRebalance = notice(NoticeKind::kRebalanceRecommendation, kNever);
const Notice kWish = notice(NoticeKind::kManual, kNever);
const Notice kOrder = notice(NoticeKind::kManual, kNoon + Seconds(120));
const Notice kEvent = notice(NoticeKind::kScheduledEvent, kNoon + std::chrono::hours(24));

Notice later(Notice notice, Seconds by) {
  notice.deadline += by;
  return notice;
}

struct Row {
  const char* name;
  Notice a;
  Notice b;
  bool outranks;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class Outranks : public testing::TestWithParam<Row> {};

TEST_P(Outranks, TakesOverAtOnceOnlyWhatItEndsForCertainOrClearlySooner) {
  EXPECT_EQ(outranks(GetParam().a, GetParam().b), GetParam().outranks);
}

// A takeover that both sides could do would go back and forth.
TEST_P(Outranks, NeverBoth) {
  const Row& row = GetParam();
  EXPECT_FALSE(outranks(row.a, row.b) && outranks(row.b, row.a));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Outranks,
    testing::Values(Row{"the_same", kSpot, kSpot, false},
                    Row{"an_end_over_a_fear", kSpot, kRebalance, true},
                    Row{"a_fear_not_over_an_end", kRebalance, kSpot, false},
                    Row{"an_end_over_a_wish", kSpot, kWish, true},
                    Row{"a_wish_over_a_fear", kWish, kRebalance, true},
                    Row{"a_fear_not_over_a_wish", kRebalance, kWish, false},
                    Row{"a_wish_not_over_a_wish", kWish, kWish, false},
                    Row{"a_fear_not_over_a_fear", kRebalance, kRebalance, false},
                    Row{"clearly_sooner", kSpot, later(kSpot, Seconds(16)), true},
                    Row{"not_clearly_sooner", kSpot, later(kSpot, Seconds(15)), false},
                    Row{"later", later(kSpot, Seconds(60)), kSpot, false},
                    Row{"whoever_says_it", kOrder, later(kSpot, Seconds(60)), true},
                    Row{"a_person_not_over_a_person", kOrder, kWish, false},
                    Row{"nor_for_being_sooner", kOrder, later(kOrder, Seconds(60)), false},
                    Row{"tomorrow_is_outranked", kSpot, kEvent, true},
                    Row{"tomorrow_does_not_outrank", kEvent, kSpot, false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Strength, FearedWishedAndCertain) {
  EXPECT_EQ(strength(kRebalance), 0);
  EXPECT_EQ(strength(kWish), 1);
  EXPECT_EQ(strength(kOrder), 2);
  EXPECT_EQ(strength(kEvent), 2);
  EXPECT_EQ(strength(kSpot), 2);
}

}  // namespace
}  // namespace spotkeeper::core
