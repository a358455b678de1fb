// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_container.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kBody =
    R"({"AccessKeyId":"AKID","SecretAccessKey":"hunter2","Token":"t","AccountId":"1",
        "Expiration":"2026-11-21T16:00:00Z"})";

TEST(ContainerSource, RelativePathIsOfEcsAndWins) {
  const auto source =
      container_source(with({{kRelative, "/v2/credentials/x"}, {kFull, "http://localhost/"}}));
  ASSERT_TRUE(source.has_value() && *source);
  EXPECT_EQ((*source)->url, "http://169.254.170.2/v2/credentials/x");
  EXPECT_FALSE(container_source(with({{kRelative, "@evil.example/"}})).has_value());
}

TEST(ContainerSource, AllowedHosts) {
  for (const char* url :
       {"https://credentials.example/x", "http://127.0.0.1:80/x", "http://127.9.9.9/",
        "http://[::1]/", "http://localhost:8080/x", "http://169.254.170.2/x",
        "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"}) {
    EXPECT_TRUE(container_source(with({{kFull, url}})).has_value()) << url;
  }
  for (const char* url :
       {"http://credentials.example/x", "http://169.254.169.254/x", "http://10.0.0.1/",
        "http://localhost.evil.example/", "http://169.254.170.23.evil.example/",
        "http://169.254.170.23@evil.example/", "http://[fd00:ec2::254]/", "ftp://localhost/",
        "localhost/x", "http://localhost/a b", "http://[::ffff:10.0.0.1]/"}) {
    const auto source = container_source(with({{kFull, url}}));
    ASSERT_FALSE(source.has_value()) << url;
    EXPECT_EQ(source.error().kind, ErrorKind::kPermanent);
    EXPECT_THAT(source.error().message, HasSubstr(kFull));
  }
}

TEST(ContainerSource, NotConfigured) {
  const auto source = container_source(with({}));
  ASSERT_TRUE(source.has_value());
  EXPECT_FALSE(source->has_value());
}

TEST(ContainerSource, TokenIsOneLine) {
  EXPECT_FALSE(container_source(with({{kFull, "http://localhost/"},
                                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX-Evil: 1"}}))
                   .has_value());
}

class ContainerTest : public AwsFixture {
 protected:
  Result<Credentials> fetch(ContainerSource source) {
    ContainerCredentials container(client_, std::move(source), Millis(1));
    return run(container.fetch());
  }
  ContainerSource source(std::string token = "") {
    return {.url = url() + "/secret-path", .token_file = "", .token = Secret(std::move(token))};
  }
};

TEST_F(ContainerTest, AsksWithTheTokenAsItIs) {
  reply(kBody);
  const auto credentials = fetch(source("the token"));
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "AKID");
  EXPECT_EQ(seen_.at(0).method, "GET");
  EXPECT_EQ(seen_.at(0).path, "/secret-path");
  EXPECT_EQ(header(0, "Authorization"), "the token");
}

TEST_F(ContainerTest, ReadsTheFileEachTime) {
  reply(kBody);
  const std::string path = testing::TempDir() + "spotkeeper-pod-identity";
  ContainerSource with_file = source("other");
  with_file.token_file = path;
  for (const char* token : {"first", "second"}) {
    std::ofstream(path) << token << "\n";
    EXPECT_TRUE(fetch(with_file).has_value());
  }
  std::remove(path.c_str());
  EXPECT_EQ(header(0, "Authorization"), "first");
  EXPECT_EQ(header(1, "Authorization"), "second");
  EXPECT_THAT(fetch(with_file).error().message, HasSubstr(path));
}

TEST_F(ContainerTest, WeatherIsTriedAgain) {
  reply("", 500);
  reply(kBody);
  EXPECT_TRUE(fetch(source()).has_value());
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(ContainerTest, WeatherThatLastsIsAnErrorWithoutThePath) {
  reply("", 500);
  const auto credentials = fetch(source());
  ASSERT_FALSE(credentials.has_value());
  EXPECT_EQ(credentials.error().message, "container credentials: HTTP status 500");
  EXPECT_EQ(seen_.size(), 3u);
  const auto silent =
      fetch({.url = "http://127.0.0.1:1/secret-path", .token_file = "", .token = {}});
  ASSERT_FALSE(silent.has_value());
  EXPECT_EQ(silent.error().kind, ErrorKind::kRetryable);
  EXPECT_THAT(silent.error().message, Not(HasSubstr("secret-path")));
}

TEST_F(ContainerTest, RefusalShowsNoToken) {
  reply(R"({"code":"AccessDenied","message":"token the-token is not known"})", 400);
  const auto credentials = fetch(source("the-token"));
  ASSERT_FALSE(credentials.has_value());
  EXPECT_EQ(credentials.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(credentials.error().message,
            "container credentials: AccessDenied: token *** is not known");
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ContainerTest, BodyThatIsNone) {
  reply(R"({"AccessKeyId":"AKID","SecretAccessKey":"hunter2"})");
  EXPECT_EQ(fetch(source()).error().message, "container credentials: the answer has no Token");
}

}  // namespace
}  // namespace spotkeeper::aws
