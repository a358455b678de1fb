// SPDX-License-Identifier: Apache-2.0
#include "aws/imds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "async/timing.h"
#include "base/backoff.h"

namespace spotkeeper::aws {
namespace {

constexpr const char* kTokenHeader = "X-aws-ec2-metadata-token";
constexpr const char* kTtlHeader = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr size_t kMaxBody = 64uz * 1024;

// A token is renewed when this much of its life is left, or a twentieth if that is more.
constexpr Seconds kRenewAhead{15};

// Pause before a token is asked for again after a refusal. A refusal that is a silence holds up a
// poll for the whole time-out, and the notice with it: hence rare.
constexpr Millis kFirstTokenPause = std::chrono::minutes(1);
constexpr Millis kLongestTokenPause = std::chrono::hours(1);

// Pause between tries. Short: the next poll is only a second away.
constexpr Millis kFirstPause{100};
constexpr Millis kLongestPause{1'000};

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

ImdsOptions checked(ImdsOptions options) {
  options.base_url = without_slash(std::move(options.base_url));
  options.tries = std::max(options.tries, 1);
  options.token_ttl_s = std::clamp(options.token_ttl_s, 1, 21600);
  return options;
}

std::optional<Seconds> ttl_of(const http::Response& response) {
  const std::string* text = http::find_header(response.headers, kTtlHeader);
  if (text == nullptr) return std::nullopt;
  int seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() || seconds < 0) {
    return std::nullopt;
  }
  return Seconds(seconds);
}

// A body that could not be sent back as a header is no token (a captive portal's page, say).
bool is_token(const std::string& body) {
  return !body.empty() && body.size() <= 1024 &&
         std::ranges::all_of(body, [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

ImdsClient::ImdsClient(http::Client& client, ImdsOptions options, const Clock& clock)
    : client_(client), options_(checked(std::move(options))), clock_(clock) {}

Task<Result<std::optional<std::string>>> ImdsClient::get(std::string path) {
  for (int attempt = 1;; ++attempt) {
    auto result = co_await get_once(path);
    if (result || result.error().kind != ErrorKind::kRetryable || attempt >= options_.tries) {
      co_return result;
    }
    const Backoff backoff{
        .attempt = attempt, .base = kFirstPause, .cap = kLongestPause, .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

Task<Result<std::optional<std::string>>> ImdsClient::get_once(std::string path) {
  const Time now = clock_.now();
  if (now >= (token_.empty() ? next_token_try_ : token_renew_at_)) co_await refresh_token();
  auto response = co_await ask(path);
  if (response && response->status == 401) {
    // The token is no longer good, or IMDSv1 has been switched off: a new token, once.
    drop_token();
    co_await refresh_token();
    if (!token_.empty()) response = co_await ask(path);
  }
  if (!response) co_return std::unexpected(response.error().within("IMDS"));
  const int status = response->status;
  if (status == 404) co_return std::nullopt;
  if (response->ok()) {
    note_ttl(*response);
    co_return std::move(response->body);
  }
  Error error;
  error.status = status;
  error.message = fmt::format("IMDS: GET {}: HTTP status {}", path, status);
  if (status == 401 || status == 403) {
    error.kind = ErrorKind::kDenied;
    if (token_.empty()) error.message += " without a token (" + token_problem_ + ")";
  } else if (status >= 500 || status == 429) {
    error.kind = ErrorKind::kRetryable;
  }
  co_return std::unexpected(std::move(error));
}

Task<Result<http::Response>> ImdsClient::ask(std::string path) {
  http::Request request;
  request.url = options_.base_url + path;
  request.connect_timeout = options_.timeout;
  request.timeout = options_.timeout;
  request.max_body = kMaxBody;
  if (!token_.empty()) request.headers.push_back({kTokenHeader, token_.reveal()});
  time_.reset();
  const Time sent = clock_.now();
  Result<http::Response> response = co_await client_.send(std::move(request));
  if (response) time_ = server_time(*response, sent, clock_.now());
  co_return response;
}

// Leaves a token that is still good in place when there is no new one.
Task<> ImdsClient::refresh_token() {
  http::Request request;
  request.method = http::Method::kPut;
  request.url = options_.base_url + "/latest/api/token";
  request.headers.push_back({kTtlHeader, std::to_string(options_.token_ttl_s)});
  request.connect_timeout = options_.timeout;
  request.timeout = options_.timeout;
  request.max_body = kMaxBody;
  const auto response = co_await client_.send(std::move(request));
  if (response && response->ok() && is_token(response->body)) {
    store_token(*response);
    co_return;
  }
  token_problem_ = !response ? response.error().message
                   : response->ok()
                       ? "the answer to the token request is not a token"
                       : fmt::format("token request: HTTP status {}", response->status);
  const Backoff backoff{.attempt = ++token_refusals_,
                        .base = kFirstTokenPause,
                        .cap = kLongestTokenPause,
                        .jitter = random_unit()};
  const Time now = clock_.now();
  next_token_try_ = now + backoff_delay(backoff);
  if (now >= token_ends_) {
    drop_token();
  } else {  // good to its end, and asked for again then at the latest
    token_renew_at_ = std::min(next_token_try_, token_ends_);
  }
}

void ImdsClient::store_token(const http::Response& response) {
  token_ = Secret(response.body);
  token_refusals_ = 0;
  token_problem_.clear();
  const Seconds ttl = ttl_of(response).value_or(Seconds(options_.token_ttl_s));
  const Time now = clock_.now();
  token_ends_ = now + ttl;
  // At most half its life: a short one must not be renewed at every poll.
  token_renew_at_ = token_ends_ - std::min(std::max(kRenewAhead, ttl / 20), ttl / 2);
}

// IMDS says with every answer how long the token has still to live.
void ImdsClient::note_ttl(const http::Response& response) {
  const auto left = ttl_of(response);
  if (!left || token_.empty()) return;
  token_ends_ = std::min(token_ends_, clock_.now() + *left);
  token_renew_at_ = std::min(token_renew_at_, token_ends_);
}

void ImdsClient::drop_token() {
  token_ = Secret();
  token_ends_ = {};
}

}  // namespace spotkeeper::aws
