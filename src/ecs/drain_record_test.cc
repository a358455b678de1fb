// SPDX-License-Identifier: Apache-2.0
#include "ecs/drain_record.h"

#include <gtest/gtest.h>

namespace spotkeeper::ecs {
namespace {

using core::NoticeKind;

core::Notice notice(NoticeKind kind, const std::string& id, Time deadline = kNever) {
  return {.id = core::NoticeId(id), .kind = kind, .deadline = deadline};
}

std::optional<core::Notice> read(const std::string& value) {
  aws::ContainerInstance instance;
  instance.attributes[kDrainAttribute] = value;
  return recorded_notice(instance);
}

TEST(DrainRecord, IsReadAsItWasWritten) {
  const Time deadline(Seconds(1'795'255'200));
  const core::Notice written = notice(NoticeKind::kRebalanceRecommendation,
                                      "rebalance-recommendation-2026-11-21T09:00:00Z", deadline);
  EXPECT_EQ(record_of(written),
            "RebalanceRecommendation/2026-11-21T10:00:00Z/"
            "rebalance-recommendation-2026-11-21T09:00:00Z");
  const auto back = read(record_of(written));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, written.id) << "the same notice, when IMDS says it again";
  EXPECT_EQ(back->kind, written.kind);
  EXPECT_EQ(back->deadline, deadline);
}

TEST(DrainRecord, HoldsWhatEcsTakes) {
  struct Row {
    std::string id;
    std::string wanted;
  };
  for (const Row& row :
       {Row{"manual-17", "Manual//manual-17"}, Row{"a,b\n\"c\"", "Manual//a-b--c-"},
        Row{"ends ", "Manual//ends-"}, Row{"ü", "Manual//--"},
        Row{std::string(200, 'x'), "Manual//" + std::string(120, 'x')}}) {
    const std::string value = record_of(notice(NoticeKind::kManual, row.id));
    EXPECT_EQ(value, row.wanted);
    const auto back = read(value);
    ASSERT_TRUE(back) << value;
    EXPECT_EQ(back->deadline, kNever);
  }
}

TEST(DrainRecord, WhatIsNoneIsNobodys) {
  EXPECT_FALSE(recorded_notice(aws::ContainerInstance{}));
  for (const char* value :
       {"", "blue", "Manual", "Manual/", "Manual//", "Manual/2026-11-21T10:00:00Z", "Whim//x"}) {
    EXPECT_FALSE(read(value)) << value;
  }
}

TEST(DrainRecord, IsWrittenForWhatMayBeTakenBack) {
  const Time soon(Seconds(1'795'255'200));
  EXPECT_TRUE(is_recorded(notice(NoticeKind::kRebalanceRecommendation, "r", soon)));
  EXPECT_TRUE(is_recorded(notice(NoticeKind::kManual, "m")));
  EXPECT_TRUE(is_recorded(notice(NoticeKind::kManual, "m", soon)));
  EXPECT_FALSE(is_recorded(notice(NoticeKind::kSpotInterruption, "s", soon)));
}

TEST(DrainRecord, APersonsDrainIsThatPersons) {
  const core::Notice hand = notice(NoticeKind::kManual, "m");
  const core::Notice feared = notice(NoticeKind::kRebalanceRecommendation, "r");
  const core::Notice sure = notice(NoticeKind::kSpotInterruption, "s");
  EXPECT_TRUE(goes_on_with(hand, hand));
  EXPECT_TRUE(goes_on_with(feared, sure));
  EXPECT_FALSE(goes_on_with(hand, feared));
  EXPECT_FALSE(goes_on_with(feared, hand));
}

}  // namespace
}  // namespace spotkeeper::ecs
