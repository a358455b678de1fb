// SPDX-License-Identifier: Apache-2.0
#include "sources/queue_message.h"

#include <gmock/gmock.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace spotkeeper::sources {
namespace {

namespace json = boost::json;
using core::NoticeKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Time kReceived = Time(Seconds(1'795'255'200));  // 2026-11-21T10:00:00Z
const Time kSaid = kReceived - Seconds(3);

json::object envelope(const char* source, const char* type, json::object detail) {
  return {{"version", "0"},
          {"id", "1e5527d7-bb36-4607-3370-4164db56a40e"},
          {"detail-type", type},
          {"source", source},
          {"account", "123456789012"},
          {"time", "2026-11-21T09:59:57Z"},
          {"region", "us-east-1"},
          {"resources", {"arn:aws:ec2:us-east-1b:instance/i-0b662ef9931388ba0"}},
          {"detail", std::move(detail)}};
}

json::object spot() {
  return envelope("aws.ec2", "EC2 Spot Instance Interruption Warning",
                  {{"instance-id", "i-0b662ef9931388ba0"}, {"instance-action", "terminate"}});
}

json::object hook_detail(const char* transition) {
  return {{"LifecycleActionToken", "0befcbdb-6ecd-498a-9ff7-ae9b54447cd6"},
          {"AutoScalingGroupName", "my-asg"},
          {"LifecycleHookName", "node-termination-handler"},
          {"EC2InstanceId", "i-0633ac2b0d9769723"},
          {"LifecycleTransition", transition}};
}
json::object terminating() {
  return envelope("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action",
                  hook_detail("autoscaling:EC2_INSTANCE_TERMINATING"));
}

// Auto Scaling straight to SQS.
json::object notification(const char* transition = "autoscaling:EC2_INSTANCE_TERMINATING") {
  json::object body = hook_detail(transition);
  body["Event"] = "";
  body["RequestId"] = "3775fac9-93c3-7ead-8713-159816566000";
  body["Time"] = "2022-01-31T23:07:47.872Z";
  return body;
}

json::object health(json::array entities) {
  return envelope("aws.health", "AWS Health Event",
                  {{"eventArn", "arn:aws:health:region::event/id"},
                   {"service", "EC2"},
                   {"eventTypeCode", "AWS_EC2_DEDICATED_HOST_NETWORK_MAINTENANCE_SCHEDULED"},
                   {"eventTypeCategory", "scheduledChange"},
                   {"startTime", "Sat, 05 Jun 2016 15:10:09 GMT"},  // it was a Sunday
                   {"eventDescription", json::array{json::object{{"language", "en_US"}}}},
                   {"affectedEntities", std::move(entities)}});
}
json::object entity(const char* value) {
  return {{"entityValue", value}, {"tags", {{"stage", "prod"}}}};
}

json::object by_sns(const json::object& inner) {
  return {{"Type", "Notification"},
          {"MessageId", "1"},
          {"TopicArn", "arn:aws:sns:us-east-1:123456789012:t"},
          {"Message", json::serialize(inner)}};
}

Result<QueueMessage> read(const json::object& body) {
  return read_message(json::serialize(body), kReceived);
}

QueueMessage good(const json::object& body) {
  const auto message = read(body);
  EXPECT_TRUE(message.has_value()) << message.error().message;
  return message ? *message : QueueMessage();
}

QueueEvent the_event(const json::object& body) {
  const QueueMessage message = good(body);
  EXPECT_EQ(message.events.size(), 1U) << message.ignored;
  EXPECT_EQ(message.ignored, "");
  return message.events.empty() ? QueueEvent() : message.events[0];
}

std::string why_ignored(const json::object& body) {
  const QueueMessage message = good(body);
  EXPECT_THAT(message.events, IsEmpty());
  return message.ignored;
}

std::string poison(const std::string& body) {
  const auto message = read_message(body, kReceived);
  if (message) return "";
  EXPECT_EQ(message.error().kind, ErrorKind::kPermanent);
  return message.error().message;
}

TEST(QueueMessage, ASpotInterruption) {
  const QueueEvent event = the_event(spot());
  EXPECT_EQ(
      event.id.value,
      "spot-itn-event-31653535323764372d626233362d343630372d333337302d343136346462353661343065");
  EXPECT_EQ(event.kind, NoticeKind::kSpotInterruption);
  EXPECT_EQ(event.instance.value, "i-0b662ef9931388ba0");
  EXPECT_EQ(event.at, kSaid);
  EXPECT_EQ(event.detail, "terminate");
  EXPECT_EQ(event.description,
            "Spot ITN received. Instance i-0b662ef9931388ba0 was given notice at "
            "2026-11-21T09:59:57Z");
  EXPECT_EQ(event.account, "123456789012");
  EXPECT_EQ(event.region, "us-east-1");
  EXPECT_EQ(event.group, "");
  EXPECT_FALSE(event.hook.has_value());
  EXPECT_FALSE(event.starts.has_value());
}

TEST(QueueMessage, ARebalanceRecommendation) {
  const QueueEvent event = the_event(
      envelope("aws.ec2", "EC2 Instance Rebalance Recommendation", {{"instance-id", "i-0a"}}));
  EXPECT_EQ(event.kind, NoticeKind::kRebalanceRecommendation);
  EXPECT_THAT(event.id.value, testing::StartsWith("rebalance-recommendation-event-3165"));
  EXPECT_EQ(event.detail, "");
}

TEST(QueueMessage, ACapacityReservationInterruption) {
  const QueueEvent event =
      the_event(envelope("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning",
                         {{"instance-id", "i-0a"}, {"instance-action", "stop"}}));
  EXPECT_EQ(event.kind, NoticeKind::kCapacityReservationInterruption);
  EXPECT_THAT(event.id.value, testing::StartsWith("capacity-reservation-event-3165"));
  EXPECT_EQ(event.detail, "stop");
}

json::object state_change(const char* state) {
  return envelope("aws.ec2", "EC2 Instance State-change Notification",
                  {{"instance-id", "i-abcd1111"}, {"state", state}});
}

TEST(QueueMessage, AStateThatEndsTheInstance) {
  for (const char* state : {"stopping", "stopped", "shutting-down", "terminated", "Terminated"}) {
    const QueueEvent event = the_event(state_change(state));
    EXPECT_EQ(event.kind, NoticeKind::kStateChange);
    EXPECT_THAT(event.id.value, testing::StartsWith("ec2-state-change-event-3165"));
    EXPECT_EQ(event.instance.value, "i-abcd1111");
  }
  EXPECT_EQ(the_event(state_change("Terminated")).detail, "terminated");
}

// NTH looks for the state within a list of words, and so acts on parts of them.
TEST(QueueMessage, OtherStatesAreIgnored) {
  for (const char* state : {"pending", "running", "stop", "shutting", "ed,shutting-down", ","}) {
    EXPECT_THAT(why_ignored(state_change(state)), HasSubstr(state));
  }
  EXPECT_THAT(poison(json::serialize(state_change(""))), HasSubstr("names no state"));
}

TEST(QueueMessage, AnEventOfEc2ThatIsForOthers) {
  EXPECT_THAT(why_ignored(envelope("aws.ec2", "EBS Snapshot Notification", {})),
              HasSubstr("EBS Snapshot Notification"));
  EXPECT_THAT(why_ignored(envelope("aws.ecs", "ECS Task State Change", {})),
              HasSubstr("aws.ecs \"ECS Task State Change\""));
}

TEST(QueueMessage, AnAutoScalingTermination) {
  const QueueEvent event = the_event(terminating());
  EXPECT_EQ(event.kind, NoticeKind::kAsgTermination);
  EXPECT_THAT(event.id.value, testing::StartsWith("asg-lifecycle-term-3165"));
  EXPECT_EQ(event.instance.value, "i-0633ac2b0d9769723");
  EXPECT_EQ(event.group, "my-asg");
  const HookAction hook{.group = "my-asg",
                        .hook = "node-termination-handler",
                        .token = "0befcbdb-6ecd-498a-9ff7-ae9b54447cd6",
                        .launching = false,
                        .destination = ""};
  EXPECT_EQ(event.hook, hook);
}

TEST(QueueMessage, AnAutoScalingLaunch) {
  json::object detail = hook_detail("autoscaling:EC2_INSTANCE_LAUNCHING");
  detail["Destination"] = "WarmPool";
  const QueueEvent event = the_event(
      envelope("aws.autoscaling", "EC2 Instance-launch Lifecycle Action", std::move(detail)));
  EXPECT_EQ(event.kind, NoticeKind::kAsgLaunch);
  EXPECT_THAT(event.id.value, testing::StartsWith("asg-lifecycle-term-3165"));  // as NTH says it
  EXPECT_TRUE(event.hook->launching);
  EXPECT_EQ(event.hook->destination, "WarmPool");
}

// What happens is said by the transition, not by the event's type.
TEST(QueueMessage, TheTransitionCounts) {
  EXPECT_EQ(the_event(envelope("aws.autoscaling", "Something new",
                               hook_detail("autoscaling:EC2_INSTANCE_TERMINATING")))
                .kind,
            NoticeKind::kAsgTermination);
}

TEST(QueueMessage, AutoScalingStraightToSqs) {
  const QueueEvent event = the_event(notification());
  EXPECT_EQ(event.kind, NoticeKind::kAsgTermination);
  EXPECT_EQ(event.id.value,
            "asg-lifecycle-term-"
            "33373735666163392d393363332d376561642d383731332d313539383136353636303030");
  EXPECT_EQ(format_time(event.at), "2022-01-31T23:07:47.872Z");
  EXPECT_EQ(event.hook->hook, "node-termination-handler");
  EXPECT_TRUE(the_event(notification("autoscaling:EC2_INSTANCE_LAUNCHING")).hook->launching);
}

TEST(QueueMessage, TestNotifications) {
  const char* test = "autoscaling:TEST_NOTIFICATION";
  json::object straight = notification(test);
  straight["Event"] = test;
  json::object real{{"AccountId", "123456789012"}, {"RequestId", "r"}, {"Event", test}};
  json::object bus =
      envelope("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action", hook_detail(test));
  for (const json::object& body :
       {straight, real, bus, notification(test), by_sns(straight), by_sns(real)}) {
    EXPECT_EQ(why_ignored(body), "a test notification of Auto Scaling") << body;
  }
}

TEST(QueueMessage, WhatElseAutoScalingSays) {
  json::object done{{"Event", "autoscaling:EC2_INSTANCE_TERMINATE"}, {"EC2InstanceId", "i-0a"}};
  EXPECT_THAT(why_ignored(done), HasSubstr("autoscaling:EC2_INSTANCE_TERMINATE\""));
  EXPECT_THAT(why_ignored(notification("autoscaling:SOMETHING_NEW")), HasSubstr("SOMETHING_NEW"));
  EXPECT_THAT(why_ignored(envelope("aws.autoscaling", "EC2 Instance Launch Successful", {})),
              HasSubstr("EC2 Instance Launch Successful"));
  EXPECT_THAT(poison(json::serialize(notification("odd"))), HasSubstr("lifecycle transition"));
}

TEST(QueueMessage, BySns) {
  EXPECT_EQ(the_event(by_sns(notification())).id, the_event(notification()).id);
  EXPECT_EQ(the_event(by_sns(spot())).id, the_event(spot()).id);
  EXPECT_EQ(good(by_sns(health({entity("i-0a"), entity("i-0b")}))).events.size(), 2U);
  const json::object bare{{"Message", json::serialize(notification())}};  // as NTH's tests have it
  EXPECT_EQ(the_event(bare).kind, NoticeKind::kAsgTermination);
}

TEST(QueueMessage, WhatSnsSaysOfItself) {
  EXPECT_THAT(why_ignored({{"Type", "UnsubscribeConfirmation"}, {"Message", "m"}}),
              HasSubstr("has ended"));
  EXPECT_THAT(poison(R"({"Type":"SubscriptionConfirmation","Message":"You have chosen"})"),
              HasSubstr("subscription confirmed"));
  EXPECT_THAT(poison(json::serialize(by_sns(by_sns(spot())))), HasSubstr("no event that is"));
  EXPECT_THAT(poison(R"({"Message":"hello"})"), HasSubstr("no JSON object"));
}

TEST(QueueMessage, AScheduledChange) {
  const QueueEvent event = the_event(health({entity("i-12345678")}));
  EXPECT_EQ(event.kind, NoticeKind::kScheduledEvent);
  EXPECT_EQ(event.id.value,
            "aws-health-scheduled-change-event-"
            "31653535323764372d626233362d343630372d333337302d343136346462353661343065");
  EXPECT_EQ(event.instance.value, "i-12345678");
  EXPECT_EQ(event.detail, "AWS_EC2_DEDICATED_HOST_NETWORK_MAINTENANCE_SCHEDULED");
  ASSERT_TRUE(event.starts.has_value());
  EXPECT_EQ(format_time_s(*event.starts), "2016-06-05T15:10:09Z");
  EXPECT_EQ(event.at, kSaid);
}

// NTH gives all of them one id, and drains the first only.
TEST(QueueMessage, EveryAffectedInstanceHasAnIdOfItsOwn) {
  const auto events = good(health({entity("i-0a"), entity("i-0b"), entity("i-0a")})).events;
  ASSERT_EQ(events.size(), 2U);
  const std::string one = the_event(health({entity("i-0a")})).id.value;
  EXPECT_EQ(events[0].id.value, one + "-i-0a");
  EXPECT_EQ(events[1].id.value, one + "-i-0b");
  EXPECT_EQ(events[1].instance.value, "i-0b");
  json::object page = health({entity("i-0c")});
  page["detail"].as_object()["totalPages"] = "2";
  EXPECT_EQ(the_event(page).id.value, one + "-i-0c");
}

TEST(QueueMessage, EntitiesThatAreNotMeant) {
  json::object over = entity("i-0b");
  over["status"] = "RESOLVED";
  const QueueMessage message =
      good(health({entity("h-0a"), entity("vol-1"), over, json::object(), 7, entity("i-0c")}));
  ASSERT_EQ(message.events.size(), 1U);
  EXPECT_EQ(message.events[0].instance.value, "i-0c");
  EXPECT_THAT(why_ignored(health({entity("h-0a"), over})), HasSubstr("no instance"));
  EXPECT_THAT(why_ignored(health({})), HasSubstr("no instance"));
}

struct Change {
  const char* key;
  const char* value;
};

TEST(QueueMessage, HealthThatIsNoScheduledChangeOfEc2) {
  for (const Change& change :
       {Change{"service", "RDS"}, Change{"service", ""}, Change{"eventTypeCategory", "issue"},
        Change{"eventTypeCategory", ""}}) {
    json::object body = health({entity("i-0a")});
    body["detail"].as_object()[change.key] = change.value;
    EXPECT_THAT(why_ignored(body), HasSubstr("no scheduled change of EC2")) << change.key;
  }
  json::object other = health({entity("i-0a")});
  other["detail-type"] = "AWS Health Abuse Event";
  EXPECT_THAT(why_ignored(other), HasSubstr("Abuse"));
  json::object over = health({entity("i-0a")});
  over["detail"].as_object()["statusCode"] = "closed";
  EXPECT_THAT(why_ignored(over), HasSubstr("over"));
}

TEST(QueueMessage, AStartTimeThatCannotBeRead) {
  json::object body = health({entity("i-0a")});
  body["detail"].as_object()["startTime"] = "soon";
  EXPECT_FALSE(the_event(body).starts.has_value());
  body["detail"].as_object()["startTime"] = "2026-12-01T00:00:00Z";
  EXPECT_EQ(format_time_s(*the_event(body).starts), "2026-12-01T00:00:00Z");
}

TEST(QueueMessage, ATimeThatCannotBeReadIsWhenItWasReceived) {
  for (const char* time : {"", "yesterday", "2026-13-01T00:00:00Z"}) {
    json::object body = spot();
    body["time"] = time;
    EXPECT_EQ(the_event(body).at, kReceived) << time;
  }
  json::object body = spot();
  body.erase("time");
  EXPECT_EQ(the_event(body).at, kReceived);
}

TEST(QueueMessage, WithoutAnIdItIsMadeOfWhatItSays) {
  json::object body = spot();
  body["id"] = "";
  const auto first = the_event(body).id;
  EXPECT_EQ(first, the_event(body).id);
  EXPECT_THAT(first.value, testing::StartsWith("spot-itn-event-"));
  body["time"] = "2026-11-21T09:59:58Z";
  EXPECT_NE(first, the_event(body).id);
  body["id"] = std::string(10'000, 'x');
  EXPECT_LT(the_event(body).id.value.size(), 200U);
}

TEST(QueueMessage, EitherSpellingOfTheInstance) {
  EXPECT_EQ(the_event(envelope("aws.ec2", "EC2 Spot Instance Interruption Warning",
                               {{"EC2InstanceId", "i-0a"}}))
                .instance.value,
            "i-0a");
  json::object body = notification();
  body.erase("EC2InstanceId");
  body["instance-id"] = "i-0b";
  EXPECT_EQ(the_event(body).instance.value, "i-0b");
}

TEST(QueueMessage, AnInstanceThatIsNoneIsPoison) {
  for (const char* id :
       {"", "i-", "i-*", "mi-0a", "i-0A", "i-0a\n", "arn:aws:ec2:x:1:instance/i-0a"}) {
    json::object ec2 = spot();
    ec2["detail"].as_object()["instance-id"] = id;
    EXPECT_THAT(poison(json::serialize(ec2)), HasSubstr("without the id of an instance")) << id;
    json::object asg = notification();
    asg["EC2InstanceId"] = id;
    EXPECT_THAT(poison(json::serialize(asg)), HasSubstr("without the id of an instance")) << id;
  }
}

TEST(QueueMessage, AHookWithoutItsNamesIsPoison) {
  for (const char* key : {"AutoScalingGroupName", "LifecycleHookName"}) {
    for (const std::string& value : {std::string(), std::string("a\nb"), std::string(2'000, 'a')}) {
      json::object body = terminating();
      body["detail"].as_object()[key] = value;
      EXPECT_THAT(poison(json::serialize(body)), HasSubstr("a lifecycle action without")) << key;
    }
  }
  json::object body = notification();
  body.erase("LifecycleActionToken");
  EXPECT_EQ(the_event(body).hook->token, "");
}

TEST(QueueMessage, Poison) {
  struct Row {
    const char* body;
    const char* says;
  };
  for (const Row& row : {
           Row{"", "no JSON object"},
           Row{"hello", "no JSON object"},
           Row{"[]", "no JSON object"},
           Row{"null", "no JSON object"},
           Row{R"({"detail-type":)", "no JSON object"},
           Row{"{}", "neither detail-type nor LifecycleTransition"},
           Row{R"({"id":"","detail-type":"","source":"","time":"","detail":{}})", "neither"},
           Row{R"({"detail-type":7,"Message":{}})", "neither"},
           Row{R"({"detail-type":"x","source":"my.app","detail":{}})", "not of AWS"},
           Row{R"({"detail-type":"x","detail":{}})", "not of AWS"},
           Row{R"({"detail-type":"x","source":"aws.ec2"})", "without its detail"},
           Row{R"({"detail-type":"x","source":"aws.ec2","detail":[]})", "without its detail"},
       }) {
    EXPECT_THAT(poison(row.body), HasSubstr(row.says)) << row.body;
  }
}

TEST(QueueMessage, HasLimits) {
  EXPECT_THAT(poison(std::string(kLongestQueueBody + 1, ' ')), HasSubstr("larger than"));
  json::object padded = spot();
  padded["padding"] = std::string(256UL * 1024, 'x');
  EXPECT_EQ(the_event(padded).kind, NoticeKind::kSpotInterruption);
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += R"({"detail":)";
  EXPECT_THAT(poison(deep + "1" + std::string(100, '}')), HasSubstr("no JSON object"));
  json::array entities;
  for (size_t i = 0; i < kMostEntities; ++i) {
    entities.push_back(entity(("i-" + std::to_string(i)).c_str()));
  }
  EXPECT_EQ(good(health(entities)).events.size(), kMostEntities);
  entities.push_back(entity("i-0"));
  EXPECT_THAT(poison(json::serialize(health(entities))), HasSubstr("more than 5000"));
}

// They go into logs.
TEST(QueueMessage, NoMessageHoldsTheBody) {
  const std::string long_text = "first\n" + std::string(1'000, 'x');
  for (const char* key : {"source", "detail-type"}) {
    json::object body = spot();
    body[key] = long_text;
    const auto message = read(body);
    const std::string text = message ? message->ignored : message.error().message;
    EXPECT_LT(text.size(), 300U);
    EXPECT_THAT(text, Not(HasSubstr("\n")));
  }
  json::object body = spot();
  body["detail"].as_object()["instance-action"] = long_text;
  EXPECT_LE(the_event(body).detail.size(), 103U);
  EXPECT_THAT(the_event(body).detail, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace spotkeeper::sources
