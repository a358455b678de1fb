// SPDX-License-Identifier: Apache-2.0
#include "config/queue_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace spotkeeper::config {
namespace {

using testing::HasSubstr;
using Env = std::map<std::string, std::string>;

constexpr const char* kUrl = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices";

Environment from(Env env) {
  return [env = std::move(env)](const std::string& name) -> std::optional<std::string> {
    const auto found = env.find(name);
    if (found == env.end()) return std::nullopt;
    return found->second;
  };
}

Result<QueueOptions> parse(const std::vector<std::string>& arguments, Env env = {}) {
  env.try_emplace("QUEUE_URL", kUrl);
  return parse_queue_options(arguments, from(std::move(env)));
}

TEST(QueueOptions, DefaultsAreThoseOfNth) {
  const auto options = parse({});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->queue_url, kUrl);
  EXPECT_EQ(options->region, "");
  EXPECT_TRUE(options->check_tag);
  EXPECT_EQ(options->managed_tag, "aws-node-termination-handler/managed");
  EXPECT_FALSE(options->use_provider_id);
  EXPECT_FALSE(options->delete_if_node_not_found);
  EXPECT_EQ(options->visibility, 20);
  EXPECT_EQ(options->completion_delay, -1);
  EXPECT_EQ(options->agent.nth.heartbeat_interval, -1);
  EXPECT_EQ(options->agent.nth.heartbeat_until, -1);
  EXPECT_EQ(options->agent.node_termination_grace_period, 120);
  EXPECT_TRUE(options->agent.enable_rebalance_draining) << "as NTH does in this mode";
  EXPECT_FALSE(parse({"--enable-rebalance-draining=false"})->agent.enable_rebalance_draining);
  EXPECT_EQ(options->agent.node_name, "") << "it drains others, and need not know its own";
}

struct TagRow {
  const char* name;
  std::vector<std::string> arguments;
  Env env;
  const char* tag;
};
void PrintTo(const TagRow& row, std::ostream* out) {
  *out << row.name;
}

class TwoNames : public testing::TestWithParam<TagRow> {};

TEST_P(TwoNames, TheNewOneWinsWhereverItIsGiven) {
  const auto options = parse(GetParam().arguments, GetParam().env);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->managed_tag, GetParam().tag);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TwoNames,
    testing::Values(
        TagRow{"old_flag", {"--managed-asg-tag=old"}, {}, "old"},
        TagRow{"old_variable", {}, {{"MANAGED_ASG_TAG", "old"}}, "old"},
        TagRow{"old_flag_over_old_variable",
               {"--managed-asg-tag=flag"},
               {{"MANAGED_ASG_TAG", "old"}},
               "flag"},
        TagRow{"both_flags", {"--managed-asg-tag=old", "--managed-tag=new"}, {}, "new"},
        TagRow{"both_flags_turned", {"--managed-tag=new", "--managed-asg-tag=old"}, {}, "new"},
        TagRow{"both_variables", {}, {{"MANAGED_ASG_TAG", "old"}, {"MANAGED_TAG", "new"}}, "new"},
        TagRow{"new_flag_old_variable", {"--managed-tag=new"}, {{"MANAGED_ASG_TAG", "old"}}, "new"},
        TagRow{"old_flag_new_variable", {"--managed-asg-tag=old"}, {{"MANAGED_TAG", "new"}}, "new"},
        TagRow{"new_flag_new_variable", {"--managed-tag=new"}, {{"MANAGED_TAG", "env"}}, "new"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(QueueOptions, TheTagIsCheckedByEitherName) {
  EXPECT_FALSE(parse({"--check-asg-tag-before-draining=false"})->check_tag);
  EXPECT_FALSE(parse({"--check-tag-before-draining=false"})->check_tag);
  EXPECT_FALSE(parse({}, {{"CHECK_ASG_TAG_BEFORE_DRAINING", "false"}})->check_tag);
  EXPECT_FALSE(parse({"--check-tag-before-draining=false", "--check-asg-tag-before-draining=true"})
                   ->check_tag);
  EXPECT_TRUE(
      parse({"--check-asg-tag-before-draining=false"}, {{"CHECK_TAG_BEFORE_DRAINING", "true"}})
          ->check_tag);
}

struct BadRow {
  const char* name;
  std::vector<std::string> arguments;
  Env env;
  const char* message;
};
void PrintTo(const BadRow& row, std::ostream* out) {
  *out << row.name;
}

class BadQueueOptions : public testing::TestWithParam<BadRow> {};

TEST_P(BadQueueOptions, OneClearLine) {
  const auto options = parse(GetParam().arguments, GetParam().env);
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr(GetParam().message));
  EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadQueueOptions,
    testing::Values(
        BadRow{"no_queue", {}, {{"QUEUE_URL", ""}}, "--queue-url (QUEUE_URL): expected the URL"},
        BadRow{"name_of_the_queue", {"--queue-url=notices"}, {}, "not its name or ARN"},
        BadRow{"arn_of_the_queue",
               {},
               {{"QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:notices"}},
               "environment variable QUEUE_URL: expected the queue's URL"},
        BadRow{"no_url", {"--queue-url=sqs.eu-west-1.amazonaws.com/1/n"}, {}, "http or https URL"},
        BadRow{"visibility_0", {"--sqs-msg-visibility-timeout-sec=0"}, {}, "from 1 to 119"},
        BadRow{"visibility_120", {}, {{"SQS_MSG_VISIBILITY_TIMEOUT_SEC", "120"}}, "from 1 to 119"},
        BadRow{"beats_too_often", {"--heartbeat-interval=29"}, {}, "expected 30 to 3600 seconds"},
        BadRow{"beats_0", {}, {{"HEARTBEAT_INTERVAL", "0"}}, "expected 30 to 3600 seconds"},
        BadRow{"beats_too_seldom", {"--heartbeat-interval=3601"}, {}, "30 to 3600"},
        BadRow{"until_too_soon",
               {"--heartbeat-interval=30", "--heartbeat-until=59"},
               {},
               "expected 60 to 172800 seconds"},
        BadRow{"until_too_late",
               {"--heartbeat-interval=30", "--heartbeat-until=172801"},
               {},
               "60 to 172800"},
        BadRow{"until_alone", {"--heartbeat-until=60"}, {}, "needs --heartbeat-interval"},
        BadRow{"interval_longer_than_until",
               {"--heartbeat-interval=61", "--heartbeat-until=60"},
               {},
               "is more than --heartbeat-until"},
        BadRow{"result",
               {"--failed-drain-result=RETRY"},
               {},
               "expected CONTINUE, ABANDON, got 'RETRY'"},
        BadRow{"after",
               {"--after-termination=taint"},
               {},
               "nothing, delete-node, out-of-service-taint"},
        BadRow{"switch", {}, {{"DELETE_SQS_MSG_IF_NODE_NOT_FOUND", "yes"}}, "true or false"},
        BadRow{"positional", {"notices"}, {}, "'notices': expected an option"},
        BadRow{"unknown", {"--no-such"}, {}, "spotkeeper queue --help"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(QueueOptions, TheEndsOfEveryRangeAreInIt) {
  for (const char* option :
       {"--sqs-msg-visibility-timeout-sec=1", "--sqs-msg-visibility-timeout-sec=119",
        "--heartbeat-interval=30", "--heartbeat-interval=3600", "--heartbeat-interval=-1",
        "--complete-lifecycle-action-delay-seconds=-1"}) {
    const auto options = parse({option});
    EXPECT_TRUE(options) << option << ": " << options.error().message;
  }
  EXPECT_TRUE(parse({"--heartbeat-interval=60", "--heartbeat-until=60"}));
  EXPECT_TRUE(parse({"--heartbeat-interval=30", "--heartbeat-until=172800"}));
}

// The variables of the Deployment that NTH's chart makes in queue mode, with its defaults.
Env sent_by_the_chart() {
  return {{"NODE_NAME", "ip-10-0-1-7.ec2.internal"},
          {"POD_NAME", "nth-0"},
          {"NAMESPACE", "kube-system"},
          {"ENABLE_SQS_TERMINATION_DRAINING", "true"},
          {"ENABLE_PROBES_SERVER", "true"},
          {"PROBES_SERVER_PORT", "8080"},
          {"PROBES_SERVER_ENDPOINT", "/healthz"},
          {"LOG_LEVEL", "info"},
          {"JSON_LOGGING", "false"},
          {"LOG_FORMAT_VERSION", "1"},
          {"ENABLE_PROMETHEUS_SERVER", "false"},
          {"PROMETHEUS_SERVER_PORT", "9092"},
          {"CHECK_ASG_TAG_BEFORE_DRAINING", "true"},
          {"CHECK_TAG_BEFORE_DRAINING", "true"},
          {"MANAGED_ASG_TAG", "aws-node-termination-handler/managed"},
          {"MANAGED_TAG", "team/spot"},
          {"USE_PROVIDER_ID", "false"},
          {"DRY_RUN", "false"},
          {"CORDON_ONLY", "false"},
          {"TAINT_NODE", "false"},
          {"ENABLE_OUT_OF_SERVICE_TAINT", "false"},
          {"EXCLUDE_FROM_LOAD_BALANCERS", "false"},
          {"DELETE_LOCAL_DATA", "true"},
          {"IGNORE_DAEMON_SETS", "true"},
          {"POD_TERMINATION_GRACE_PERIOD", "-1"},
          {"NODE_TERMINATION_GRACE_PERIOD", "120"},
          {"EMIT_KUBERNETES_EVENTS", "false"},
          {"COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS", "-1"},
          {"DELETE_SQS_MSG_IF_NODE_NOT_FOUND", "false"},
          {"QUEUE_URL", kUrl},
          {"AWS_REGION", "eu-west-1"},
          {"WORKERS", "10"},
          {"HEARTBEAT_INTERVAL", "-1"},
          {"HEARTBEAT_UNTIL", "-1"},
          {"SQS_MSG_VISIBILITY_TIMEOUT_SEC", "20"}};
}

TEST(QueueOptions, WhatNthsChartSendsIsAccepted) {
  const auto options = parse({}, sent_by_the_chart());
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->managed_tag, "team/spot");
  EXPECT_EQ(options->region, "eu-west-1");
  EXPECT_EQ(options->agent.nth.heartbeat_interval, -1);
}

// A Deployment of NTH starts the program as the agent.
TEST(QueueOptions, TheAgentIsToldThatItIsTheQueue) {
  const auto agent = parse_agent_options({}, from(sent_by_the_chart()));
  ASSERT_TRUE(agent) << agent.error().message;
  EXPECT_TRUE(agent->nth.queue_mode);
  Env env = sent_by_the_chart();
  env["HEARTBEAT_INTERVAL"] = "30";
  env["HEARTBEAT_UNTIL"] = "100";
  EXPECT_TRUE(parse_agent_options({}, from(env))) << "its heartbeats are judged as the queue's";
  EXPECT_EQ(parse({}, env)->agent.nth.heartbeat_until, 100);
  EXPECT_TRUE(parse_agent_options({"--enable-sqs-termination-draining"}, from({})))
      << "no node's name is needed";
  EXPECT_TRUE(parse({"--enable-sqs-termination-draining"})) << "the arguments are handed on";
}

}  // namespace
}  // namespace spotkeeper::config
