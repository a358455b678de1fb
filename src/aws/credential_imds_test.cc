// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_imds.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBody =
    R"({"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t",
        "Expiration":"2026-11-21T16:00:00Z"})";

// The first reply is to the token request.
class ImdsRoleTest : public AwsFixture {
 protected:
  void SetUp() override {
    AwsFixture::SetUp();
    reply("imds-token");
    imds_ =
        std::make_unique<ImdsClient>(client_, ImdsOptions{.base_url = url(), .tries = 1}, clock_);
  }
  Result<Credentials> fetch() {
    ImdsCredentials role(*imds_);
    return run(role.fetch());
  }
  std::unique_ptr<ImdsClient> imds_;
};

TEST_F(ImdsRoleTest, IsTheRoleOfTheInstance) {
  reply("web-role\n");
  reply(kBody);
  const auto credentials = fetch();
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "ASIA");
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_EQ(seen_[2].path, "/latest/meta-data/iam/security-credentials/web-role");
  EXPECT_EQ(header(2, "X-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(ImdsRoleTest, MayNotBeThere) {
  reply("<html>404</html>", 404);
  EXPECT_THAT(fetch().error().message, HasSubstr("attach an instance profile"));
}

TEST_F(ImdsRoleTest, IsAName) {
  reply("../../../user-data");
  EXPECT_THAT(fetch().error().message, HasSubstr("none that can be one"));
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ImdsRoleTest, MayBeRefused) {
  reply("web-role");
  reply(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"no trust"})");
  EXPECT_EQ(fetch().error().message,
            "instance role web-role: AssumeRoleUnauthorizedAccess: no trust");
}

TEST_F(ImdsRoleTest, WeatherIsRetryable) {
  reply("web-role");
  reply("", 500);
  EXPECT_EQ(fetch().error().kind, ErrorKind::kRetryable);
}

TEST_F(ImdsRoleTest, RegionOfTheInstance) {
  reply("ap-south-2");
  EXPECT_EQ(run(find_region(with({}), *imds_)), "ap-south-2");
  EXPECT_EQ(seen_.at(1).path, "/latest/meta-data/placement/region");
  EXPECT_EQ(run(find_region(with({{"AWS_REGION", "eu-west-1"}}), *imds_)), "eu-west-1");
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ImdsRoleTest, RegionThatIsNone) {
  reply("http://evil.example/");
  EXPECT_THAT(run(find_region(with({}), *imds_)).error().message, HasSubstr("set AWS_REGION"));
  EXPECT_THAT(
      run(find_region(with({{"AWS_EC2_METADATA_DISABLED", "True"}}), *imds_)).error().message,
      HasSubstr("set AWS_REGION"));
}

}  // namespace
}  // namespace spotkeeper::aws
