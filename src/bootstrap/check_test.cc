// SPDX-License-Identifier: Apache-2.0
#include "bootstrap/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>

#include "bootstrap/allows.h"
#include "bootstrap/pattern.h"
#include "bootstrap/repair.h"

namespace spotkeeper::bootstrap {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

const Place kHere{.partition = "aws", .region = "eu-west-1", .account = "123456789012"};

Plan plan(bool launch = false) {
  return make_plan({.name = "sk",
                    .cluster = "prod",
                    .queue = "sk",
                    .groups = {"web"},
                    .launch_hooks = launch,
                    .managed_tag = "managed"},
                   kHere);
}

// All that a plan makes, as it is seen afterwards.
Seen all_of(const Plan& plan) {
  Seen seen;
  seen.queue = SeenQueue{.url = "https://sqs.eu-west-1.amazonaws.com/123456789012/sk",
                         .arn = plan.queue->arn,
                         .attributes = queue_attributes(plan)};
  for (const Rule& rule : plan.rules) {
    seen.rules.push_back({.name = rule.name,
                          .arn = plan.place.arn("events", "rule/" + rule.name),
                          .enabled = true,
                          .pattern = boost::json::serialize(rule.pattern),
                          .targets = {plan.target_arn()}});
  }
  SeenGroup group{.name = "web", .exists = true, .hooks = {}, .tags = {{"managed", true}}};
  for (const Hook& hook : plan.hooks) {
    group.hooks.push_back({hook.name, hook.transition(), hook.timeout_s, hook.default_result});
  }
  seen.groups.push_back(group);
  return seen;
}

std::vector<std::string> wrong_in(const Findings& findings) {
  std::vector<std::string> all;
  for (const Finding& each : findings) {
    if (each.level == Level::kWrong) all.push_back(each.subject + ": " + each.text);
  }
  return all;
}

TEST(Check, WhatAPlanMakesIsWell) {
  for (const bool launch : {false, true}) {
    const Plan made = plan(launch);
    const Findings findings = check(made, all_of(made));
    EXPECT_THAT(wrong_in(findings), IsEmpty());
    EXPECT_EQ(findings.size(), launch ? 13u : 12u);
  }
}

TEST(Check, OneThingWrongIsOneFinding) {
  struct Case {
    std::function<void(Seen&)> change;
    const char* words;
  };
  const auto attribute = [](const char* name, const char* value) {
    return [name, value](Seen& seen) { seen.queue->attributes[name] = value; };
  };
  const auto hook = [](size_t index, int timeout_s, const char* result) {
    return [index, timeout_s, result](Seen& seen) {
      seen.groups[0].hooks[index].timeout_s = timeout_s;
      seen.groups[0].hooks[index].default_result = result;
    };
  };
  const std::vector<Case> cases{
      {attribute("MessageRetentionPeriod", "300"), "queue sk: keeps messages for 300 s"},
      {attribute("KmsMasterKeyId", "arn:aws:kms:eu-west-1:1:alias/aws/sqs"), "AWS managed key"},
      {attribute("RedrivePolicy", R"({"maxReceiveCount":"5"})"), "after 5 looks, about 100 s"},
      {attribute("Policy", "no json"), "the policy is no JSON"},
      {[](Seen& seen) { seen.rules.erase(seen.rules.begin()); }, "rule sk-spot: does not exist"},
      {[](Seen& seen) { seen.rules[1].enabled = false; }, "rule sk-rebalance: is disabled"},
      {[](Seen& seen) { seen.rules[2].targets = {"arn:other"}; },
       "rule sk-state: sends to arn:other only"},
      {[](Seen& seen) { seen.rules[6].targets.clear(); }, "rule sk-health: has no target"},
      {[](Seen& seen) { seen.rules[4].pattern = "{\"source\":[\"mine\"]}"; },
       "rule sk-terminate: its pattern does not fit"},
      {[](Seen& seen) { seen.groups[0].hooks.erase(seen.groups[0].hooks.begin()); },
       "group web: has no terminate hook"},
      {hook(0, 30, "CONTINUE"), "group web: terminate hook sk-terminate waits 30 s"},
      {hook(0, 300, "ABANDON"), "other hooks of the group are skipped"},
      {hook(1, 300, "CONTINUE"), "an instance whose node is not Ready is taken into service"},
      {[](Seen& seen) { seen.groups[0].tags[0].propagated = false; }, "keeps its tag managed"},
      {[](Seen& seen) { seen.groups[0].tags.clear(); }, "has no tag managed"},
      {[](Seen& seen) { seen.groups[0].exists = false; }, "group web: does not exist"},
  };
  for (const Case& one : cases) {
    const Plan made = plan(true);
    Seen seen = all_of(made);
    one.change(seen);
    const Findings findings = check(made, seen);
    EXPECT_THAT(wrong_in(findings), ElementsAre(HasSubstr(one.words))) << one.words;
    for (const Finding& each : findings) {
      EXPECT_EQ(each.level == Level::kOk, each.advice.empty()) << each.text;
    }
  }
}

TEST(Check, NotesAreNotWrong) {
  const Plan made = plan();
  Seen seen = all_of(made);
  seen.queue->attributes["KmsMasterKeyId"] = "alias/mine";
  seen.queue->attributes.erase("RedrivePolicy");
  seen.groups[0].hooks[0].timeout_s = 3600;
  seen.rules[5].enabled = false;  // launch, and no launch hook
  const Findings findings = check(made, seen);
  EXPECT_THAT(wrong_in(findings), IsEmpty());
  EXPECT_EQ(std::ranges::count(findings, Level::kNote, &Finding::level), 4);
}

TEST(Check, TheUrlIsOfThisQueueAndRegion) {
  const std::string good = "https://sqs.eu-west-1.amazonaws.com/123456789012/sk";
  const struct {
    std::string url;
    const char* words;  // nullptr: well
  } cases[] = {
      {good, nullptr},
      {"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/sk", nullptr},
      {"https://eu-west-1.queue.amazonaws.com/123456789012/sk", nullptr},
      {"http://127.0.0.1:4566/123456789012/sk", nullptr},
      {"sk", "is the queue's name"},
      {"arn:aws:sqs:eu-west-1:123456789012:sk", "is the queue's ARN"},
      {"sqs.eu-west-1.amazonaws.com/123456789012/sk", "is no URL"},
      {"https://sqs.us-east-1.amazonaws.com/123456789012/sk", "is in us-east-1"},
      {"https://sqs-fips.us-east-1.amazonaws.com/123456789012/sk", "is in us-east-1"},
      {"https://us-east-1.queue.amazonaws.com/123456789012/sk", "is in us-east-1"},
      {"https://sqs.eu-west-1.amazonaws.com/123456789012/ask", "is not the URL of queue sk"},
      {"https://sqs.eu-west-1.amazonaws.com/1/sk", "of account 123456789012"},
  };
  for (const auto& one : cases) {
    const Plan made = plan();
    Seen seen = all_of(made);
    seen.queue_url = one.url;
    const std::vector<std::string> wrong = wrong_in(check(made, seen));
    if (one.words == nullptr) {
      EXPECT_THAT(wrong, IsEmpty()) << one.url;
    } else {
      EXPECT_THAT(wrong, ElementsAre(HasSubstr(one.words))) << one.url;
    }
  }
}

TEST(WhyNot, ReadsPoliciesAsAwsDoes) {
  const Send send{.service = "events.amazonaws.com",
                  .action = "sqs:SendMessage",
                  .resource = "arn:aws:sqs:r:1:q",
                  .source = "arn:aws:events:r:1:rule/a",
                  .account = "1"};
  const std::string allow = R"("Effect":"Allow","Action":"SQS:Send*","Resource":"*")";
  const std::string events = R"(,"Principal":{"Service":["x","events.amazonaws.com"]})";
  const auto with = [&](const std::string& more) {
    return R"({"Statement":{)" + allow + more + "}}";
  };
  const auto when = [&](const std::string& condition) {
    return with(events + R"(,"Condition":{)" + condition + "}");
  };
  EXPECT_EQ(why_not(with(events), send), "");
  EXPECT_EQ(why_not(with(R"(,"Principal":"*")"), send), "");
  EXPECT_EQ(why_not(with(R"(,"Principal":{"AWS":"*"})"), send), "");
  EXPECT_EQ(why_not(when(R"("StringEquals":{"AWS:SourceAccount":"1"})"), send), "");
  EXPECT_EQ(
      why_not(when(R"("ArnEquals":{"aws:SourceArn":["z","arn:aws:events:r:1:rule/*"]})"), send),
      "");
  EXPECT_EQ(why_not(when(R"("Bool":{"aws:SecureTransport":"true"})"), send), "");
  EXPECT_EQ(why_not(when(R"("StringEquals":{"aws:PrincipalOrgID":"o"})"), send), "");
  EXPECT_THAT(why_not(when(R"("StringEquals":{"aws:SourceAccount":"2"})"), send),
              HasSubstr("aws:SourceAccount"));
  EXPECT_THAT(
      why_not(when(R"("StringEquals":{"aws:SourceArn":"arn:aws:events:r:1:rule/*"})"), send),
      HasSubstr("aws:SourceArn"));
  EXPECT_THAT(why_not(with(R"(,"Principal":{"Service":"sns.amazonaws.com"})"), send),
              HasSubstr("no statement allows sqs:SendMessage to events.amazonaws.com"));
  EXPECT_THAT(why_not("", send), HasSubstr("no statement"));
  const std::string both =
      R"({"Statement":[{)" + allow + events +
      R"(},{"Sid":"No","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]})";
  EXPECT_THAT(why_not(both, send), HasSubstr("statement No denies it"));
}

TEST(Pattern, LetsThroughWhatEventBridgeDoes) {
  const auto event = boost::json::parse(
      R"({"source":"aws.ec2","detail":{"state":"stopping","n":1},"account":"1"})");
  const struct {
    const char* pattern;
    bool through;
  } cases[] = {
      {R"({})", true},
      {R"({"source":["aws.ec2","x"]})", true},
      {R"({"source":["x"]})", false},
      {R"({"source":[{"prefix":"aws."}]})", true},
      {R"({"source":[{"prefix":"my."}]})", false},
      {R"({"detail":{"state":[{"suffix":"ing"}]}})", true},
      {R"({"detail":{"state":[{"wildcard":"st*g"}]}})", true},
      {R"({"detail":{"state":[{"anything-but":["stopping"]}]}})", false},
      {R"({"detail":{"state":[{"anything-but":"pending"}]}})", true},
      {R"({"detail":{"state":["pending"]}})", false},
      {R"({"detail":{"n":[{"numeric":["<",0]}]}})", true},  // not known here
      {R"({"detail":{"group":["web"]}})", true},            // the event does not say
      {R"({"source":[{"exists":false}]})", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(lets_through(boost::json::parse(one.pattern), event), one.through) << one.pattern;
  }
}

TEST(Pattern, Wildcards) {
  EXPECT_TRUE(is_like("arn:a:rule/x", "arn:*:rule/*"));
  EXPECT_TRUE(is_like("aab", "*ab"));
  EXPECT_TRUE(is_like("", "*"));
  EXPECT_TRUE(is_like("abc", "a?c"));
  EXPECT_FALSE(is_like("abc", "a?"));
  EXPECT_FALSE(is_like("abc", "*b"));
}

TEST(Repair, AQueueThatIsWellIsLeftAlone) {
  const Plan made = plan();
  SeenQueue queue = *all_of(made).queue;
  EXPECT_THAT(queue_changes(made, queue), IsEmpty());
  queue.attributes["MessageRetentionPeriod"] = "345600";
  queue.attributes["KmsMasterKeyId"] = "alias/mine";
  queue.attributes.erase("SqsManagedSseEnabled");
  EXPECT_THAT(queue_changes(made, queue), IsEmpty());
}

TEST(Repair, OnlyWhatIsWrongIsSet) {
  const Plan made = plan();
  SeenQueue queue = *all_of(made).queue;
  queue.attributes["MessageRetentionPeriod"] = "300";
  queue.attributes["RedrivePolicy"] = R"({"deadLetterTargetArn":"mine","maxReceiveCount":3})";
  EXPECT_THAT(queue_changes(made, queue),
              ElementsAre(Pair("MessageRetentionPeriod", "86400"),
                          Pair("RedrivePolicy",
                               R"({"deadLetterTargetArn":"mine","maxReceiveCount":500})")));
  queue = *all_of(made).queue;
  queue.attributes["KmsMasterKeyId"] = "alias/aws/sqs";
  EXPECT_THAT(queue_changes(made, queue),
              ElementsAre(Pair("KmsMasterKeyId", ""), Pair("SqsManagedSseEnabled", "true")));
}

TEST(Repair, StatementsOfOthersStay) {
  const Plan made = plan();
  const std::string merged = merged_policy(
      R"({"Id":"x","Statement":[{"Sid":"Mine"},{"Sid":"SpotkeeperHears","Effect":"Deny"}]})",
      made.queue->policy);
  EXPECT_THAT(merged, AllOf(HasSubstr(R"("Id":"x")"), HasSubstr(R"({"Sid":"Mine"})"),
                            Not(HasSubstr(R"("SpotkeeperHears","Effect":"Deny")"))));
  EXPECT_EQ(merged_policy(merged, made.queue->policy), merged);
  EXPECT_TRUE(same_document(merged_policy("", made.queue->policy), made.queue->policy));
}

}  // namespace
}  // namespace spotkeeper::bootstrap
