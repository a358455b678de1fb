// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_web_identity.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFile = "AWS_WEB_IDENTITY_TOKEN_FILE";
constexpr const char* kAnswer =
    R"(<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Audience>sts.amazonaws.com</Audience>
    <Credentials><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
      <Expiration>2026-11-21T11:00:00Z</Expiration><AccessKeyId>ASIA</AccessKeyId></Credentials>
  </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>)";

TEST(WebIdentity, OfTheEnvironment) {
  const auto identity =
      web_identity(with({{kFile, "/token"}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}}));
  ASSERT_TRUE(identity.has_value() && *identity);
  EXPECT_EQ((*identity)->session_name, "spotkeeper");
  EXPECT_FALSE(web_identity(with({}))->has_value());
}

TEST(WebIdentity, NeedsARole) {
  EXPECT_THAT(web_identity(with({{kFile, "/token"}})).error().message, HasSubstr("AWS_ROLE_ARN"));
  EXPECT_THAT(web_identity(with({{kFile, "/token"},
                                 {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"},
                                 {"AWS_ROLE_SESSION_NAME", "a b"}}))
                  .error()
                  .message,
              HasSubstr("AWS_ROLE_SESSION_NAME"));
}

class WebIdentityTest : public AwsFixture {
 protected:
  void TearDown() override {
    std::remove(path_.c_str());
    AwsFixture::TearDown();
  }
  Result<Credentials> fetch(const std::string& token) {
    std::ofstream(path_) << token;
    WebIdentity identity{
        .token_file = path_, .role_arn = "arn:aws:iam::1:role/x", .session_name = "me"};
    WebIdentityCredentials source(client_, clock_, options_, std::move(identity));
    return run(source.fetch());
  }
  const std::string path_ = testing::TempDir() + "spotkeeper-irsa";
};

TEST_F(WebIdentityTest, AssumesTheRoleUnsigned) {
  reply(kAnswer);
  const auto credentials = fetch("header.payload.sig\n");
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "ASIA");
  EXPECT_EQ(credentials->session_token.reveal(), "t");
  EXPECT_EQ(format_time_s(*credentials->expires), "2026-11-21T11:00:00Z");
  EXPECT_EQ(header(0, "Authorization"), "");
  EXPECT_EQ(seen_.at(0).body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1"
            "%3Arole%2Fx&RoleSessionName=me&WebIdentityToken=header.payload.sig");
}

TEST_F(WebIdentityTest, RefusalNamesTheRoleAndNotTheToken) {
  reply(
      "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No provider for "
      "header.payload.sig</Message></Error><RequestId>r</RequestId></ErrorResponse>",
      400);
  const auto credentials = fetch("header.payload.sig");
  ASSERT_FALSE(credentials.has_value());
  EXPECT_EQ(credentials.error().message,
            "web identity: sts AssumeRoleWithWebIdentity arn:aws:iam::1:role/x: "
            "InvalidIdentityToken: No provider for *** (request r)");
}

TEST_F(WebIdentityTest, ProviderThatIsSlowIsTriedAgain) {
  reply("<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error></ErrorResponse>", 400);
  reply(kAnswer);
  EXPECT_TRUE(fetch("t").has_value());
}

TEST_F(WebIdentityTest, AnswerThatIsNotWhole) {
  reply(
      "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
      "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey></Credentials>"
      "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
  const auto credentials = fetch("t");
  ASSERT_FALSE(credentials.has_value());
  EXPECT_EQ(credentials.error().message, "web identity: the answer has no SessionToken");
}

TEST_F(WebIdentityTest, NoFileNoCall) {
  const auto credentials = fetch("");
  ASSERT_FALSE(credentials.has_value());
  EXPECT_THAT(credentials.error().message, HasSubstr("is empty"));
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace spotkeeper::aws
