// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <gtest/gtest.h>

#include <string>

namespace spotkeeper::http {
namespace {

TEST(Target, TakesAUrlApart) {
  const auto target = parse_target({.url = "https://[fd00::1]:8443/a/../b%20c?x=1&y=%2F"});
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->scheme, "https");
  EXPECT_EQ(target->host, "[fd00::1]");
  EXPECT_EQ(target->port, "8443");
  EXPECT_EQ(target->rest, "/a/../b%20c?x=1&y=%2F") << "what was signed must be what is sent";
}

TEST(Target, FillsInPortAndPath) {
  const auto target = parse_target({.url = "http://host"});
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->port, "80");
  EXPECT_EQ(target->rest, "/");
}

TEST(Target, TheLabelHoldsNoSecrets) {
  const Request request{.method = Method::kPost, .url = "https://me:pw@host:1/path?key=secret"};
  EXPECT_EQ(parse_target(request)->label, "POST https://host:1/path");
  const Request webhook{
      .method = Method::kPost, .url = "https://hooks.test/T0/B0/XX", .secret_path = true};
  EXPECT_EQ(parse_target(webhook)->label, "POST https://hooks.test/…");
}

struct UrlRow {
  const char* name;
  std::string url;
};

class BadUrl : public ::testing::TestWithParam<UrlRow> {};

TEST_P(BadUrl, IsAPermanentError) {
  const auto target = parse_target({.url = GetParam().url});
  ASSERT_FALSE(target.has_value());
  EXPECT_EQ(target.error().kind, ErrorKind::kPermanent);
  EXPECT_TRUE(target.error().message.starts_with("GET request: not an absolute http or https URL"))
      << target.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Target, BadUrl,
    ::testing::Values(UrlRow{"Empty", ""}, UrlRow{"NoScheme", "host/path"},
                      UrlRow{"Relative", "/path"}, UrlRow{"OtherScheme", "ftp://host/"},
                      UrlRow{"File", "file:///etc/passwd"}, UrlRow{"NoHost", "http://"},
                      UrlRow{"BadPort", "http://host:port/"}, UrlRow{"HugePort", "http://h:99999/"},
                      UrlRow{"LineBreak", "http://host/\r\nX-Evil: 1"},
                      UrlRow{"Blank", "http://host/a b"},
                      UrlRow{"Nul", std::string("http://host/\0x", 14)}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Target, KnowsLocalAddresses) {
  for (const char* host :
       {"127.0.0.1", "127.9.9.9", "localhost", "a.localhost", "[::1]", "169.254.169.254",
        "169.254.170.2", "[fd00:ec2::254]", "[fd00:ec2::23]", "[fe80::1]"}) {
    EXPECT_TRUE(is_local(host)) << host;
  }
  for (const char* host : {"10.0.0.1", "169.253.1.1", "example.com", "localhost.example.com",
                           "[fd00:ec3::254]", "[2001:db8::1]", ""}) {
    EXPECT_FALSE(is_local(host)) << host;
  }
}

}  // namespace
}  // namespace spotkeeper::http
