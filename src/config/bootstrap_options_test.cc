// SPDX-License-Identifier: Apache-2.0
#include "config/bootstrap_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<BootstrapOptions> parse(std::vector<std::string> arguments) {
  return parse_bootstrap_options(arguments, [](const std::string&) { return std::nullopt; });
}

TEST(BootstrapOptions, NamesAreMadeOfTheCluster) {
  const auto options = parse({"--cluster", "prod"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->name, "spotkeeper-prod");
  EXPECT_EQ(options->queue, "spotkeeper-prod");
  EXPECT_EQ(options->output, "cloudformation");
  EXPECT_EQ(options->mode(), BootstrapMode::kPrint);
}

TEST(BootstrapOptions, TheRouterAloneIsNamedByItself) {
  const auto options = parse({"--router", "hub"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->name, "hub");
  const auto named = parse({"--router", "hub", "--name", "other"});
  EXPECT_EQ(named->router, "other");
}

TEST(BootstrapOptions, GroupsMayBeRepeatedOrListed) {
  const auto options = parse({"--cluster=c", "--group", "a,b c", "--group=a", "--group", "d"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->groups, ElementsAre("a", "b c", "d"));
}

TEST(BootstrapOptions, TheIssuerIsTakenWithoutItsScheme) {
  const auto options =
      parse({"--cluster=c", "--identity=irsa", "--oidc-issuer=https://oidc.eks/id/1"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->oidc_issuer, "oidc.eks/id/1");
}

TEST(BootstrapOptions, BadInputIsOneLineThatSaysWhatWasExpected) {
  const std::string long_name(60, 'x');
  const struct {
    std::vector<std::string> arguments;
    const char* words;
  } cases[] = {
      {{}, "--cluster: expected"},
      {{"--cluster", "a b"}, "--cluster: expected a name of letters"},
      {{"--cluster", long_name}, "expected --name, of 54"},
      {{"--cluster=c", "--queue", "https://sqs.eu-west-1.amazonaws.com/1/q"}, "for --queue-url"},
      {{"--cluster=c", "--queue", "arn:aws:sqs:eu-west-1:1:q"}, "for --queue-url"},
      {{"--cluster=c", "--group", "a${b}"}, "--group: expected names of Auto Scaling groups"},
      {{"--cluster=c", "--group", "a,"}, "--group: expected names"},
      {{"--router=r", "--group=a"}, "--group: is of a cluster"},
      {{"--cluster=c", "--router=spotkeeper-c"}, "--router: expected another name"},
      {{"--cluster=c", "--create", "--check", "--region=r"}, "cannot be combined with --check"},
      {{"--cluster=c", "--dry-run"}, "--dry-run: is of --create"},
      {{"--cluster=c", "--check"}, "--region: expected"},
      {{"--cluster=c", "-o", "terraform"}, "--region: expected"},
      {{"--cluster=c", "-o", "table"}, "expected cloudformation, json, terraform here"},
      {{"--cluster=c", "--check", "--region=r", "-o", "terraform"}, "table, json, yaml here"},
      {{"--cluster=c", "--identity=irsa"}, "expected --oidc-issuer"},
      {{"--cluster=c", "--oidc-issuer=arn:aws:iam::1:x"}, "the cluster's OIDC issuer"},
      {{"--cluster=c", "--service-account=spotkeeper"}, "NAMESPACE/NAME"},
      {{"--cluster=c", "--hook-timeout=20"}, "from 30 to 7200"},
      {{"--cluster=c", "--managed-tag=${x}"}, "--managed-tag: expected a tag's key"},
      {{"--cluster=c", "now"}, "expected options only"},
  };
  for (const auto& one : cases) {
    const auto options = parse(one.arguments);
    ASSERT_FALSE(options) << one.words;
    EXPECT_THAT(options.error().message, HasSubstr(one.words));
    EXPECT_EQ(options.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace spotkeeper::config
