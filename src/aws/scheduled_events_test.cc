// SPDX-License-Identifier: Apache-2.0
#include "aws/scheduled_events.h"

#include <gmock/gmock.h>

namespace spotkeeper::aws {
namespace {

using testing::HasSubstr;

TEST(ScheduledEvents, AsAwsWritesThem) {
  const auto said = parse_scheduled_events(R"([{
    "NotBefore" : "21 Jan 2019 09:00:43 GMT", "Code" : "system-reboot",
    "Description" : "scheduled reboot", "EventId" : "instance-event-0d59937288b749b32",
    "NotAfter" : "21 Jan 2019 09:17:23 GMT", "State" : "active"}])");
  ASSERT_TRUE(said) << said.error().message;
  ASSERT_EQ(said->events.size(), 1U);
  const ScheduledEvent& event = said->events[0];
  EXPECT_EQ(event.id, "instance-event-0d59937288b749b32");
  EXPECT_EQ(event.code, "system-reboot");
  EXPECT_EQ(event.description, "scheduled reboot");
  EXPECT_FALSE(event.over);
  ASSERT_TRUE(event.not_before);
  EXPECT_EQ(format_time_s(*event.not_before), "2019-01-21T09:00:43Z");
  EXPECT_EQ(said->odd, "");
}

TEST(ScheduledEvents, StatesThatAreOver) {
  for (const auto& [state, over] : {std::pair("active", false),
                                    {"canceled", true},
                                    {"completed", true},
                                    {"cancelled", true},
                                    {"Completed", true},
                                    {"", false},
                                    {"something new", false}}) {
    const auto said = parse_scheduled_events(std::string(R"([{"EventId":"e","State":")") + state +
                                             R"(","NotBefore":"1 Jan 2020 01:03:47 GMT"}])");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->events.at(0).over, over) << state;
  }
}

TEST(ScheduledEvents, TimesWithOneDigitDays) {
  Time time{};
  EXPECT_TRUE(parse_event_time("1 Jan 2020 01:03:47 GMT", time));
  EXPECT_EQ(format_time_s(time), "2020-01-01T01:03:47Z");
  for (const char* wrong : {"", "soon", "2020-01-01T01:03:47Z", "32 Jan 2020 01:03:47 GMT",
                            "1 Jan 2020 01:03:47", "1 Foo 2020 01:03:47 GMT"}) {
    EXPECT_FALSE(parse_event_time(wrong, time)) << wrong;
  }
}

TEST(ScheduledEvents, WhatIsOddIsNamedAndTheRestCounts) {
  const auto said = parse_scheduled_events(
      R"([7, {"notBefore":false}, {"EventId":"e","NotBefore":false}, {"EventId":"f","Code":"x",
          "NotBefore":"1 Jan 2020 01:03:47 GMT"}])");
  ASSERT_TRUE(said);
  ASSERT_EQ(said->events.size(), 2U);
  EXPECT_FALSE(said->events[0].not_before);
  EXPECT_EQ(said->events[1].id, "f");
  EXPECT_THAT(said->odd, HasSubstr("element 1 is no event"));
}

TEST(ScheduledEvents, OneWithoutAnIdHasOneAllTheSame) {
  const auto said =
      parse_scheduled_events(R"([{"Code":"instance-stop","NotBefore":"1 Jan 2020 01:03:47 GMT"}])");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->events.at(0).id, "instance-stop/1 Jan 2020 01:03:47 GMT");
}

TEST(ScheduledEvents, WhatIsNoListIsAnError) {
  for (const char* wrong : {"", "{}", "\"x\"", "[", "<html>"}) {
    const auto said = parse_scheduled_events(wrong);
    ASSERT_FALSE(said) << wrong;
    EXPECT_THAT(said.error().message, HasSubstr("events/maintenance/scheduled: not "));
  }
  EXPECT_TRUE(parse_scheduled_events("[]")->events.empty());
}

}  // namespace
}  // namespace spotkeeper::aws
