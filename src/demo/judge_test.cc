// SPDX-License-Identifier: Apache-2.0
#include "demo/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demo/weather.h"

namespace spotkeeper::demo {
namespace {

using testing::Each;
using testing::ElementsAre;

const Time kStart(Seconds(1'000'000));

Time at(int second) {
  return kStart + Seconds(second);
}

world::PodStory pod_of(const std::string& app, std::optional<int> ready,
                       std::optional<int> told = {}) {
  world::PodStory pod;
  pod.labels = world::Labels{{"app", app}};
  if (ready) pod.ready = at(*ready);
  if (told) pod.told = at(*told);
  return pod;
}

TEST(Scenario, EveryPodBeginsReadyOnTheDoomedHost) {
  for (const std::string& name : scenario_names()) {
    const auto scenario = make_scenario(name);
    world::World world(world_options(), kSeed);
    build(world, *scenario);
    int on_doomed = 0;
    for (const auto& pod : world.list<world::Pod>()) {
      EXPECT_TRUE(pod->ready()) << name << " " << pod->meta.name;
      const App* app = scenario->find(pod->meta.labels.at("app"));
      ASSERT_NE(app, nullptr);
      if (!app->moves()) continue;
      EXPECT_EQ(pod->node, kDoomed) << name << " " << pod->meta.name;
      ++on_doomed;
    }
    EXPECT_EQ(on_doomed, scenario->moving()) << name;
  }
}

TEST(Scenario, TheListOfPodsFitsOnATerminal) {
  for (const std::string& name : scenario_names()) {
    for (const App& app : make_scenario(name)->apps) EXPECT_LE(app.what.size(), 50U) << app.what;
  }
}

TEST(Scenario, ANoticeOfAnotherLengthIsTaken) {
  EXPECT_EQ(make_scenario("shop", Seconds(60))->notice, Seconds(60));
  EXPECT_EQ(make_scenario("short-notice")->notice, Seconds(20));
  EXPECT_FALSE(make_scenario("nothing"));
}

TEST(Outage, IsTheLongestTimeWithoutAServingPod) {
  const std::vector pods{pod_of("web", -60, 10), pod_of("web", 14, 20), pod_of("web", 30),
                         pod_of("other", -60)};
  EXPECT_EQ(outage_of(pods, "web", at(0), at(100)).longest, Seconds(10));
  EXPECT_FALSE(outage_of(pods, "web", at(0), at(100)).still);
  EXPECT_EQ(outage_of(pods, "other", at(0), at(100)).longest, Seconds(0));
}

TEST(Outage, OverlappingPodsLeaveNone) {
  const std::vector pods{pod_of("web", -60, 10), pod_of("web", 5, 40), pod_of("web", 40)};
  EXPECT_EQ(outage_of(pods, "web", at(0), at(100)).longest, Seconds(0));
}

TEST(Outage, LastsWhereNobodyComesBack) {
  const std::vector pods{pod_of("web", -60, 10), pod_of("web", {})};
  const Outage outage = outage_of(pods, "web", at(0), at(100));
  EXPECT_EQ(outage.longest, Seconds(90));
  EXPECT_TRUE(outage.still);
}

TEST(Otherwise, WithoutAnAgentEverybodyIsCutOff) {
  for (const std::string& name : scenario_names()) {
    const auto scenario = make_scenario(name);
    const Outcome outcome = without_spotkeeper(*scenario, Otherwise::kNoAgent);
    EXPECT_EQ(outcome.pods, scenario->moving()) << name;
    EXPECT_EQ(static_cast<int>(outcome.cut_off.size()), outcome.pods) << name;
    EXPECT_FALSE(outcome.spare);
  }
}

TEST(Otherwise, WhoOnlyAsksAgainLosesWhatABudgetHolds) {
  const Outcome shop = without_spotkeeper(*make_scenario("shop"), Otherwise::kEvictRetry);
  EXPECT_THAT(shop.cut_off, ElementsAre("checkout"));
  ASSERT_TRUE(shop.worst);
  EXPECT_EQ(shop.worst->app, "checkout");
  EXPECT_GT(shop.worst->longest, Seconds(45));
  const Outcome closed =
      without_spotkeeper(*make_scenario("closed-budgets"), Otherwise::kEvictRetry);
  EXPECT_EQ(closed.cut_off.size(), 6U);
}

TEST(Weather, SpoilsThreeOfFourForAWhile) {
  Weather weather(at(10), at(40));
  std::vector<Fare> before;
  for (int i = 0; i < 4; ++i) before.push_back(weather.next(at(i)));
  EXPECT_THAT(before, Each(Fare::kFair));
  std::vector<Fare> during;
  for (int i = 0; i < 4; ++i) during.push_back(weather.next(at(10 + i)));
  EXPECT_THAT(during, ElementsAre(Fare::kThrottled, Fare::kLate, Fare::kBroken, Fare::kFair));
  EXPECT_EQ(weather.next(at(40)), Fare::kFair);
  EXPECT_EQ(weather.spoilt(), 3U);
  EXPECT_EQ(bad_answer(Fare::kThrottled).status, 429);
  EXPECT_EQ(bad_answer(Fare::kBroken).status, 500);
}

}  // namespace
}  // namespace spotkeeper::demo
