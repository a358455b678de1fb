// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_environment.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(EnvironmentCredentials, AreTheKeys) {
  const auto keys = environment_credentials(
      with({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s"}}));
  ASSERT_TRUE(keys.has_value() && *keys);
  EXPECT_EQ((*keys)->access_key_id, "AKID");
  EXPECT_TRUE((*keys)->session_token.empty());
  EXPECT_FALSE((*keys)->expires.has_value());
}

TEST(EnvironmentCredentials, OfASession) {
  const auto keys = environment_credentials(with(
      {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}}));
  EXPECT_EQ((*keys)->session_token.reveal(), "t");
}

TEST(EnvironmentCredentials, MayBeMissing) {
  const auto keys = environment_credentials(with({}));
  ASSERT_TRUE(keys.has_value());
  EXPECT_FALSE(keys->has_value());
}

TEST(EnvironmentCredentials, AreWholeOrWrong) {
  EXPECT_FALSE(environment_credentials(with({{"AWS_ACCESS_KEY_ID", "AKID"}})).has_value());
  for (const auto& bad :
       {with({{"AWS_SECRET_ACCESS_KEY", "hunter2"}}),
        with({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2\n"}})}) {
    const auto keys = environment_credentials(bad);
    ASSERT_FALSE(keys.has_value());
    EXPECT_THAT(keys.error().message, HasSubstr("AWS_SECRET_ACCESS_KEY"));
    EXPECT_THAT(keys.error().message, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace spotkeeper::aws
