// SPDX-License-Identifier: Apache-2.0
#include "config/agent_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>

namespace spotkeeper::config {
namespace {

using testing::HasSubstr;
using Env = std::map<std::string, std::string>;

Result<AgentOptions> parse(std::vector<std::string> arguments, Env env = {{"NODE_NAME", "n1"}}) {
  return parse_agent_options(arguments,
                             [env](const std::string& name) -> std::optional<std::string> {
                               const auto found = env.find(name);
                               if (found == env.end()) return std::nullopt;
                               return found->second;
                             });
}

TEST(AgentOptions, DefaultsAreThoseOfNth) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->metadata_url, "http://169.254.169.254");
  EXPECT_EQ(options->metadata_tries, 3);
  EXPECT_TRUE(options->enable_spot_interruption_draining);
  EXPECT_FALSE(options->taint_node);
  EXPECT_EQ(options->taint_effect, "NoSchedule");
  EXPECT_TRUE(options->ignore_daemon_sets);
  EXPECT_TRUE(options->delete_local_data);
  EXPECT_EQ(options->pod_termination_grace_period, -1);
  EXPECT_EQ(options->node_termination_grace_period, 120);
  EXPECT_FALSE(options->cordon_only);
  EXPECT_FALSE(options->dry_run);
  EXPECT_FALSE(options->json_logging);
}

TEST(AgentOptions, TheCommandLineWinsOverTheEnvironment) {
  const Env env{{"NODE_NAME", "env"}, {"METADATA_TRIES", "5"}, {"DRY_RUN", "true"}};
  const auto options = parse({"-node-name", "flag", "--dry-run=false"}, env);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->node_name, "flag");
  EXPECT_EQ(options->metadata_tries, 5);
  EXPECT_FALSE(options->dry_run);
}

TEST(AgentOptions, AnEcsHostNeedsNoNodeName) {
  const auto options = parse({"--platform=ecs"}, {{"ECS_CLUSTER", "prod"}});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->platform, Platform::kEcs);
  EXPECT_EQ(options->ecs.cluster, "prod");
  EXPECT_EQ(policy_of(*options).enough_grace, core::kFullGrace) << "all of a task's stopTimeout";
  EXPECT_EQ(policy_of(*parse({"--platform=ecs", "--enough-grace=20"}, {})).enough_grace,
            Seconds(20));
  EXPECT_EQ(policy_of(*parse({})).enough_grace, Seconds(60)) << "of a pod";
}

// As in /etc/ecs/ecs.config, which the agent may be started with.
TEST(AgentOptions, TheEcsAgentsStopTimeoutIsReadAsItReadsIt) {
  for (const auto& [text, wanted] : std::map<std::string, Millis>{{"1m", Millis(60'000)},
                                                                  {"90s", Millis(90'000)},
                                                                  {"200ms", Millis(1'000)},
                                                                  {"0s", Millis(30'000)},
                                                                  {"soon", Millis(30'000)}}) {
    const auto options = parse({"--platform=ecs"}, {{"ECS_CONTAINER_STOP_TIMEOUT", text}});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->ecs.stop_timeout, wanted) << text;
  }
}

TEST(AgentOptions, AnEmptyEnvironmentVariableIsUnset) {
  const auto options = parse({}, {{"NODE_NAME", "n1"}, {"METADATA_TRIES", ""}});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->metadata_tries, 3);
}

TEST(AgentOptions, GoFlagSyntax) {
  for (const std::vector<std::string>& form : {std::vector<std::string>{"-taint-node"},
                                               {"--taint-node"},
                                               {"--taint-node=T"},
                                               {"-taint-node=1"}}) {
    const auto options = parse(form);
    ASSERT_TRUE(options) << form[0];
    EXPECT_TRUE(options->taint_node) << form[0];
  }
  EXPECT_EQ(parse({"--metadata-tries=7"})->metadata_tries, 7);
  EXPECT_EQ(parse({"-metadata-tries", "7"})->metadata_tries, 7);
}

struct BadRow {
  const char* name;
  std::vector<std::string> arguments;
  Env env;
  const char* message;
};

class BadOptions : public testing::TestWithParam<BadRow> {};

TEST_P(BadOptions, OneClearLine) {
  Env env = GetParam().env;
  env.try_emplace("NODE_NAME", "n1");
  const auto options = parse(GetParam().arguments, env);
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().message, HasSubstr(GetParam().message));
  EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadOptions,
    testing::Values(
        BadRow{"bool_in_env",
               {},
               {{"DRY_RUN", "yes"}},
               "environment variable DRY_RUN: expected true or false, got 'yes'"},
        BadRow{
            "bool_flag", {"--dry-run=maybe"}, {}, "--dry-run: expected true or false, got 'maybe'"},
        BadRow{"integer",
               {},
               {{"METADATA_TRIES", "three"}},
               "METADATA_TRIES: expected a whole number"},
        BadRow{"trailing_text",
               {"--metadata-tries=3x"},
               {},
               "--metadata-tries: expected a whole number"},
        BadRow{"range", {"--metadata-tries=0"}, {}, "from 1 to 100"},
        BadRow{"overflow", {"--metadata-tries=99999999999"}, {}, "from 1 to 100"},
        BadRow{"line_break",
               {},
               {{"METADATA_TRIES", "3\n"}},
               "environment variable METADATA_TRIES: expected a whole number from 1 to 100, got "
               "'3\\n'"},
        BadRow{"level", {}, {{"LOG_LEVEL", "chatty"}}, "info, debug or error"},
        BadRow{"effect", {"--taint-effect=Never"}, {}, "NoExecute"},
        BadRow{"url", {}, {{"INSTANCE_METADATA_URL", "169.254.169.254"}}, "an http or https URL"},
        BadRow{"url_without_host", {"--metadata-url=http://"}, {}, "an http or https URL"},
        BadRow{"interval", {"--imds-poll-interval=1ms"}, {}, "a duration from 100 ms to 60 s"},
        BadRow{"unit", {"--imds-poll-interval=1d"}, {}, "such as 500ms"},
        BadRow{"port", {}, {{"KUBERNETES_SERVICE_PORT", "abc"}}, "a whole number from 1 to 65535"},
        BadRow{"unknown", {"--no-such"}, {}, "--no-such: there is no such option"},
        BadRow{"no_value", {"--kubeconfig"}, {}, "--kubeconfig: expected FILE behind it"},
        BadRow{"positional", {"node"}, {}, "'node': expected an option"},
        BadRow{"hand_over",
               {},
               {{"HAND_OVER", "sometimes"}},
               "HAND_OVER: expected never, interruptions or always, got 'sometimes'"},
        BadRow{"daemons_without_taint",
               {},
               {{"DAEMON_SET_SIGNAL", "true"}},
               "--daemon-set-signal (DAEMON_SET_SIGNAL): needs --taint-node"},
        BadRow{"daemons_with_a_taint_that_they_pass",
               {"--daemon-set-signal", "--taint-node", "--taint-effect=PreferNoSchedule"},
               {},
               "NoSchedule or NoExecute"},
        BadRow{"no_node",
               {"--platform=kubernetes"},
               {{"NODE_NAME", ""}},
               "You must provide a node-name"},
        BadRow{"platform", {"--platform=nomad"}, {}, "--platform"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(AgentOptions, IntervalsHaveUnits) {
  EXPECT_EQ(parse({"--imds-poll-interval=250ms"})->imds_poll_interval, Millis(250));
  EXPECT_EQ(parse({"--imds-poll-interval=2s"})->imds_poll_interval, Millis(2'000));
  EXPECT_EQ(parse({"--imds-poll-interval=5"})->imds_poll_interval, Millis(5'000));
}

// docs/coming-from-nth.md: all of NTH's options but those of webhook, probes, events and log
// format, which are told of elsewhere.
TEST(NthOptions, EveryOneIsKnown) {
  for (const char* option : {"dry-run=true",
                             "pod-name=p",
                             "pod-namespace=ns",
                             "metadata-url=http://x",
                             "metadata-tries=4",
                             "ignore-daemon-sets=false",
                             "delete-local-data=false",
                             "kubernetes-service-host=h",
                             "kubernetes-service-port=443",
                             "grace-period=3",
                             "pod-termination-grace-period=30",
                             "node-termination-grace-period=240",
                             "kube-api-qps=5",
                             "kube-api-burst=10",
                             "enable-scheduled-event-draining=false",
                             "enable-spot-interruption-draining=false",
                             "enable-asg-lifecycle-draining=true",
                             "enable-sqs-termination-draining=false",
                             "enable-rebalance-monitoring=true",
                             "enable-rebalance-draining=true",
                             "check-asg-tag-before-draining=false",
                             "check-tag-before-draining=false",
                             "managed-asg-tag=t",
                             "managed-tag=t",
                             "use-provider-id=true",
                             "cordon-only=true",
                             "taint-node=true",
                             "taint-effect=PreferNoSchedule",
                             "enable-out-of-service-taint=true",
                             "exclude-from-load-balancers=true",
                             "json-logging=true",
                             "log-level=INFO",
                             "uptime-from-file=/x",
                             "enable-prometheus-server=true",
                             "prometheus-server-port=9092",
                             "aws-region=eu-west-1",
                             "aws-endpoint=http://x",
                             "queue-url=http://x",
                             "workers=10",
                             "complete-lifecycle-action-delay-seconds=-1",
                             "delete-sqs-msg-if-node-not-found=true",
                             "use-apiserver-cache=true",
                             "heartbeat-interval=-1",
                             "heartbeat-until=-1",
                             "sqs-msg-visibility-timeout-sec=20"}) {
    const std::string text = option;
    const auto by_flag = parse({"-" + text});
    EXPECT_TRUE(by_flag) << by_flag.error().message;
    std::string name = text.substr(0, text.find('='));
    if (name == "pod-namespace") name = "namespace";
    if (name == "metadata-url") name = "instance-metadata-url";
    for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    EXPECT_TRUE(parse({}, {{"NODE_NAME", "n"}, {name, text.substr(text.find('=') + 1)}})) << name;
    EXPECT_FALSE(parse({}, {{"NODE_NAME", "n"}, {name, ""}})->nth.grace_period) << "empty: unset";
  }
}

TEST(NthOptions, HeartbeatsAreRefusedOnTheNodeInOneLine) {
  for (const char* option : {"--heartbeat-interval=30", "--heartbeat-until=60"}) {
    const auto options = parse({option});
    ASSERT_FALSE(options) << option;
    const std::string word = std::string(option).substr(0, std::string(option).find('='));
    EXPECT_THAT(options.error().message, HasSubstr(word));
    EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
  }
}

TEST(NthOptions, AWrongTypeIsRefused) {
  for (const char* option : {"--workers=many", "--managed-tag", "--check-tag-before-draining=x",
                             "--grace-period=long", "--use-apiserver-cache=2"}) {
    EXPECT_FALSE(parse({option})) << option;
  }
}

TEST(NthOptions, TheOldNameOfTheGracePeriodWorksAndTheNewOneWins) {
  EXPECT_EQ(parse({"--grace-period=7"})->pod_termination_grace_period, 7);
  EXPECT_EQ(parse({}, {{"NODE_NAME", "n"}, {"GRACE_PERIOD", "7"}})->pod_termination_grace_period,
            7);
  EXPECT_EQ(
      parse({"--grace-period=7", "--pod-termination-grace-period=9"})->pod_termination_grace_period,
      9);
  EXPECT_EQ(parse({"--grace-period=7"}, {{"NODE_NAME", "n"}, {"POD_TERMINATION_GRACE_PERIOD", "9"}})
                ->pod_termination_grace_period,
            9);
}

TEST(NthOptions, WhatHasNoEffectIsSaidOnceALine) {
  EXPECT_TRUE(nth_warnings(parse({"--aws-region=x"})->nth).empty());
  const auto warnings = nth_warnings(
      parse({"--queue-url=u", "--queue-url=v", "--managed-tag=t", "--workers=3"})->nth);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_THAT(warnings[0], testing::StartsWith("--queue-url, --managed-tag: "));
  EXPECT_THAT(warnings[1], testing::StartsWith("--workers: "));
}

TEST(NthOptions, ARecommendationIsAsNthTakesItOrSoft) {
  const auto policy = [](const std::vector<std::string>& flags) {
    return policy_of(*parse(flags));
  };
  const char* monitor = "--enable-rebalance-monitoring";
  const char* drain = "--enable-rebalance-draining";
  const char* soft = "--enable-rebalance-soft-signal";
  EXPECT_TRUE(policy({monitor}).recommendation_marks_only);
  EXPECT_FALSE(policy({drain}).recommendation_marks_only);
  EXPECT_FALSE(policy({monitor, drain}).recommendation_marks_only);
  EXPECT_TRUE(policy({soft}).recommendation_is_soft);
  EXPECT_FALSE(policy({soft, monitor}).recommendation_is_soft);
  EXPECT_FALSE(policy({soft, drain}).recommendation_is_soft);
}

TEST(LifecycleOptions, KeysAndValuesMustBeThoseOfLabels) {
  EXPECT_EQ(parse({"--lifecycle-label=example.com/life"})->lifecycle.label, "example.com/life");
  EXPECT_FALSE(parse({"--lifecycle-label=a b"}));
  EXPECT_FALSE(parse({"--lifecycle-label-spot=a/b"}));
}

TEST(ValuesOf, ShowsWhatIsSetAndHidesSecrets) {
  std::string token = "x";
  bool on = true;
  Millis time{1500};
  const Flags flags{{.name = "token", .set = text(token), .secret = true},
                    {.name = "on", .set = boolean(on)},
                    {.name = "time", .set = duration(time, Millis(0), Millis(9'000))}};
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(values_of(flags), testing::ElementsAre(Pair("token", "<hidden>"), Pair("on", "true"),
                                                     Pair("time", "1500ms")));
}

TEST(AgentOptions, NamesAreUnique) {
  std::set<std::string> flags;
  std::set<std::string> variables;
  AgentOptions options;
  for (const Flag& option : agent_flags(options)) {
    EXPECT_TRUE(flags.insert(option.name).second) << option.name;
    EXPECT_TRUE(variables.insert(option.env).second) << option.env;
  }
}

TEST(PolicyOf, GraceZeroIsTheShortestGrace) {
  EXPECT_EQ(policy_of(*parse({"--pod-termination-grace-period=0"})).grace_override, Seconds(1));
  EXPECT_EQ(policy_of(*parse({"--pod-termination-grace-period=-1"})).grace_override, std::nullopt);
}

TEST(PolicyOf, WhatIsNotAskedForIsNotDone) {
  const core::Policy policy = policy_of(*parse({}));
  EXPECT_EQ(policy.hand_over, core::HandOver::kInterruptions);
  EXPECT_FALSE(policy.early_word);
  EXPECT_FALSE(policy.exclude_from_load_balancers);
  EXPECT_FALSE(policy.out_of_service);
  EXPECT_FALSE(policy.signal_daemons);
  EXPECT_FALSE(policy.no_execute_at_end);
  EXPECT_TRUE(policy.rules.empty());
}

TEST(PolicyOf, EveryOptionHasItsEffect) {
  EXPECT_EQ(policy_of(*parse({"--hand-over=never"})).hand_over, core::HandOver::kNever);
  EXPECT_EQ(policy_of(*parse({}, {{"NODE_NAME", "n"}, {"HAND_OVER", "always"}})).hand_over,
            core::HandOver::kAlways);
  EXPECT_TRUE(policy_of(*parse({"--early-word"})).early_word);
  EXPECT_TRUE(policy_of(*parse({"--exclude-from-load-balancers"})).exclude_from_load_balancers);
  EXPECT_TRUE(policy_of(*parse({"--enable-out-of-service-taint"})).out_of_service);
  EXPECT_TRUE(policy_of(*parse({"--daemon-set-signal", "--taint-node"})).signal_daemons);
  AgentOptions options = *parse({"--policy-file=p.yaml"});
  EXPECT_EQ(options.policy_file, "p.yaml");
  options.rules = {{.name = "one"}};
  EXPECT_EQ(policy_of(options).rules, options.rules);
}

TEST(PolicyOf, NoExecuteComesAtTheEndAndOnlyWithTheTaint) {
  const core::Policy policy = policy_of(*parse({"--taint-node", "--taint-effect=NoExecute"}));
  EXPECT_TRUE(policy.taint);
  EXPECT_TRUE(policy.no_execute_at_end);
  EXPECT_EQ(policy.taint_effect, "NoSchedule");
  EXPECT_FALSE(policy_of(*parse({"--taint-effect=NoExecute"})).no_execute_at_end);
  const core::Policy prefer =
      policy_of(*parse({"--taint-node", "--taint-effect=PreferNoSchedule"}));
  EXPECT_EQ(prefer.taint_effect, "PreferNoSchedule");
  EXPECT_FALSE(prefer.no_execute_at_end);
}

TEST(PolicyOf, AWholeNoticeStartsAtOnce) {
  EXPECT_EQ(policy_of(*parse({})).start_before, std::nullopt);
  EXPECT_EQ(policy_of(*parse({"--node-termination-grace-period=60"})).start_before, Seconds(60));
}

}  // namespace
}  // namespace spotkeeper::config
