// SPDX-License-Identifier: Apache-2.0
// URLs, as flags, kubeconfigs and proxies give them: each is tried as it is, and with a user and a
// password put before its host, which no message may show.
#include <algorithm>
#include <charconv>
#include <string>

#include "base/fuzz.h"
#include "http/target.h"

namespace spotkeeper {
namespace {

constexpr const char* kPassword = "8pSmqZ41vT";

bool is_port(const std::string& text) {
  unsigned port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && port <= 65'535;
}

Result<http::Target> check(const std::string& url, bool secret_path) {
  http::Request request;
  request.url = url;
  request.secret_path = secret_path;
  Result<http::Target> target = http::parse_target(request);
  if (!target) {
    must(target.error().kind == ErrorKind::kPermanent, "a bad URL stays bad");
    must(is_one_line(target.error().message), "the message is one line");
    must(!target.error().message.contains(kPassword), "no message shows a password");
    return target;
  }
  must(target->scheme == "http" || target->scheme == "https", "only http and https");
  must(!target->host.empty(), "there is a host");
  must(is_port(target->port), "there is a port");
  must(target->rest.starts_with('/'), "a path begins with a slash");
  must(is_one_line(target->label) && is_one_line(target->rest) && is_one_line(target->host),
       "nothing breaks out of its line");
  must(!target->label.contains(kPassword), "no message shows a password");
  must(!secret_path || target->label.ends_with("/…"), "a secret path is not shown");
  http::is_local(target->host);
  return target;
}

}  // namespace

void fuzz(std::string_view input) {
  if (input.contains(kPassword)) return;
  const std::string url(input);
  const Result<http::Target> plain = check(url, false);
  const Result<http::Target> hidden = check(url, true);
  must(plain.has_value() == hidden.has_value(), "a secret path is a path");
  if (!plain) return;
  const size_t host = plain->scheme.size() + 1;
  if (url.compare(host, 2, "//") != 0) return;
  const Result<http::Target> login =
      check(url.substr(0, host + 2) + "user:" + kPassword + "@" + url.substr(host + 2), false);
  must(!login || login->scheme == plain->scheme, "a password changes no scheme");
}

}  // namespace spotkeeper
