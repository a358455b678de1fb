// SPDX-License-Identifier: Apache-2.0
#include "aws/endpoint.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Row {
  const char* name;
  const Service* service;
  const char* region;
  bool fips;
  bool dual_stack;
  const char* url;
};

class EndpointTable : public testing::TestWithParam<Row> {};

TEST_P(EndpointTable, IsWhereAwsIs) {
  const Row& row = GetParam();
  const EndpointOptions options{.fips = row.fips, .dual_stack = row.dual_stack, .url = ""};
  EXPECT_EQ(endpoint_url(*row.service, row.region, options), row.url);
}

// As the SDKs' endpoint rules have them.
INSTANTIATE_TEST_SUITE_P(
    Rows, EndpointTable,
    testing::Values(
        Row{"plain", &kEcs, "eu-west-1", false, false, "https://ecs.eu-west-1.amazonaws.com"},
        Row{"fips", &kEcs, "us-east-1", true, false, "https://ecs-fips.us-east-1.amazonaws.com"},
        Row{"dual", &kEcs, "us-east-1", false, true, "https://ecs.us-east-1.api.aws"},
        Row{"both", &kElb, "us-east-1", true, true,
            "https://elasticloadbalancing-fips.us-east-1.api.aws"},
        Row{"china", &kSts, "cn-north-1", false, false, "https://sts.cn-north-1.amazonaws.com.cn"},
        Row{"china_dual", &kSts, "cn-northwest-1", false, true,
            "https://sts.cn-northwest-1.api.amazonwebservices.com.cn"},
        Row{"gov_fips_ecs", &kEcs, "us-gov-west-1", true, false,
            "https://ecs-fips.us-gov-west-1.amazonaws.com"},
        Row{"gov_fips_elb", &kElb, "us-gov-west-1", true, false,
            "https://elasticloadbalancing.us-gov-west-1.amazonaws.com"},
        Row{"gov_fips_sts", &kSts, "us-gov-east-1", true, false,
            "https://sts.us-gov-east-1.amazonaws.com"},
        Row{"gov_both", &kSts, "us-gov-east-1", true, true,
            "https://sts-fips.us-gov-east-1.api.aws"},
        Row{"iso", &kEcs, "us-iso-east-1", false, false, "https://ecs.us-iso-east-1.c2s.ic.gov"},
        Row{"isob", &kSqs, "us-isob-east-1", false, false,
            "https://sqs.us-isob-east-1.sc2s.sgov.gov"},
        Row{"isoe", &kEcs, "eu-isoe-west-1", false, false,
            "https://ecs.eu-isoe-west-1.cloud.adc-e.uk"},
        Row{"isof", &kAutoScaling, "us-isof-south-1", false, false,
            "https://autoscaling.us-isof-south-1.csp.hci.ic.gov"},
        Row{"sovereign", &kEcs, "eusc-de-east-1", false, false,
            "https://ecs.eusc-de-east-1.amazonaws.eu"},
        Row{"of_the_future", &kEcs, "xy-north-9", false, false,
            "https://ecs.xy-north-9.amazonaws.com"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Endpoint, PartitionIsOfTheRegionsPrefix) {
  EXPECT_STREQ(partition_of("eu-west-1").name, "aws");
  EXPECT_STREQ(partition_of("cn-north-1").name, "aws-cn");
  EXPECT_STREQ(partition_of("us-gov-west-1").name, "aws-us-gov");
  EXPECT_STREQ(partition_of("us-iso-west-1").name, "aws-iso");
  EXPECT_STREQ(partition_of("us-isob-east-1").name, "aws-iso-b");
}

TEST(Endpoint, OneOfItsOwnWins) {
  const auto options = endpoint_options(with({{"AWS_ENDPOINT_URL", "http://127.0.0.1:5000/"},
                                              {"AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:6000"},
                                              {"AWS_USE_FIPS_ENDPOINT", "true"}}));
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(endpoint_url(kEcs, "eu-west-1", *options), "http://127.0.0.1:6000");
  EXPECT_EQ(endpoint_url(kElb, "eu-west-1", *options), "http://127.0.0.1:5000");
}

TEST(Endpoint, OfAServiceWhoseIdHasSpaces) {
  const auto options = endpoint_options(
      with({{"AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "https://vpce.example"}}));
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(endpoint_url(kElb, "eu-west-1", *options), "https://vpce.example");
  EXPECT_EQ(endpoint_url(kEcs, "eu-west-1", *options), "https://ecs.eu-west-1.amazonaws.com");
}

TEST(Endpoint, CanBeToldToIgnoreThem) {
  const auto options = endpoint_options(with({{"AWS_ENDPOINT_URL", "http://127.0.0.1:5000"},
                                              {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True"}}));
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->url, "");
}

TEST(Endpoint, SaysWhichVariableIsWrong) {
  const auto flag = endpoint_options(with({{"AWS_USE_DUALSTACK_ENDPOINT", "yes"}}));
  ASSERT_FALSE(flag.has_value());
  EXPECT_EQ(flag.error().message, "AWS_USE_DUALSTACK_ENDPOINT=yes: neither true nor false");
  for (const char* bad : {"127.0.0.1:5000", "ftp://x", "https://", "http://a b", "http://a?b",
                          "http://user:hunter2@host"}) {
    const auto url = endpoint_options(with({{"AWS_ENDPOINT_URL_STS", bad}}));
    ASSERT_FALSE(url.has_value()) << bad;
    EXPECT_THAT(url.error().message, HasSubstr("AWS_ENDPOINT_URL_STS"));
    EXPECT_THAT(url.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(Endpoint, IamIsOneForAllRegionsOfAPartition) {
  EXPECT_EQ(endpoint_url(kIam, global_region_of("eu-west-1"), {}), "https://iam.amazonaws.com");
  EXPECT_EQ(global_region_of("eu-west-1"), "us-east-1");
  EXPECT_EQ(global_region_of("us-gov-east-1"), "us-gov-west-1");
  EXPECT_EQ(endpoint_url(kIam, "cn-northwest-1", {}), "https://iam.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(global_region_of("us-iso-east-1"), "us-iso-east-1");
  EXPECT_EQ(endpoint_url(kIam, "eu-west-1", {.urls_of = {{"IAM", "http://here"}}}), "http://here");
}

TEST(Endpoint, RegionOfTheEnvironment) {
  EXPECT_EQ(region_of(with({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "us-east-1"}})),
            "eu-west-1");
  EXPECT_EQ(region_of(with({{"AWS_DEFAULT_REGION", "us-east-1"}})), "us-east-1");
  EXPECT_EQ(region_of(with({})), std::nullopt);
  EXPECT_FALSE(region_of(with({{"AWS_REGION", "evil.example/?x="}})).has_value());
}

}  // namespace
}  // namespace spotkeeper::aws
