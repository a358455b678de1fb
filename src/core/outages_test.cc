// SPDX-License-Identifier: Apache-2.0
#include "core/outages.h"

#include <gtest/gtest.h>

#include "core/test_drain.h"

namespace spotkeeper::core {
namespace {

Service web(int ready, bool here = false) {
  return Service{.id = ServiceId("shop/web"), .ready = ready, .here = here};
}

TEST(Outages, AServiceThatWasNeverHereDoesNotCount) {
  Outages outages;
  EXPECT_EQ(outages.seen(web(0), kNoon), Outages::Change::kNone);
  EXPECT_TRUE(outages.lines().empty());
}

TEST(Outages, AddsUpTheTimesWithoutAReadyEndpoint) {
  Outages outages;
  EXPECT_EQ(outages.seen(web(1, true), kNoon), Outages::Change::kNone);
  EXPECT_EQ(outages.seen(web(0), kNoon + Seconds(10)), Outages::Change::kDark);
  EXPECT_EQ(outages.seen(web(0, true), kNoon + Seconds(11)), Outages::Change::kNone);
  EXPECT_TRUE(outages.any_dark());
  EXPECT_EQ(outages.seen(web(2), kNoon + Seconds(14)), Outages::Change::kBright);
  EXPECT_FALSE(outages.any_dark());
  EXPECT_EQ(outages.seen(web(0), kNoon + Seconds(20)), Outages::Change::kDark);
  ASSERT_EQ(outages.lines().size(), 1U);
  EXPECT_EQ(outages.lines()[0].dark, Seconds(4));
  EXPECT_EQ(outages.lines()[0].dark_until(kNoon + Seconds(23)), Seconds(7));
}

TEST(Drain, WaitsALittleForAServiceThatIsDark) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.tell(ServiceSeen{.service = web(1, true)});
  t.answer(t.take().at(0));
  t.tell(ServiceSeen{.service = web(0, true)});
  t.tell(UnitGone{.id = UnitId("uid-web")});
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(5));
  t.tell(ServiceSeen{.service = web(1)});
  EXPECT_TRUE(t.drain.finished());
  EXPECT_EQ(t.drain.services().at(0).dark, Seconds(5));
  EXPECT_EQ(t.count(What::kDark), 1);
  EXPECT_EQ(t.count(What::kBright), 1);
}

TEST(Drain, DoesNotWaitForEverForAService) {
  TestDrain t;
  t.begin({make_unit("web")});
  t.tell(ServiceSeen{.service = web(0, true)});
  t.answer(t.take().at(0));
  t.tell(UnitGone{.id = UnitId("uid-web")});
  t.advance_to(Seconds(29));
  EXPECT_FALSE(t.drain.finished());
  t.advance_to(Seconds(30));
  EXPECT_TRUE(t.drain.finished());
}

}  // namespace
}  // namespace spotkeeper::core
