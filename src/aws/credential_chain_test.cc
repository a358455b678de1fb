// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_chain.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;

using Variables = std::map<std::string, std::string>;
const Variables kKeys{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
const Variables kIrsa{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
                      {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}};
const Variables kPod{
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"}};

std::string chosen(std::vector<Variables> sets) {
  Variables all;
  for (Variables& set : sets) all.merge(set);
  const auto choice = choose_credentials(with(all));
  return choice ? describe(*choice) : choice.error().message;
}

TEST(CredentialChain, Order) {
  EXPECT_EQ(chosen({kKeys, kIrsa, kPod}), "keys in the environment");
  EXPECT_EQ(chosen({kIrsa, kPod}), "web identity as arn:aws:iam::1:role/x");
  EXPECT_EQ(chosen({kPod}), "container, from 169.254.170.23");
  EXPECT_EQ(chosen({}), "instance role");
}

TEST(CredentialChain, DescribesNoSecretOfEcs) {
  EXPECT_EQ(chosen({{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid"}}}),
            "container, from 169.254.170.2");
}

TEST(CredentialChain, WhatIsNotWholeIsNotPassedOver) {
  EXPECT_THAT(chosen({{{"AWS_ACCESS_KEY_ID", "AKID"}}, kPod}), HasSubstr("AWS_SECRET_ACCESS_KEY"));
  EXPECT_THAT(chosen({{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}, kPod}), HasSubstr("AWS_ROLE_ARN"));
  EXPECT_THAT(chosen({{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/"}}}),
              HasSubstr("use https"));
}

TEST(CredentialChain, ThereMayBeNone) {
  EXPECT_THAT(chosen({{{"AWS_EC2_METADATA_DISABLED", "true"}}}), HasSubstr("no AWS credentials"));
}

class CredentialChainTest : public AwsFixture {
 protected:
  Result<Credentials> get(CredentialChoice choice) {
    imds_ =
        std::make_unique<ImdsClient>(client_, ImdsOptions{.base_url = url(), .tries = 1}, clock_);
    source_ = make_credentials(std::move(choice), {.http = client_,
                                                   .imds = *imds_,
                                                   .clock = clock_,
                                                   .tasks = tasks_,
                                                   .sts = options_,
                                                   .warn = {}});
    return run(source_->get());
  }
  std::unique_ptr<ImdsClient> imds_;
  std::unique_ptr<CredentialSource> source_;
};

TEST_F(CredentialChainTest, MakesWhatWasChosen) {
  EXPECT_EQ(get(session("1"))->access_key_id, "AKID1");
  reply(R"({"AccessKeyId":"AKIDC","SecretAccessKey":"s","Token":"t"})");
  const ContainerSource container{.url = url() + "/x", .token_file = "", .token = Secret()};
  EXPECT_EQ(get(container)->access_key_id, "AKIDC");
  reply("imds-token");
  replies_.pop_front();
  reply("role");
  reply(R"({"AccessKeyId":"AKIDI","SecretAccessKey":"s","Token":"t"})");
  EXPECT_EQ(get(InstanceRole())->access_key_id, "AKIDI");
  const WebIdentity identity{.token_file = "/nowhere", .role_arn = "arn:x", .session_name = "me"};
  EXPECT_THAT(get(identity).error().message, HasSubstr("web identity: token file /nowhere"));
}

}  // namespace
}  // namespace spotkeeper::aws
