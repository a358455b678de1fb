// SPDX-License-Identifier: Apache-2.0
#include "config/telling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/agent_options.h"

namespace spotkeeper::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

Result<AgentOptions> parse(std::vector<std::string> arguments) {
  arguments.emplace_back("--node-name=n1");
  return parse_agent_options(
      arguments, [](const std::string&) -> std::optional<std::string> { return std::nullopt; });
}

std::string refusal(const std::string& argument) {
  const auto options = parse({argument});
  return options ? "nothing was wrong with " + argument : options.error().message;
}

TEST(Telling, DefaultsAreThoseOfNth) {
  const Telling o = parse({})->telling;
  EXPECT_TRUE(o.webhook_url.empty());
  EXPECT_THAT(o.webhook_headers, ElementsAre(Pair("Content-type", "application/json")));
  EXPECT_FALSE(o.prometheus_server);
  EXPECT_EQ(o.prometheus_server_port, 9092);
  EXPECT_FALSE(o.probes_server);
  EXPECT_EQ(o.probes_server_port, 8080);
  EXPECT_EQ(o.probes_server_endpoint, "/healthz");
  EXPECT_FALSE(o.kubernetes_events);
  EXPECT_EQ(o.log_format_version, 1);
}

TEST(Telling, WhatIsSecretIsInNoMessage) {
  EXPECT_THAT(
      refusal("--webhook-url=hooks.slack.com/T0/secret"),
      AllOf(HasSubstr("--webhook-url: expected an http or https URL"), Not(HasSubstr("secret"))));
  EXPECT_THAT(refusal("--webhook-proxy=user:secret@proxy"), Not(HasSubstr("secret")));
  EXPECT_THAT(refusal(R"(--webhook-headers={"Authorization":["secret"]})"),
              AllOf(HasSubstr("'Authorization'"), Not(HasSubstr("secret"))));
}

TEST(Telling, TheProxyMayBeWrittenAsNthsUsersDo) {
  EXPECT_EQ(parse({"--webhook-proxy=tcp://squid:3128"})->telling.webhook_proxy.reveal(),
            "http://squid:3128");
  EXPECT_EQ(parse({"--webhook-proxy=https://squid:3128"})->telling.webhook_proxy.reveal(),
            "https://squid:3128");
  EXPECT_THAT(refusal("--webhook-proxy=socks5://squid:1080"), HasSubstr("tcp://"));
}

TEST(Telling, HeadersAreAJsonObjectOfTexts) {
  EXPECT_THAT(*parse_headers(R"({"X-A":"1","X-B":""})"),
              ElementsAre(Pair("X-A", "1"), Pair("X-B", "")));
  EXPECT_THAT(*parse_headers("{}"), IsEmpty());
  EXPECT_THAT(*parse_headers(R"({"host":"x","Content-Length":"3","X":"y"})"),
              ElementsAre(Pair("X", "y")))
      << "those are the client's own";
  for (const char* wrong : {"", "null", "[]", R"({"a":1})", R"({"a":null})", R"({"a b":"c"})",
                            R"({"a":"b\r\nc: d"})", R"({"":"x"})", R"({"a":"b")"}) {
    EXPECT_FALSE(parse_headers(wrong)) << wrong;
  }
}

TEST(Telling, EachExtraAnnotationHasOneEqualsSign) {
  const auto options =
      parse({"--kubernetes-events-extra-annotations=spot.itn.events/test=extra,team=a b"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->telling.extra_annotations,
              ElementsAre(Pair("spot.itn.events/test", "extra"), Pair("team", "a b")));
  for (const char* wrong : {"a", "a=b=c", "a=b,", ",a=b", "=b", "a b=c", "a=b,,c=d"}) {
    EXPECT_THAT(refusal(std::string("--kubernetes-events-extra-annotations=") + wrong),
                HasSubstr("expected"))
        << wrong;
  }
}

TEST(Telling, ProbesHaveAPathOfTheirOwn) {
  EXPECT_EQ(parse({"--probes-server-endpoint=/live"})->telling.probes_server_endpoint, "/live");
  for (const char* wrong : {"healthz", "/metrics", "/readyz", "/a?b", "/a b"}) {
    EXPECT_THAT(refusal(std::string("--probes-server-endpoint=") + wrong), HasSubstr("expected"));
  }
}

TEST(Telling, AFormatNeedsNoTemplateAndPagerDutyAKey) {
  EXPECT_EQ(parse({"--webhook-format=slack"})->telling.webhook_format, WebhookFormat::kSlack);
  EXPECT_FALSE(parse({"--webhook-format=slack", "--webhook-template=x"}));
  EXPECT_THAT(refusal("--webhook-format=pagerduty"), HasSubstr("--webhook-routing-key"));
  EXPECT_TRUE(parse({"--webhook-format=pagerduty", "--webhook-routing-key=k"}));
  EXPECT_THAT(refusal("--webhook-format=irc"), HasSubstr("slack"));
}

}  // namespace
}  // namespace spotkeeper::config
