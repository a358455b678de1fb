// SPDX-License-Identifier: Apache-2.0
#include "observe/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "observe/hosts_view.h"
#include "observe/table.h"
#include "observe/test_view.h"

namespace spotkeeper::observe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

core::TestDrain begun() {
  core::TestDrain t = just_begun();
  t.now += Seconds(20);
  t.tell(core::UnitGone{.id = core::UnitId("uid-web")});
  t.advance_to(Seconds(60));
  return t;
}

TEST(Board, ShowsWhoWaitsAndWhyWhoIsGoneAndWhoStays) {
  const core::TestDrain t = begun();
  EXPECT_THAT(
      board(t.drain, t.now, kPlain),
      ElementsAre(
          "n1  SpotInterruption  second 60, the host ends in 60 s",
          "cni                                     stays: a DaemonSet pod: it serves the n~",
          "db        ---------------.............  waits to +87 s at most: budget b allows~",
          "web       ====|                         told +0 s, gone +20 s"));
}

TEST(Board, NeverExceedsItsWidth) {
  const core::TestDrain t = begun();
  for (const int width : {60, 80, 120}) {
    for (const std::string& line :
         board(t.drain, t.now, {.width = width, .colour = false, .unicode = false})) {
      EXPECT_LE(line.size(), static_cast<size_t>(width)) << line;
    }
  }
}

TEST(Board, SpeaksTheWordsOfThePlace) {
  const core::TestDrain t = begun();
  BoardStyle style = kPlain;
  style.words = [](const std::string& text) { return "<" + text; };
  const auto lines = board(t.drain, t.now, style);
  EXPECT_THAT(lines.at(3), HasSubstr("<told +0 s, gone +20 s"));
  const auto hosts = hosts_board({&t.drain}, {.hosts = 1}, t.now, style);
  EXPECT_THAT(hosts.at(0), StartsWith("<1 hosts:"));
  EXPECT_THAT(hosts.at(1), StartsWith("<n1  60 s"));
}

TEST(Board, WhoIsCutOffIsSaidSo) {
  core::TestDrain t;
  t.begin({core::make_unit("web")});
  t.now += Seconds(121);
  t.tell(core::Tick{});
  const auto lines = board(t.drain, t.now, kPlain);
  EXPECT_THAT(lines.at(0), HasSubstr("the host has ended"));
  EXPECT_THAT(lines.at(1), HasSubstr("X  CUT OFF, never told"));
}

TEST(Board, ADarkServiceHasALine) {
  core::TestDrain t = begun();
  t.tell(core::ServiceSeen{.service = {.id = core::ServiceId("default/web"), .here = true}});
  t.now += Seconds(5);
  EXPECT_THAT(board(t.drain, t.now, kPlain).back(),
              HasSubstr("Service default/web: has no Ready endpoint for 5.0 s"));
}

TEST(Board, ShortNamesLeaveTheTemplateHashOut) {
  core::Unit unit = core::make_unit("web-6b8d9c5f7-x2klp");
  unit.owner = "ReplicaSet/web-6b8d9c5f7";
  EXPECT_EQ(short_name(unit, false), "web-x2klp");
  EXPECT_EQ(short_name(unit, true), "default/web-x2klp");
  unit.owner = "StatefulSet/web";
  EXPECT_EQ(short_name(unit, false), "web-6b8d9c5f7-x2klp");
}

TEST(Fit, CountsCharactersNotBytes) {
  EXPECT_EQ(fit("░░░", 3), "░░░");
  EXPECT_EQ(fit("░░░░", 3), "░░…");
  EXPECT_EQ(fit("abcd", 3, false), "ab~");
}

TEST(Table, TheLastColumnIsWrappedBelowItself) {
  EXPECT_EQ(format_table({{"A", "REMARK"}, {"x", "one two three four five six"}}, 23),
            "A  REMARK\nx  one two three four\n   five six\n");
  EXPECT_EQ(format_table({{"A", "B"}, {"x", "one two"}}), "A  B\nx  one two\n");
}

TEST(Yaml, QuotesWhatWouldBeReadAsSomethingElse) {
  const auto value = boost::json::parse(
      R"({"a":"true","b":"plain/text","c":[1,{"d":null}],"e":"2026-11-21","f":[],"g":"x: y","h":false})");
  EXPECT_EQ(yaml(value),
            "a: \"true\"\nb: plain/text\nc:\n  - 1\n  - d: ~\ne: \"2026-11-21\"\nf: []\n"
            "g: \"x: y\"\nh: false\n");
}

TEST(Json, IsIndented) {
  EXPECT_EQ(pretty_json(boost::json::parse(R"({"a":[1,2],"b":{},"c":"\n"})")),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": \"\\n\"\n}\n");
}

}  // namespace
}  // namespace spotkeeper::observe
