// SPDX-License-Identifier: Apache-2.0
#include "aws/client.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "async/deadline.h"
#include "async/timing.h"
#include "aws/answer.h"
#include "aws/retry.h"
#include "aws/signature.h"
#include "http/target.h"

namespace spotkeeper::aws {
namespace {

using Steady = std::chrono::steady_clock;

// Signatures are good for five minutes on either side; what is less is no reason for a refusal.
constexpr Millis kSkew = std::chrono::minutes(4);

std::string named(const Call& call) {
  std::string what = std::string(call.service->name) + " " + call.action;
  if (!call.object.empty()) what += " " + call.object;
  return what;
}

std::string form_of(const Call& call) {
  std::string form = "Action=" + call.action + "&Version=" + call.service->version;
  for (const auto& [key, value] : call.form) form += "&" + key + "=" + uri_encode(value);
  for (const auto& [key, value] : call.secret_form) {
    form += "&" + key + "=" + uri_encode(value.reveal());
  }
  return form;
}

std::string host_of(const http::Target& target) {
  const bool usual = target.port == (target.scheme == "https" ? "443" : "80");
  return usual ? target.host : target.host + ":" + target.port;
}

std::vector<Secret> secrets_of(const Call& call, const Credentials& credentials) {
  std::vector<Secret> secrets{credentials.secret_access_key, credentials.session_token};
  for (const auto& [key, value] : call.secret_form) secrets.push_back(value);
  return secrets;
}

}  // namespace

// One call on its way.
struct Attempt {
  Steady::time_point until;
  int retries = 0;
  int taken = 0;  // from the budget, by the last retry
  bool clock_learnt = false;
  std::optional<Credentials> refused = {};
  Credentials used = {};
  std::optional<Error> error = {};  // of the last try
  Millis asked{0};                  // by its answer

  Millis left() const { return std::chrono::ceil<Millis>(until - Steady::now()); }
};

struct Client::Impl {
  Task<Result<http::Response>> run(const Client* client, const Call& call);
  Task<Result<Credentials>> log_in(const Call& call, Attempt& attempt);
  Result<http::Request> prepare(const Call& call, const Attempt& attempt) const;
  Task<bool> again(const Call& call, Attempt& attempt, Fault fault);
  bool again_at_once(const http::Response& answer, Attempt& attempt, Fault fault);
  void succeeded(const Call& call, const Attempt& attempt);
  RetryBudget& budget(const Call& call) { return budgets[call.service->name]; }

  http::Client& http;
  CredentialSource& credentials;
  const Clock& clock;
  ClientOptions options;
  Millis behind{0};
  std::map<std::string, RetryBudget> budgets = {};
};

Task<Result<Credentials>> Client::Impl::log_in(const Call& call, Attempt& attempt) {
  if (!call.is_signed) co_return Credentials();
  std::optional<Result<Credentials>> found =
      co_await finish_within(attempt.left(), credentials.get());
  if (!found) co_return retryable(named(call) + ": no credentials in time");
  if (!*found) co_return std::unexpected(found->error().within(named(call) + ": credentials"));
  co_return std::move(*found);
}

Result<http::Request> Client::Impl::prepare(const Call& call, const Attempt& attempt) const {
  const Service& service = *call.service;
  http::Request request;
  request.method = http::Method::kPost;
  request.url = endpoint_url(service, options.region, options.endpoints) + "/";
  const Result<http::Target> target = http::parse_target(request);
  if (!target) return std::unexpected(target.error().within(named(call)));
  request.headers = {{.name = "Host", .value = host_of(*target)}};
  if (is_form(service.protocol)) {
    request.headers.push_back(
        {.name = "Content-Type", .value = "application/x-www-form-urlencoded; charset=utf-8"});
    request.body = form_of(call);
  } else {
    const bool old = service.protocol == Protocol::kJson10;
    request.headers.push_back(
        {.name = "Content-Type",
         .value = old ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1"});
    request.headers.push_back(
        {.name = "X-Amz-Target", .value = std::string(service.target) + "." + call.action});
    // Errors by the names they had in the query protocol.
    if (old) request.headers.push_back({.name = "x-amzn-query-mode", .value = "true"});
    request.body = boost::json::serialize(call.body);
  }
  if (call.is_signed) {
    const Signable signable{.path = target->rest, .headers = request.headers, .body = request.body};
    const SigningScope scope{
        .now = clock.now() + behind, .region = options.region, .service = service.signing};
    for (http::Header& header : sign(signable, attempt.used, scope).headers()) {
      request.headers.push_back(std::move(header));
    }
  }
  const bool own = call.attempt_time > Millis(0);
  request.timeout = std::min(own ? call.attempt_time : options.attempt_timeout, attempt.left());
  request.connect_timeout = std::min(request.connect_timeout, request.timeout);
  request.max_body = call.max_body;
  request.fresh_connection = !call.repeatable;
  return request;
}

// What is repaired by another signature: each once a call.
bool Client::Impl::again_at_once(const http::Response& answer, Attempt& attempt, Fault fault) {
  const std::optional<Time> date = http::date_of(answer.headers);
  if (fault == Fault::kClock && date && !attempt.clock_learnt) {
    const Millis now_behind = *date - clock.now();
    if (std::chrono::abs(now_behind - behind) >= kSkew) {
      behind = now_behind;
      attempt.clock_learnt = true;
      return true;
    }
  }
  // RequestExpired is said of either.
  const bool expired = fault == Fault::kCredentials || attempt.error->reason == "RequestExpired";
  if (!expired || attempt.refused) return false;
  attempt.refused = attempt.used;
  credentials.refused(attempt.used);
  return true;
}

// Pauses before a retry; false: there is to be none.
Task<bool> Client::Impl::again(const Call& call, Attempt& attempt, Fault fault) {
  const bool throttled = fault == Fault::kThrottled;
  if (!throttled && (fault != Fault::kTransient || !call.repeatable)) co_return false;
  if (++attempt.retries >= options.tries) co_return false;
  const RetryPause pause{.retry = attempt.retries,
                         .first = throttled ? options.first_throttled_pause : options.first_pause,
                         .longest = options.longest_pause,
                         .asked = attempt.asked,
                         .jitter = random_unit()};
  const Millis wait = retry_pause(pause);
  if (wait < attempt.asked || wait + call.attempt_time >= attempt.left()) co_return false;
  attempt.taken = throttled ? RetryBudget::kThrottledCost : RetryBudget::kCost;
  if (!budget(call).take(attempt.taken)) co_return false;
  co_await sleep_for(wait);
  co_return true;
}

void Client::Impl::succeeded(const Call& call, const Attempt& attempt) {
  budget(call).give(attempt.retries == 0 ? RetryBudget::kWithoutRetry : attempt.taken);
}

Task<Result<http::Response>> Client::Impl::run(const Client* client, const Call& call) {
  Attempt attempt{.until = Steady::now() + call.at_most};
  for (;;) {
    Result<Credentials> login = co_await log_in(call, attempt);
    if (!login) co_return std::unexpected(login.error());
    // The source has no others than those that were refused.
    if (attempt.refused && *attempt.refused == *login) co_return std::unexpected(*attempt.error);
    attempt.used = std::move(*login);
    Result<http::Request> request = prepare(call, attempt);
    if (!request) co_return std::unexpected(request.error());
    if (attempt.left() <= Millis(0)) {
      co_return retryable(named(call) + ": no answer within " + format_duration(call.at_most));
    }
    const Time sent = clock.now();
    Result<http::Response> answer = co_await http.send(std::move(*request));
    if (client->on_answer) {
      client->on_answer(*call.service, call.action, answer ? answer->status : 0);
    }
    if (answer && answer->ok()) {
      succeeded(call, attempt);
      const auto time = server_time(*answer, sent, clock.now());
      if (time && call.is_signed && client->on_time) client->on_time(*time);
      co_return answer;
    }
    Fault fault = Fault::kFinal;
    if (answer) {
      const Refusal refusal = read_refusal(call.service->protocol, *answer);
      attempt.error =
          refusal_error(named(call), answer->status, refusal, secrets_of(call, attempt.used));
      attempt.asked = asked_pause(answer->headers);
      attempt.error->retry_after_s =
          static_cast<int>(std::chrono::ceil<Seconds>(attempt.asked).count());
      fault = fault_of(answer->status, refusal.code);
      if (call.is_signed && again_at_once(*answer, attempt, fault)) continue;
    } else {
      attempt.error = answer.error().within(named(call));
      attempt.asked = Millis(0);
      if (answer.error().kind == ErrorKind::kRetryable) fault = Fault::kTransient;
    }
    const bool once_more = co_await again(call, attempt, fault);
    if (!once_more) co_return std::unexpected(*attempt.error);
  }
}

Client::Client(http::Client& http, CredentialSource& credentials, const Clock& clock,
               ClientOptions options)
    : impl_(std::make_unique<Impl>(http, credentials, clock, std::move(options))) {}

Client::~Client() = default;

Task<Result<boost::json::value>> Client::json(Call call) {
  const Result<http::Response> answer = co_await impl_->run(this, call);
  if (!answer) co_return std::unexpected(answer.error());
  co_return read_json(named(call), answer->body);
}

Task<Result<Xml>> Client::query(Call call) {
  const Result<http::Response> answer = co_await impl_->run(this, call);
  if (!answer) co_return std::unexpected(answer.error());
  if (call.service->protocol == Protocol::kEc2Query) {
    co_return read_ec2(named(call), call.action, answer->body);
  }
  co_return read_query(named(call), call.action, answer->body);
}

Millis Client::clock_behind() const {
  return impl_->behind;
}

void Client::clock_corrected() {
  impl_->behind = Millis(0);
}

const std::string& Client::region() const {
  return impl_->options.region;
}

}  // namespace spotkeeper::aws
