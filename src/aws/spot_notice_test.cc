// SPDX-License-Identifier: Apache-2.0
#include "aws/spot_notice.h"

#include <gtest/gtest.h>

#include <string>

namespace spotkeeper::aws {
namespace {

Time at(const char* text) {
  Time time{};
  EXPECT_TRUE(parse_time(text, time));
  return time;
}

struct ActionRow {
  const char* name;
  const char* body;
  SpotActionKind kind;
  const char* action;
  const char* time;
};

class InstanceAction : public ::testing::TestWithParam<ActionRow> {};

TEST_P(InstanceAction, IsParsed) {
  const auto result = parse_instance_action(GetParam().body);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->kind, GetParam().kind);
  EXPECT_EQ(result->action, GetParam().action);
  EXPECT_EQ(format_time_s(result->time), GetParam().time);
}

using enum SpotActionKind;

INSTANTIATE_TEST_SUITE_P(
    SpotNotice, InstanceAction,
    ::testing::Values(
        ActionRow{"Terminate", R"({"action":"terminate","time":"2017-09-18T08:22:00Z"})",
                  kTerminate, "terminate", "2017-09-18T08:22:00Z"},
        ActionRow{"Stop", R"({"action": "stop", "time": "2017-09-18T08:22:00Z"})", kStop, "stop",
                  "2017-09-18T08:22:00Z"},
        ActionRow{"Hibernate", R"({"action":"hibernate","time":"2017-09-18T08:22:00Z"})",
                  kHibernate, "hibernate", "2017-09-18T08:22:00Z"},
        ActionRow{"AWordAwsMayAdd", R"({"action":"suspend","time":"2017-09-18T08:22:00Z"})", kOther,
                  "suspend", "2017-09-18T08:22:00Z"},
        ActionRow{"BlanksAround", "\n {\"time\":\"2020-09-15T21:15:41Z\",\"action\":\"stop\"}\r\n",
                  kStop, "stop", "2020-09-15T21:15:41Z"},
        ActionRow{"MembersWeDoNotKnow",
                  R"({"v":2,"action":"stop","time":"2020-09-15T21:15:41Z","more":{"a":[]}})", kStop,
                  "stop", "2020-09-15T21:15:41Z"},
        ActionRow{"OffsetAndFraction", R"({"action":"stop","time":"2020-09-15T23:15:41.5+02:00"})",
                  kStop, "stop", "2020-09-15T21:15:41Z"}),
    [](const auto& row) { return std::string(row.param.name); });

struct MalformedRow {
  const char* name;
  std::string body;
  const char* what;
};

class MalformedInstanceAction : public ::testing::TestWithParam<MalformedRow> {};

TEST_P(MalformedInstanceAction, SaysWhatIsWrong) {
  const auto result = parse_instance_action(GetParam().body);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kPermanent);
  const std::string& message = result.error().message;
  EXPECT_TRUE(message.starts_with(std::string("spot/instance-action: ") + GetParam().what))
      << message;
  EXPECT_LT(message.size(), 150u);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    SpotNotice, MalformedInstanceAction,
    ::testing::Values(
        MalformedRow{"Empty", "", "not JSON"}, MalformedRow{"Page", "<html></html>", "not JSON"},
        MalformedRow{"CutOff", R"({"action":"stop")", "not JSON"},
        MalformedRow{"TwoDocuments", "{} {}", "not JSON"},
        MalformedRow{"NoticeTimeUnquoted",
                     R"({"action": false, "noticeTime": 2020-10-26T15:55:55Z})", "not JSON"},
        MalformedRow{"Deep", std::string(10'000, '['), "not JSON"},
        MalformedRow{"Array", "[]", "not a JSON object: []"},
        MalformedRow{"Null", "null", "not a JSON object: null"},
        MalformedRow{"NoAction", R"({"time":"2017-09-18T08:22:00Z"})", "\"action\" is missing"},
        MalformedRow{"ActionIsFalse", R"({"action": false})", "\"action\" is not a string: false"},
        MalformedRow{"ActionIsLong", R"({"action":[")" + std::string(500, 'x') + "\\n\"]}",
                     "\"action\" is not a string: [\"xxx"},
        MalformedRow{
            "CutBetweenCharacters",
            R"(["spotspotspotspotspotspotspotspotspotspotspotspotspotspots)"
            "ä\"]",
            R"(not a JSON object: ["spotspotspotspotspotspotspotspotspotspotspotspotspotspots…)"},
        MalformedRow{"ActionIsEmpty", R"({"action":"","time":"2017-09-18T08:22:00Z"})",
                     "\"action\" is empty"},
        MalformedRow{"NoTime", R"({"action":"stop"})", "\"time\" is missing"},
        MalformedRow{"TimeIsANumber", R"({"action":"stop","time":1505722920})",
                     "\"time\" is not a string: 1505722920"},
        MalformedRow{"TimeIsNone", R"({"action":"stop","time":"soon\n"})",
                     R"("time" is not RFC 3339: "soon\n")"},
        MalformedRow{"NoSuchDay", R"({"action":"stop","time":"2017-02-30T08:22:00Z"})",
                     "\"time\" is not RFC 3339: \"2017-02-30T08:22:00Z\""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TerminationTime, IsParsed) {
  EXPECT_EQ(parse_termination_time("2015-01-05T18:02:00Z"), at("2015-01-05T18:02:00Z"));
  EXPECT_EQ(parse_termination_time(" 2015-01-05T18:02:00Z\n"), at("2015-01-05T18:02:00Z"));
}

TEST(TerminationTime, AnythingElseIsNoTime) {
  for (const char* body : {"", " ", "\n", "not set", "2015-01-05", "18:02:00", "null", "<html>",
                           "2015-01-05T18:02:00Z and more", "2015-13-05T18:02:00Z"}) {
    EXPECT_EQ(parse_termination_time(body), std::nullopt) << body;
  }
}

}  // namespace
}  // namespace spotkeeper::aws
