// SPDX-License-Identifier: Apache-2.0
#include "demo/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demo/live_view.h"
#include "demo/screen.h"
#include "demo/verdict.h"

namespace spotkeeper::demo {
namespace {

using core::What;
using testing::HasSubstr;
using testing::SizeIs;

const Time kNotice(Seconds(1'800'000'000));
const std::string kPod = "shop/web-6b8d9c5f7-x2klp";

core::Entry entry_of(What what, const std::string& text, const std::string& unit = kPod) {
  return {.at = kNotice + Seconds(5),
          .what = what,
          .host = core::HostId("n1"),
          .unit = unit,
          .text = text};
}

world::Pod web_pod() {
  world::Pod pod;
  pod.meta.ns = "shop";
  pod.meta.name = "web-6b8d9c5f7-x2klp";
  pod.meta.owner =
      world::Owner{.kind = world::Kind::kReplicaSet, .name = "web-6b8d9c5f7", .uid = {}};
  return pod;
}

struct WordsTest : testing::Test {
  Words words{kNotice, kNotice + Seconds(120)};
};

TEST_F(WordsTest, APodIsToldToEndOnceAndTheReasonIsThere) {
  words.know(web_pod());
  EXPECT_FALSE(words.of(entry_of(What::kAsked, "asked now, to have all the time that is left")));
  const auto told = words.of(entry_of(What::kTold, "its eviction is accepted"));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->about, "web-x2klp");
  EXPECT_EQ(told->who, "agent");
  EXPECT_THAT(told->text, HasSubstr("told to end"));
  EXPECT_THAT(told->text, HasSubstr("all the time that is left"));
}

TEST_F(WordsTest, AnOverruledBudgetIsOneLine) {
  EXPECT_FALSE(
      words.of(entry_of(What::kRefused, "429: would violate the pod's disruption budget")));
  EXPECT_FALSE(words.of(entry_of(What::kOverruled, "budget shop/web has held it")));
  EXPECT_FALSE(words.of(entry_of(What::kStopped, "its last moment, and its budget …")));
  const auto told = words.of(entry_of(What::kTold, "its deletion is written"));
  ASSERT_TRUE(told);
  EXPECT_THAT(told->text, HasSubstr("BUDGET OVERRULED"));
}

TEST_F(WordsTest, AnOutageIsAboutItsService) {
  const auto dark =
      words.of(entry_of(What::kDark, "Service shop/db has no Ready endpoint any more", ""));
  ASSERT_TRUE(dark);
  EXPECT_EQ(dark->about, "db");
  const auto bright = words.of(
      entry_of(What::kBright,
               "Service shop/db has a Ready endpoint again; it had none for 8.3 s in all", ""));
  ASSERT_TRUE(bright);
  EXPECT_EQ(bright->about, "db");
  EXPECT_EQ(bright->text, "its Service has one again, after 8.3 s");
}

TEST_F(WordsTest, MomentsAreSecondsOfTheTimeline) {
  const auto held =
      words.of(entry_of(What::kHeld, "guarded by two budgets; until " +
                                         format_time_s(kNotice + Seconds(87)) + " at most"));
  ASSERT_TRUE(held);
  EXPECT_EQ(held->text, "waits: guarded by two budgets; until second 87 at most");
}

TEST_F(WordsTest, WhatHappensElsewhereInTheWordsOfTheCluster) {
  auto pod = web_pod();
  pod.node = "n2";
  world::set_condition(pod.status.conditions, {.type = "Ready", .status = true});
  const auto object = std::make_shared<const world::Pod>(pod);
  const world::Event event{.change = world::Change::kModified, .object = object, .before = object};
  const auto line = words.of(event, kNotice);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->who, "cluster");
  EXPECT_THAT(line->text, HasSubstr("Ready on n2"));
  EXPECT_FALSE(words.of(event, kNotice)) << "once is enough";
}

TEST_F(WordsTest, AnErrorOfTheAgentIsShownAsItIs) {
  auto failed = entry_of(What::kFailed, "evict shop/web: 500: etcdserver: leader changed");
  failed.level = core::Level::kWarning;
  const auto line = words.of(failed);
  ASSERT_TRUE(line);
  EXPECT_THAT(line->text, HasSubstr("etcdserver: leader changed"));
}

TEST(Timeline, WrapsBelowItsLastColumn) {
  const Line line{.at = kNotice + Millis(12'340),
                  .who = "agent",
                  .about = "a-name-that-is-much-too-long",
                  .text = std::string(40, 'a') + " " + std::string(40, 'b')};
  const auto lines =
      timeline_lines(line, kNotice, {.width = 80, .colour = false, .unicode = false});
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("12.3  agent"));
  for (const std::string& each : lines) EXPECT_LE(each.size(), 80U);
}

TEST(Verdict, SaysWhoWasCutOff) {
  const observe::BoardStyle style{.width = 80, .colour = false, .unicode = false};
  const Outcome bad{.pods = 7, .cut_off = {"checkout", "web", "web"}};
  EXPECT_THAT(verdict_lines(bad, 30, style).front(), HasSubstr("3 of 7 pods were CUT OFF"));
  EXPECT_THAT(verdict_lines(bad, 30, style).front(), HasSubstr("checkout, 2 x web"));
  const Outcome good{.pods = 7, .spare = Seconds(19)};
  EXPECT_THAT(verdict_lines(good, 30, style).front(), HasSubstr("0 of 7 pods were cut off"));
}

TEST(Verdict, TheComparisonFitsOnATerminal) {
  const observe::BoardStyle style{.width = 80, .colour = false, .unicode = false};
  const auto lines = comparison(
      {{.name = "plain eviction, retried every 5 s",
        .outcome = {.pods = 30,
                    .cut_off = std::vector<std::string>(30, "web"),
                    .worst = Outage{.app = "checkout", .longest = Seconds(300), .still = true}}}},
      style);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(lines.back(), HasSubstr("30 of 30 pods"));
}

}  // namespace
}  // namespace spotkeeper::demo
