// SPDX-License-Identifier: Apache-2.0
// Deeds and figures, by real drains of the core.
#include "tell/deeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_drain.h"
#include "tell/figures.h"

namespace spotkeeper::tell {
namespace {

using core::TestDrain;
using testing::ElementsAre;
using testing::IsEmpty;

// What is told of all that the journal has so far.
std::vector<std::string> reasons(const TestDrain& t, bool marks_only = false) {
  Deeds deeds;
  std::vector<std::string> reasons;
  for (const core::Entry& entry : t.entries) {
    for (const Deed& deed : deeds.on(entry, t.drain, marks_only)) {
      reasons.emplace_back(reason_of(deed));
    }
  }
  return reasons;
}

// One pod, moved.
TestDrain moved() {
  TestDrain t;
  t.begin({core::make_unit("web")});
  t.answer(t.take().at(0));
  t.now += Seconds(2);
  t.tell(core::UnitGone{.id = core::UnitId("uid-web")});
  t.advance_to(Seconds(40));
  return t;
}

TEST(Deeds, ADrainIsAPreDrainAndACordonAndDrain) {
  EXPECT_THAT(reasons(moved()), ElementsAre("PreDrain", "CordonAndDrain"));
}

TEST(Deeds, AMarkThatFailsAtFirstIsToldOnceEachWay) {
  TestDrain t;
  for (int i = 0; i < 4; ++i) {
    t.answer(t.take().at(0), std::unexpected(core::busy(0)));
    t.now += Seconds(6);
    t.tell(core::Tick{});
  }
  t.answer(t.take().at(0));
  EXPECT_THAT(reasons(t), ElementsAre("PreDrainError", "PreDrain"));
}

TEST(Deeds, CordonOnlyIsACordon) {
  core::Policy policy;
  policy.mark_only = true;
  TestDrain t(policy);
  t.begin({core::make_unit("web")});
  t.advance_to(Seconds(40));
  EXPECT_THAT(reasons(t, true), ElementsAre("PreDrain", "Cordon"));
}

TEST(Deeds, APodThatWasCutOffMakesItAnError) {
  TestDrain t;
  t.begin({core::make_unit("web", Seconds(30), {"ns/b"})},
          {{.id = core::BudgetId("ns/b"), .allows = 0}});
  t.advance_to(Seconds(121));
  EXPECT_THAT(reasons(t), ElementsAre("PreDrain", "CordonAndDrainError"));
}

TEST(Deeds, ADryRunDoesNothing) {
  core::Policy policy;
  policy.dry_run = true;
  TestDrain t(policy);
  t.begin({core::make_unit("web")});
  t.advance_to(Seconds(40));
  EXPECT_THAT(reasons(t), IsEmpty());
}

TEST(Deeds, WhatIsWithdrawnIsUncordonedAndNotDrained) {
  TestDrain t;
  t.begin({core::make_unit("web", Seconds(30), {"ns/b"})},
          {{.id = core::BudgetId("ns/b"), .allows = 0}});
  t.tell(core::Withdrawn{.why = "canceled"});
  for (const core::Action& action : t.take()) t.answer(action);
  t.advance_to(Seconds(5));
  EXPECT_THAT(reasons(t), ElementsAre("PreDrain", "Uncordon"));
}

TEST(Deeds, SentencesAreNths) {
  EXPECT_EQ(sentence_of({DeedKind::kCordonAndDrain}), "Node successfully cordoned and drained");
  EXPECT_EQ(sentence_of({DeedKind::kPreDrain}), "Pre-drain task successfully executed");
  EXPECT_EQ(sentence_of({DeedKind::kCordon}), "Node successfully cordoned");
  EXPECT_EQ(sentence_of({DeedKind::kUncordon}), "Node successfully uncordoned");
  EXPECT_THAT(sentence_of({DeedKind::kCordonAndDrain, false, "no time"}),
              testing::HasSubstr("no time"));
}

TEST(Figures, AreNthsAndOurs) {
  const TestDrain t = moved();
  Counters counters;
  Histograms histograms;
  Figures figures(counters, histograms, true);
  Deeds deeds;
  figures.heard(t.drain.notice());
  for (const core::Entry& entry : t.entries) {
    figures.noted(entry, t.drain);
    for (const Deed& deed : deeds.on(entry, t.drain, false)) {
      figures.did(deed, t.drain.notice().id, t.drain.host().value);
    }
  }
  figures.finished(t.drain, t.now);
  const Counters::Labels done{{"node_action", "cordon-and-drain"}, {"node_status", "success"}};
  EXPECT_EQ(counters.value("actions", done), 1);
  EXPECT_EQ(counters.value("actions_node", {{"node_action", "cordon-and-drain"},
                                            {"node_event_id", t.drain.notice().id.value},
                                            {"node_name", "n1"},
                                            {"node_status", "success"}}),
            1);
  EXPECT_EQ(counters.value("pods_told"), 1);
  EXPECT_EQ(counters.value("pods_cut_off"), 0);
  EXPECT_EQ(counters.value("pods", {{"outcome", "moved"}}), 1);
  ASSERT_EQ(histograms.all().size(), 3U);
  for (const auto& [key, data] : histograms.all()) {
    uint64_t sum = 0;
    for (const uint64_t count : data.counts) sum += count;
    EXPECT_EQ(sum, 1U) << key.name;
  }
}

TEST(Figures, WithoutBeingAskedForNoSeriesHasANodesName) {
  const TestDrain t = moved();
  Counters counters;
  Histograms histograms;
  Figures figures(counters, histograms, false);
  figures.did({DeedKind::kPreDrain}, t.drain.notice().id, t.drain.host().value);
  for (const auto& [key, value] : counters.all()) EXPECT_NE(key.name, "actions_node");
}

TEST(Figures, NodeActionsAreBounded) {
  const TestDrain t = moved();
  Counters counters;
  Histograms histograms;
  Figures figures(counters, histograms, true);
  for (int i = 0; i < 2 * Figures::kMostNodeActions; ++i) {
    figures.did({DeedKind::kCordon}, t.drain.notice().id, t.drain.host().value);
  }
  EXPECT_EQ(counters.value("actions_node", {{"node_action", "cordon"},
                                            {"node_event_id", t.drain.notice().id.value},
                                            {"node_name", "n1"},
                                            {"node_status", "success"}}),
            Figures::kMostNodeActions);
}

}  // namespace
}  // namespace spotkeeper::tell
