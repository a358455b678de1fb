// SPDX-License-Identifier: Apache-2.0
// What gives credentials, and where it may be asked for. The input's first byte says which: i, the
// body of the instance's role or of a container; s, that of STS; u, a container's URL.
#include <algorithm>
#include <string>

#include "aws/credential_body.h"
#include "aws/credential_container.h"
#include "aws/credential_web_identity.h"
#include "aws/xml.h"
#include "base/fuzz.h"
#include "http/target.h"

namespace spotkeeper {
namespace {

constexpr const char* kSecret = "hunter2/hunter2";

void check(const Result<aws::Credentials>& credentials) {
  if (!credentials) {
    const Error& error = credentials.error();
    must(is_one_line(error.message) && is_utf8(error.message), "a message is one line of UTF-8");
    // A refusal's own words are its message.
    must(error.kind == ErrorKind::kDenied || error.message.find(kSecret) == std::string::npos,
         "no message holds a secret");
    return;
  }
  must(aws::is_token(credentials->access_key_id), "a key's id can be sent");
  must(aws::is_token(credentials->secret_access_key.reveal()), "there is a key");
  must(aws::is_token(credentials->session_token.reveal()), "a token can be sent");
  Time again{};
  must(!credentials->expires || (parse_time(format_time(*credentials->expires), again) &&
                                 again == *credentials->expires),
       "a time can be written down");
}

void check_url(const std::string& url) {
  const auto source =
      aws::container_source([&url](const std::string& name) -> std::optional<std::string> {
        if (name != "AWS_CONTAINER_CREDENTIALS_FULL_URI" || url.empty()) return std::nullopt;
        return url;
      });
  if (!source) {
    must(is_one_line(source.error().message), "a message is one line");
    return;
  }
  if (!*source) return;
  const http::Request request{.url = (*source)->url};
  const auto target = http::parse_target(request);
  must(target.has_value(), "a URL that is allowed is one");
  must(target->scheme == "https" || http::is_local(target->host),
       "a token goes over plain HTTP to what is local only");
}

}  // namespace

void fuzz(std::string_view input) {
  if (input.empty()) return;
  const std::string text(input.substr(1));
  if (input.front() == 'i') check(aws::decode_credential_body(text, "fuzz"));
  if (input.front() == 'u') check_url(text);
  if (input.front() != 's') return;
  if (const auto xml = aws::parse_xml(text)) check(aws::decode_assumed_role(*xml, "fuzz"));
}

}  // namespace spotkeeper
