// SPDX-License-Identifier: Apache-2.0
#include "app/webhook.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "async/timing.h"
#include "base/backoff.h"
#include "config/text_file.h"
#include "http/client.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kEachTry{5'000};  // NTH's
constexpr Millis kGiveUpAfter{60'000};
constexpr Millis kFirstPause{500};
constexpr Millis kLongestPause{10'000};
constexpr size_t kMostAnswer = size_t{64} * 1024;

bool is_json(const std::string& body) {
  boost::system::error_code wrong;
  boost::json::parse(body, wrong);
  return !wrong;
}

http::ClientOptions client_options(const config::Telling& options) {
  http::ClientOptions client;
  client.proxy = options.webhook_proxy.reveal();
  client.use_environment_proxy = false;  // only WEBHOOK_PROXY is asked
  return client;
}

}  // namespace

bool may_try_again(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

Webhook::Webhook(boost::asio::any_io_executor executor, const config::Telling& options,
                 const Clock& clock, Counters& counters, observe::Log& log)
    : executor_(std::move(executor)),
      options_(options),
      clock_(clock),
      counters_(counters),
      log_(log) {}

Result<tmpl::Template> Webhook::read_template() const {
  if (!options_.webhook_template_file.empty()) {
    auto text = config::read_text_file(options_.webhook_template_file);
    if (!text) return std::unexpected(text.error());
    return tmpl::Template::parse(std::move(*text), options_.webhook_template_file, tell::schema());
  }
  if (!options_.webhook_template.empty()) {
    return tmpl::Template::parse(options_.webhook_template, "webhook template", tell::schema());
  }
  return tmpl::Template::parse(tell::default_template(), "default template", tell::schema());
}

Result<void> Webhook::prepare() {
  if (!wanted()) return {};
  const bool from_file = !options_.webhook_template_file.empty();
  const char* option = from_file ? "--webhook-template-file" : "--webhook-template";
  Result<tmpl::Template> read = read_template();
  if (!read) return std::unexpected(read.error().within(option));
  template_ = std::move(*read);
  // As NTH does: what cannot be rendered from nothing may fail when it matters.
  for (const tell::Message& message : {tell::Message{}, tell::sample()}) {
    const auto out = template_->render(tell::record(message), clock_.now());
    if (!out) return std::unexpected(out.error().within(option));
  }
  for (const auto& [name, value] : options_.webhook_headers) {
    if (!value.contains("json") || is_json(body_of(tell::sample()))) continue;
    log_.warning(
        fmt::format("{}: what it makes is not JSON, and the header {} says it is; "
                    "toJson makes a valid text of anything",
                    option, name));
    break;
  }
  log_.info("notices are posted to a webhook",
            {{"webhook_url", "<masked>"},
             {"webhook_headers", "<masked>"},
             {"proxy", options_.webhook_proxy.empty() ? "none" : "<masked>"}});
  return {};
}

Result<std::string> Webhook::make_body(const tell::Message& message) {
  switch (options_.webhook_format) {
    case config::WebhookFormat::kSlack:
      return tell::slack_body(message);
    case config::WebhookFormat::kTeams:
      return tell::teams_body(message);
    case config::WebhookFormat::kPagerDuty:
      return tell::pagerduty_body(message, options_.webhook_routing_key.reveal());
    case config::WebhookFormat::kNth:
      break;
  }
  return template_->render(tell::record(message), clock_.now());
}

std::string Webhook::body_of(const tell::Message& message) {
  if (!options_.webhook_template_file.empty()) {  // a ConfigMap may have changed
    Result<tmpl::Template> read = read_template();
    if (read) {
      template_ = std::move(*read);
    } else {
      log_.warning("the webhook's template file cannot be used now, so the last one is: " +
                   read.error().message);
    }
  }
  Result<std::string> body = make_body(message);
  if (body) return std::move(*body);
  log_.warning("the webhook's template fails, so NTH's default is sent: " + body.error().message);
  const auto plain =
      tmpl::Template::parse(tell::default_template(), "default template", tell::schema());
  return plain->render(tell::record(message), clock_.now()).value_or("{}");
}

http::Request Webhook::request_with(std::string body) const {
  http::Request request;
  request.method = http::Method::kPost;
  request.url = options_.webhook_url.reveal();
  for (const auto& [name, value] : options_.webhook_headers) {
    request.headers.push_back({.name = name, .value = value});
  }
  request.body = std::move(body);
  request.timeout = kEachTry;
  request.max_body = kMostAnswer;
  request.secret_path = true;
  return request;
}

Task<> Webhook::post(tell::Message message) {
  http::Client client(executor_, client_options(options_));
  const http::Request request = request_with(body_of(message));
  const Time until = clock_.now() + kGiveUpAfter;
  for (int attempt = 1;; ++attempt) {
    const Result<http::Response> answer = co_await client.send(request);
    if (answer && answer->ok()) {
      counters_.count("webhook_posts", {{"outcome", "success"}});
      log_.info("Webhook Success: Notification Sent!",
                {{"event-id", message.event_id}, {"attempt", std::to_string(attempt)}});
      co_return;
    }
    const bool again =
        answer ? may_try_again(answer->status) : answer.error().kind == ErrorKind::kRetryable;
    const Backoff backoff{
        .attempt = attempt,
        .base = kFirstPause,
        .cap = kLongestPause,
        .retry_after = answer ? http::retry_after(answer->headers).value_or(Millis(0)) : Millis(0),
        .jitter = random_unit()};
    const Millis pause = backoff_delay(backoff);
    const bool last = !again || clock_.now() + pause >= until;
    counters_.count("webhook_posts", {{"outcome", last ? "failure" : "retry"}});
    log_.warning(
        "Webhook Error: " + (answer ? "the notification was refused" : answer.error().message) +
            (last ? "; given up" : "; tried again in " + format_duration(pause)),
        {{"status_code", std::to_string(answer ? answer->status : 0)},
         {"event-id", message.event_id},
         {"attempt", std::to_string(attempt)}});
    if (last) co_return;
    co_await sleep_for(pause);
  }
}

}  // namespace spotkeeper::app
