// SPDX-License-Identifier: Apache-2.0
#include "aws/credential_container.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <utility>

#include "async/timing.h"
#include "aws/answer.h"
#include "aws/credential_body.h"
#include "base/text.h"
#include "http/target.h"

namespace spotkeeper::aws {
namespace {

constexpr const char* kWhat = "container credentials";
constexpr const char* kEcsHost = "http://169.254.170.2";
constexpr int kTries = 3;
constexpr Millis kTimeout{2'000};
constexpr size_t kLargestAnswer = 64uz * 1024;

bool is_plain(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_allowed_host(std::string host) {
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error) return false;
  return address.is_loopback() || address == boost::asio::ip::make_address("169.254.170.2") ||
         address == boost::asio::ip::make_address("169.254.170.23") ||
         address == boost::asio::ip::make_address("fd00:ec2::23");
}

Result<std::string> allowed_url(const std::string& url) {
  const std::string name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  const http::Request request{.url = url, .secret_path = true};
  const Result<http::Target> target = http::parse_target(request);
  if (!is_plain(url) || !target) return permanent(name + ": not an absolute http or https URL");
  if (target->scheme != "https" && !is_allowed_host(target->host)) {
    return permanent(name + ": plain http to " + one_line(target->host) +
                     ", which is neither this host nor ECS's nor EKS's address: use https");
  }
  return url;
}

}  // namespace

Result<std::optional<ContainerSource>> container_source(const Environment& environment) {
  ContainerSource source;
  const std::string path = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").value_or("");
  const std::string url = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
  if (path.empty() && url.empty()) return std::nullopt;
  if (!path.empty()) {
    if (!path.starts_with('/') || !is_plain(path)) {
      return permanent("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: not a path that begins with /");
    }
    source.url = kEcsHost + path;
  } else {
    Result<std::string> allowed = allowed_url(url);
    if (!allowed) return std::unexpected(allowed.error());
    source.url = std::move(*allowed);
  }
  source.token_file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or("");
  const std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  // Basic and Bearer tokens have a space in them.
  const bool printable = std::ranges::all_of(token, [](char c) { return c >= ' ' && c < '\x7f'; });
  if (source.token_file.empty() && !printable) {
    return permanent("AWS_CONTAINER_AUTHORIZATION_TOKEN: holds a line break");
  }
  source.token = Secret(token);
  return source;
}

ContainerCredentials::ContainerCredentials(http::Client& http, ContainerSource source, Millis pause)
    : http_(http), source_(std::move(source)), pause_(pause) {}

Task<Result<Credentials>> ContainerCredentials::fetch() {
  Secret token = source_.token;
  if (!source_.token_file.empty()) {
    Result<Secret> read = read_token_file(source_.token_file);
    if (!read) co_return std::unexpected(read.error().within(kWhat));
    token = std::move(*read);
  }
  for (int attempt = 1;; ++attempt) {
    Result<Credentials> credentials = co_await fetch_once(token);
    const bool weather = !credentials && credentials.error().kind == ErrorKind::kRetryable;
    if (!weather || attempt >= kTries) co_return credentials;
    co_await sleep_for(pause_);
  }
}

Task<Result<Credentials>> ContainerCredentials::fetch_once(const Secret& token) {
  http::Request request{.url = source_.url,
                        .headers = {{.name = "Accept", .value = "application/json"}},
                        .connect_timeout = kTimeout,
                        .timeout = kTimeout,
                        .max_body = kLargestAnswer,
                        .secret_path = true};
  if (!token.empty()) {
    request.headers.push_back({.name = "Authorization", .value = token.reveal()});
  }
  const Result<http::Response> answer = co_await http_.send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().within(kWhat));
  if (!answer->ok()) {
    const Refusal refusal = read_refusal(Protocol::kJson11, *answer);
    const std::vector<Secret> secrets{token};
    co_return std::unexpected(refusal_error(kWhat, answer->status, refusal, secrets));
  }
  Result<Credentials> credentials = decode_credential_body(answer->body, "container");
  if (!credentials) co_return std::unexpected(credentials.error().within(kWhat));
  co_return credentials;
}

}  // namespace spotkeeper::aws
