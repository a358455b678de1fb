// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <type_traits>

#include "base/clock.h"
#include "base/counters.h"
#include "base/result.h"
#include "base/strong.h"

namespace spotkeeper {
namespace {

struct TimeRow {
  const char* name;
  const char* text;
  const char* utc;  // as format_time gives it back; nullptr: not a time
};

class TimeTable : public testing::TestWithParam<TimeRow> {};

TEST_P(TimeTable, ParsesRfc3339) {
  Time time{};
  const bool good = parse_time(GetParam().text, time);
  ASSERT_EQ(good, GetParam().utc != nullptr);
  if (good) EXPECT_EQ(format_time(time), GetParam().utc);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TimeTable,
    testing::Values(TimeRow{"utc", "2017-09-18T08:22:00Z", "2017-09-18T08:22:00.000Z"},
                    TimeRow{"fraction", "2026-11-21T10:00:00.25Z", "2026-11-21T10:00:00.250Z"},
                    TimeRow{"nanos", "2026-11-21T10:00:00.123456789Z", "2026-11-21T10:00:00.123Z"},
                    TimeRow{"offset", "2026-11-21T12:30:00+02:30", "2026-11-21T10:00:00.000Z"},
                    TimeRow{"west", "2026-11-21T05:00:00-05:00", "2026-11-21T10:00:00.000Z"},
                    TimeRow{"leap_day", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
                    TimeRow{"before_the_epoch", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"},
                    TimeRow{"no_such_day", "2026-02-29T00:00:00Z", nullptr},
                    TimeRow{"no_such_hour", "2026-02-01T24:00:00Z", nullptr},
                    TimeRow{"no_such_offset", "2026-02-01T10:00:00+24:00", nullptr},
                    TimeRow{"before_year_0", "0000-01-01T00:00:00+00:01", nullptr},
                    TimeRow{"year_9999", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"},
                    TimeRow{"after_year_9999", "9999-12-31T23:59:60Z", nullptr},
                    TimeRow{"no_zone", "2026-02-01T10:00:00", nullptr},
                    TimeRow{"trailing", "2026-02-01T10:00:00Zx", nullptr},
                    TimeRow{"empty_fraction", "2026-02-01T10:00:00.Z", nullptr},
                    TimeRow{"words", "tomorrow", nullptr}, TimeRow{"empty", "", nullptr}),
    [](const auto& row) { return std::string(row.param.name); });

class HttpDateTable : public testing::TestWithParam<TimeRow> {};

TEST_P(HttpDateTable, ParsesImfFixdate) {
  Time time{};
  const bool good = parse_http_date(GetParam().text, time);
  ASSERT_EQ(good, GetParam().utc != nullptr);
  if (good) EXPECT_EQ(format_time_s(time), GetParam().utc);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, HttpDateTable,
    testing::Values(TimeRow{"rfc_example", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
                    TimeRow{"leap_day", "Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z"},
                    TimeRow{"wrong_weekday", "Mon, 06 Nov 1994 08:49:37 GMT", nullptr},
                    TimeRow{"no_such_day", "Sun, 29 Feb 2026 08:49:37 GMT", nullptr},
                    TimeRow{"no_such_hour", "Sun, 06 Nov 1994 24:49:37 GMT", nullptr},
                    TimeRow{"other_zone", "Sun, 06 Nov 1994 08:49:37 CET", nullptr},
                    TimeRow{"between_names", "unM, 06 Nov 1994 08:49:37 GMT", nullptr},
                    TimeRow{"rfc_850", "Sunday, 06-Nov-94 08:49:37 GMT", nullptr},
                    TimeRow{"asctime", "Sun Nov  6 08:49:37 1994", nullptr},
                    TimeRow{"short_day", "Sun, 6 Nov 1994 08:49:37 GMT", nullptr},
                    TimeRow{"trailing", "Sun, 06 Nov 1994 08:49:37 GMT ", nullptr},
                    TimeRow{"seconds", "1800000000", nullptr}, TimeRow{"empty", "", nullptr}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Duration, IsWrittenForPeople) {
  EXPECT_EQ(format_duration(Millis(0)), "0 ms");
  EXPECT_EQ(format_duration(Millis(250)), "250 ms");
  EXPECT_EQ(format_duration(Millis(4'500)), "4.5 s");
  EXPECT_EQ(format_duration(Seconds(117)), "117 s");
  EXPECT_EQ(format_duration(Millis(-3'000)), "-3.0 s");
}

TEST(SteadyClock, StartsAtTheWallClockAndNeverGoesBack) {
  const SteadyClock clock;
  const Time wall = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  const Time first = clock.now();
  EXPECT_LT(std::chrono::abs(first - wall), Seconds(1));
  EXPECT_GE(clock.now(), first);
}

TEST(SteadyClock, ACorrectionStaysWhateverTheWallClockSays) {
  SteadyClock clock;
  EXPECT_EQ(clock.host_behind(), Millis(0));
  clock.correct(Seconds(90));
  const Time wall = std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  EXPECT_LT(std::chrono::abs(clock.now() - wall - Seconds(90)), Seconds(1));
  EXPECT_EQ(clock.anchor(), Millis(0));
  EXPECT_LT(std::chrono::abs(clock.now() - wall - Seconds(90)), Seconds(1));
  EXPECT_LT(std::chrono::abs(clock.host_behind() - Seconds(90)), Seconds(1));
  clock.correct(Seconds(-90));
  EXPECT_LT(std::chrono::abs(clock.host_behind()), Seconds(1));
}

TEST(Secret, HasNoWayOutButReveal) {
  static_assert(!std::is_convertible_v<Secret, std::string>);
  const Secret secret("token");
  EXPECT_EQ(secret.reveal(), "token");
}

TEST(Strong, TypesOfDifferentTagsDoNotMix) {
  using A = Strong<struct ATag>;
  using B = Strong<struct BTag>;
  static_assert(!std::is_convertible_v<A, B>);
  static_assert(!std::is_convertible_v<std::string, A>);
  EXPECT_LT(A("a"), A("b"));
}

TEST(Counters, CountByNameAndLabels) {
  Counters counters;
  counters.count("polls", {{"outcome", "quiet"}});
  counters.count("polls", {{"outcome", "quiet"}}, 2);
  counters.count("polls", {{"outcome", "notice"}});
  EXPECT_EQ(counters.value("polls", {{"outcome", "quiet"}}), 3);
  EXPECT_EQ(counters.value("polls", {{"outcome", "notice"}}), 1);
  EXPECT_EQ(counters.value("polls"), 0);
}

TEST(Error, ContextIsPutBeforeTheMessage) {
  const Error error{.kind = ErrorKind::kDenied, .message = "no", .status = 403};
  const Error outer = error.within("reading x");
  EXPECT_EQ(outer.message, "reading x: no");
  EXPECT_EQ(outer.kind, ErrorKind::kDenied);
  EXPECT_EQ(outer.status, 403);
}

}  // namespace
}  // namespace spotkeeper
