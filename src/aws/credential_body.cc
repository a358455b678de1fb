// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_body.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "aws/answer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

constexpr size_t kLargestFile = 64uz * 1024;
constexpr const char* kSpace = " \t\r\n";

}  // namespace

bool is_token(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<Credentials> decode_credential_body(const std::string& body, const std::string& source) {
  boost::system::error_code broken;
  const json::value value = json::parse(body, broken);
  if (broken || !value.is_object()) return permanent("the answer is no JSON object");
  const std::string code = text_at(value, {"Code"});
  if (!code.empty() && code != "Success") {
    return std::unexpected(Error{.kind = ErrorKind::kDenied,
                                 .message = one_line(code + ": " + text_at(value, {"Message"})),
                                 .reason = one_line(code)});
  }
  Credentials credentials{.access_key_id = text_at(value, {"AccessKeyId"}),
                          .secret_access_key = Secret(text_at(value, {"SecretAccessKey"})),
                          .session_token = Secret(text_at(value, {"Token"})),
                          .expires = std::nullopt,
                          .source = source};
  if (!is_token(credentials.access_key_id)) return permanent("the answer has no AccessKeyId");
  if (!is_token(credentials.secret_access_key.reveal())) {
    return permanent("the answer has no SecretAccessKey");
  }
  if (!is_token(credentials.session_token.reveal())) return permanent("the answer has no Token");
  if (find(value, {"Expiration"}) != nullptr) {
    Time expires{};
    if (!parse_time(text_at(value, {"Expiration"}), expires)) {
      return permanent("the answer's Expiration is no time");
    }
    credentials.expires = expires;
  }
  return credentials;
}

Result<Secret> read_token_file(const std::string& path) {
  Result<std::string> read = read_file(path, kLargestFile);
  if (!read)
    return permanent("token file " + path + " cannot be read (" + read.error().message + ")");
  std::string content = std::move(*read);
  content.erase(0, std::min(content.find_first_not_of(kSpace), content.size()));
  content.erase(content.find_last_not_of(kSpace) + 1);
  if (!is_token(content)) {
    return permanent("token file " + path + (content.empty() ? " is empty" : " holds no token"));
  }
  return Secret(std::move(content));
}

}  // namespace spotkeeper::aws
