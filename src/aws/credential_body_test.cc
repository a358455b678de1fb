// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_body.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CredentialBody, OfTheInstance) {
  const auto credentials = decode_credential_body(
      R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"AKID","SecretAccessKey":"s","Token":"t",
          "LastUpdated":"2026-11-21T09:00:00Z","Expiration":"2026-11-21T16:00:00Z"})",
      "instance role");
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "AKID");
  EXPECT_EQ(credentials->secret_access_key.reveal(), "s");
  EXPECT_EQ(credentials->session_token.reveal(), "t");
  EXPECT_EQ(format_time_s(*credentials->expires), "2026-11-21T16:00:00Z");
}

TEST(CredentialBody, ThatIsARefusal) {
  const auto credentials = decode_credential_body(
      R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot\nassume the role"})", "x");
  ASSERT_FALSE(credentials.has_value());
  EXPECT_EQ(credentials.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(credentials.error().message,
            "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role");
}

TEST(CredentialBody, SaysWhatIsMissingAndNothingElse) {
  for (
      const char* body :
      {R"({"AccessKeyId":"AKID-x","SecretAccessKey":"hunter2","Token":"line\nbreak"})",
       R"({"AccessKeyId":"AKID-x","SecretAccessKey":"hunter2"})",
       R"({"AccessKeyId":"AKID-x","SecretAccessKey":"hunter2","Token":"t","Expiration":"hunter2"})",
       R"({"SecretAccessKey":"hunter2","Token":"t"})", "hunter2", "[]", ""}) {
    const auto credentials = decode_credential_body(body, "x");
    ASSERT_FALSE(credentials.has_value()) << body;
    EXPECT_EQ(credentials.error().kind, ErrorKind::kPermanent);
    EXPECT_THAT(credentials.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(TokenFile, IsOneLine) {
  const std::string path = testing::TempDir() + "spotkeeper-token";
  const auto read = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    return read_token_file(path);
  };
  EXPECT_EQ(read("abc\n")->reveal(), "abc");
  EXPECT_THAT(read("").error().message, HasSubstr("is empty"));
  EXPECT_THAT(read("abc\r\nX-Evil: 1").error().message, HasSubstr("holds no token"));
  EXPECT_THAT(read(std::string(70'000, 'x')).error().message, HasSubstr("larger than 64 KiB"));
  std::remove(path.c_str());
  EXPECT_THAT(read_token_file(path).error().message, HasSubstr("No such file"));
  EXPECT_THAT(read_token_file(testing::TempDir()).error().message, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace spotkeeper::aws
