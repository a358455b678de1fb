// SPDX-License-Identifier: Apache-2.0
#include "tell/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/json.h"
#include "tell/words.h"

namespace spotkeeper::tell {
namespace {

using testing::HasSubstr;
using testing::Not;

const Time kEnd(Seconds(1'600'204'541));  // 2020-09-15T21:15:41Z

core::Notice notice(core::NoticeKind kind = core::NoticeKind::kSpotInterruption) {
  return {.id = core::NoticeId("spot-itn-47dd"),
          .kind = kind,
          .deadline = kEnd,
          .source = "imds",
          .detail = "terminate",
          .received = kEnd - Seconds(120)};
}

std::string rendered(const char* text, const Message& message) {
  const auto parsed = tmpl::Template::parse(text, "t", schema());
  if (!parsed) return parsed.error().message;
  const auto out = parsed->render(record(message), kEnd);
  return out ? *out : out.error().message;
}

TEST(Message, HasNthsWords) {
  const Message m = message_of(notice(), "n1");
  EXPECT_EQ(m.kind, "SPOT_ITN");
  EXPECT_EQ(m.monitor, "SPOT_ITN_MONITOR");
  EXPECT_EQ(m.description,
            "Spot ITN received. Instance will be interrupted at 2020-09-15T21:15:41Z");
  EXPECT_EQ(rendered("{{ .StartTime }}", m), "2020-09-15 21:15:41 +0000 UTC");
}

TEST(Message, EachKindHasAReasonADescriptionAndNoLineEnd) {
  for (const core::NoticeKind kind : core::all_kinds()) {
    EXPECT_STRNE(nth_kind(kind), "UNKNOWN");
    EXPECT_STRNE(nth_monitor(kind), "UNKNOWN");
    EXPECT_FALSE(description(notice(kind)).empty());
    EXPECT_THAT(description(notice(kind)), Not(HasSubstr("\n")));
    EXPECT_STRNE(event_reason(kind), "");
  }
  EXPECT_STREQ(event_reason(core::NoticeKind::kAsgTermination), "ASGLifecycle");
}

// Of one whose name nobody would write: what a template gets is the record, whatever it is.
TEST(Message, EveryFieldOfTheSchemaIsInTheRecord) {
  const tmpl::Value made = record(sample());
  EXPECT_EQ(made.fields().size(), schema().size());
  for (const auto& [name, type] : schema()) {
    EXPECT_NE(made.field(name), nullptr) << name;
    EXPECT_FALSE(rendered(("{{ ." + name + " }}").c_str(), sample()).starts_with("t:")) << name;
  }
}

// NTH's own had a raw line end within a JSON text.
TEST(Message, TheDefaultBodyIsValidJsonWhateverTheTextsAre) {
  Message m = message_of(notice(), "n\"1\\");
  m.description = "two\nlines and a \"quote\" \x01";
  const std::string body = rendered(default_template(), m);
  boost::system::error_code wrong;
  const auto root = boost::json::parse(body, wrong);
  ASSERT_FALSE(wrong) << body;
  EXPECT_THAT(text_at(root, {"text"}), HasSubstr("EventID: spot-itn-47dd - Kind: SPOT_ITN"));
  EXPECT_THAT(text_at(root, {"text"}), HasSubstr("Description: two\nlines and a \"quote\""));
  EXPECT_THAT(text_at(root, {"text"}), HasSubstr("Start Time: 2020-09-15 21:15:41 +0000 UTC"));
}

TEST(Message, SlackTeamsAndPagerDutyGetTheirJson) {
  Message m = sample();
  m.description = "<b> & \"c\"";
  const auto slack = boost::json::parse(slack_body(m));
  EXPECT_THAT(text_at(slack, {"text"}), HasSubstr("*SPOT_ITN on node ip-10-0-7-10.ec2.internal*"));
  EXPECT_THAT(text_at(slack, {"text"}), HasSubstr("&lt;b&gt; &amp; \"c\""));
  const auto teams = boost::json::parse(teams_body(m));
  const auto* card = find(teams, {"attachments"});
  ASSERT_NE(card, nullptr);
  const auto& first = card->as_array().at(0);
  EXPECT_EQ(text_at(first, {"contentType"}), "application/vnd.microsoft.card.adaptive");
  EXPECT_EQ(text_at(first, {"content", "type"}), "AdaptiveCard");
  EXPECT_EQ(find_array(first, {"content", "body"})->size(), 3U);
  const auto pager = boost::json::parse(pagerduty_body(m, "k3y"));
  EXPECT_EQ(text_at(pager, {"routing_key"}), "k3y");
  EXPECT_EQ(text_at(pager, {"event_action"}), "trigger");
  EXPECT_EQ(text_at(pager, {"dedup_key"}), m.event_id);
  EXPECT_EQ(text_at(pager, {"payload", "severity"}), "warning");
  EXPECT_FALSE(text_at(pager, {"payload", "summary"}).empty());
  EXPECT_FALSE(text_at(pager, {"payload", "source"}).empty());
}

TEST(Instance, IsReadFromTheIdentityDocument) {
  Instance instance;
  EXPECT_TRUE(take_identity(instance, R"({"accountId":"0123456789","availabilityZone":"us-east-1f",
    "privateIp":"10.0.7.10","instanceId":"i-1","instanceType":"m4.xlarge","region":"us-east-1",
    "ramdiskId":null})"));
  EXPECT_EQ(instance.account_id, "0123456789");
  EXPECT_EQ(instance.region, "us-east-1");
  EXPECT_EQ(annotations_of(instance).size(), 10U);
  EXPECT_EQ(annotations_of(instance).at("local-ipv4"), "10.0.7.10");
  EXPECT_FALSE(take_identity(instance, "<html>"));
  EXPECT_EQ(instance.instance_id, "i-1") << "what was known stays";
}

TEST(Instance, ARegionIsThatOfItsZone) {
  EXPECT_EQ(region_of("us-east-1a"), "us-east-1");
  EXPECT_EQ(region_of("us-gov-west-1b"), "us-gov-west-1");
  EXPECT_EQ(region_of("us-west-2-lax-1a"), "us-west-2");
  EXPECT_EQ(region_of("garbage"), "");
}

}  // namespace
}  // namespace spotkeeper::tell
