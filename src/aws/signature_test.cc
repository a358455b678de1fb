// SPDX-License-Identifier: Apache-2.0
#include "aws/signature.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// Where tools/setup puts AWS's vectors.
fs::path vectors() {
  const char* cache = std::getenv("SPOTKEEPER_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path root = cache != nullptr && *cache != '\0'
                            ? fs::path(cache)
                            : fs::path(home == nullptr ? "" : home) / ".cache" / "spotkeeper";
  return root / "vectors" / "sigv4" / "v4";
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in.good()) << file << " cannot be read";
  return {std::istreambuf_iterator<char>(in), {}};
}

// A line and its end taken off the front of `text`.
std::string take_line(std::string& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, std::min(end + 1, text.size()));
  return line;
}

Signable parse_request(std::string text) {
  Signable request;
  std::string target = take_line(text);
  request.method = target.substr(0, target.find(' '));
  target = target.substr(request.method.size() + 1);
  target.resize(target.rfind(" HTTP/1.1"));
  const size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  while (!text.empty()) {
    const std::string line = take_line(text);
    if (line.empty()) break;
    if (line.front() == ' ') {
      request.headers.back().value += "\n" + line;
      continue;
    }
    const size_t colon = line.find(':');
    request.headers.push_back({.name = line.substr(0, colon), .value = line.substr(colon + 1)});
  }
  request.body = text;
  return request;
}

std::string signature_of(const std::string& authorization) {
  return authorization.substr(authorization.rfind('=') + 1);
}

void check_vector(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const json::value context = json::parse(content(folder / "context.json"));
  Credentials credentials;
  credentials.access_key_id = text_at(context, {"credentials", "access_key_id"});
  credentials.secret_access_key = Secret(text_at(context, {"credentials", "secret_access_key"}));
  credentials.session_token = Secret(text_at(context, {"credentials", "token"}));
  SigningScope scope;
  ASSERT_TRUE(parse_time(text_at(context, {"timestamp"}), scope.now));
  scope.region = text_at(context, {"region"});
  scope.service = text_at(context, {"service"});
  scope.normalize_path = flag_at(context, {"normalize"});
  scope.encode_path_twice = false;  // as the suite's own harness has it
  scope.content_hash = flag_at(context, {"sign_body"});
  scope.token_signed = !flag_at(context, {"omit_session_token"});

  const Signable request = parse_request(content(folder / "request.txt"));
  const Signature signature = sign(request, credentials, scope);
  EXPECT_EQ(signature.canonical_request.reveal(), content(folder / "header-canonical-request.txt"));
  EXPECT_EQ(signature.string_to_sign, content(folder / "header-string-to-sign.txt"));
  EXPECT_EQ(signature_of(signature.authorization), content(folder / "header-signature.txt"));

  const Signable signed_request = parse_request(content(folder / "header-signed-request.txt"));
  for (const http::Header& header : signature.headers()) {
    const std::string* expected = http::find_header(signed_request.headers, header.name);
    ASSERT_NE(expected, nullptr) << header.name;
    EXPECT_EQ(header.value, *expected) << header.name;
  }
}

// Two vectors are of an older suite: they come without their context and without a signature that
// goes with what is signed. Their date stands in the canonical request.
void check_old_vector(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const Credentials credentials{.access_key_id = "AKIDEXAMPLE",
                                .secret_access_key = Secret("any"),
                                .session_token = Secret(),
                                .expires = std::nullopt,
                                .source = ""};
  SigningScope scope{.region = "us-east-2", .service = "lambda"};
  ASSERT_TRUE(parse_time("2021-05-11T15:40:45Z", scope.now));
  const Signature signature =
      sign(parse_request(content(folder / "request.txt")), credentials, scope);
  EXPECT_EQ(signature.canonical_request.reveal(), content(folder / "header-canonical-request.txt"));
  if (fs::exists(folder / "header-string-to-sign.txt")) {
    EXPECT_EQ(signature.string_to_sign + "\n", content(folder / "header-string-to-sign.txt"));
  }
}

TEST(Signature, AllVectorsOfAws) {
  const fs::path root = vectors();
  ASSERT_TRUE(fs::is_directory(root))
      << "AWS's signature vectors are missing at " << root << ": run 'tools/setup test'";
  size_t count = 0;
  size_t old = 0;
  for (const fs::directory_entry& each : fs::directory_iterator(root)) {
    if (fs::exists(each.path() / "context.json")) {
      check_vector(each.path());
      ++count;
    } else {
      check_old_vector(each.path());
      ++old;
    }
  }
  EXPECT_EQ(count, 38u) << "not the suite that tools/setup pins";
  EXPECT_EQ(old, 2u) << "not the suite that tools/setup pins";
}

TEST(Signature, TheTokenIsAHeader) {
  const Credentials credentials{.access_key_id = "AKID",
                                .secret_access_key = Secret("key"),
                                .session_token = Secret("the-token"),
                                .expires = std::nullopt,
                                .source = ""};
  const Signable request{.headers = {{"Host", "ecs.eu-west-1.amazonaws.com"}}, .body = "{}"};
  const SigningScope scope{
      .now = Time(Seconds(1'795'255'200)), .region = "eu-west-1", .service = "ecs"};
  const Signature signature = sign(request, credentials, scope);
  ASSERT_NE(http::find_header(signature.headers(), "x-amz-security-token"), nullptr);
  EXPECT_THAT(signature.authorization,
              testing::HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token"));
  EXPECT_THAT(signature.authorization, testing::Not(testing::HasSubstr("the-token")));
}

// Whatever prints does not print a secret: it has no way to.
template <class T>
concept Prints = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Prints<Secret> && !Prints<Credentials> && !Prints<Signature>);
static_assert(std::is_same_v<decltype(Signature::canonical_request), Secret>);
static_assert(std::is_same_v<decltype(Credentials::session_token), Secret>);
static_assert(std::is_same_v<decltype(Credentials::secret_access_key), Secret>);

TEST(Signature, EncodesAsRfc3986Says) {
  EXPECT_EQ(uri_encode("a-b_c.d~e/f g+ä"), "a-b_c.d~e%2Ff%20g%2B%C3%A4");
  EXPECT_EQ(uri_encode("/a b/", true), "/a%20b/");
}

}  // namespace
}  // namespace spotkeeper::aws
