// SPDX-License-Identifier: Apache-2.0
#include "emulator/imds.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace spotkeeper::emulator {
namespace {

constexpr const char* kTokenHeader = "X-aws-ec2-metadata-token";
constexpr const char* kTtlHeader = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr int kLongestTtl = 21'600;
constexpr std::string_view kMetaData = "/latest/meta-data/";

http::ServerResponse plain(int status, std::string body) {
  http::ServerResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

http::ServerResponse refusal(int status, const std::string& what) {
  http::ServerResponse response = plain(
      status,
      fmt::format("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html><head><title>{0} - {1}"
                  "</title></head><body><h1>{0} - {1}</h1></body></html>\n",
                  status, what));
  response.content_type = "text/html";
  return response;
}

std::optional<int> parse_ttl(const std::string* text) {
  int ttl = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ttl);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  if (ttl < 1 || ttl > kLongestTtl) return std::nullopt;
  return ttl;
}

}  // namespace

std::string http_date(Time time) {
  const std::time_t seconds = std::chrono::floor<Seconds>(time).time_since_epoch().count();
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(seconds));
}

Imds::Imds(const Clock& clock, ImdsOptions options) : clock_(clock), options_(std::move(options)) {}

void Imds::announce(Time at, std::string action, Time time) {
  notice_ = Notice{.shown_at = at, .action = std::move(action), .time = time};
}

void Imds::recommend_rebalance(Time at) {
  rebalance_ = at;
}

void Imds::withdraw() {
  notice_.reset();
  rebalance_.reset();
}

void Imds::forget_tokens() {
  tokens_.clear();
}

http::ServerResponse Imds::answer(const http::ServerRequest& request) {
  http::ServerResponse response;
  const std::string* token = http::find_header(request.headers, kTokenHeader);
  const bool authorised = token == nullptr ? !options_.tokens_required : knows_token(*token);
  if (request.path == "/latest/api/token") {
    response = request.method == "PUT" ? issue_token(request) : refusal(405, "Method Not Allowed");
  } else if (request.method != "GET" && request.method != "HEAD") {
    response = refusal(405, "Method Not Allowed");
  } else if (!authorised) {
    response = refusal(401, "Unauthorized");
  } else if (auto value = value_at(request.path)) {
    response = plain(200, std::move(*value));
  } else {
    response = refusal(404, "Not Found");
  }
  response.headers.push_back({"Server", "EC2ws"});
  response.headers.push_back({"Date", http_date(clock_.now())});
  return response;
}

http::ServerResponse Imds::issue_token(const http::ServerRequest& request) {
  if (http::find_header(request.headers, "X-Forwarded-For") != nullptr) {
    return refusal(403, "Forbidden");
  }
  const auto ttl = parse_ttl(http::find_header(request.headers, kTtlHeader));
  if (!ttl) return refusal(400, "Bad Request");
  const Time now = clock_.now();
  std::erase_if(tokens_, [&](const auto& token) { return token.second <= now; });
  std::string token = fmt::format("AQAEAEMULATED{:08X}==", ++issued_);
  tokens_[token] = now + Seconds(*ttl);
  http::ServerResponse response = plain(200, std::move(token));
  response.headers.push_back({kTtlHeader, std::to_string(*ttl)});
  return response;
}

bool Imds::knows_token(const std::string& token) const {
  const auto found = tokens_.find(token);
  return found != tokens_.end() && clock_.now() < found->second;
}

std::optional<std::string> Imds::value_at(const std::string& path) const {
  if (!path.starts_with(kMetaData)) return std::nullopt;
  const std::string below = path.substr(kMetaData.size());
  if (auto notice = notice_at(below)) return notice;
  if (below == "instance-id") return options_.instance_id;
  if (below == "instance-life-cycle") return "spot";
  if (below == "placement/availability-zone") return options_.zone;
  if (below == "placement/region") return options_.zone.substr(0, options_.zone.size() - 1);
  if (below == "events/maintenance/scheduled") return "[]";
  const auto found = options_.values.find(below);
  if (found == options_.values.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> Imds::notice_at(const std::string& path) const {
  const Time now = clock_.now();
  if (rebalance_ && *rebalance_ <= now && path == "events/recommendations/rebalance") {
    return fmt::format("{{\"noticeTime\":\"{}\"}}", format_time_s(*rebalance_));
  }
  if (!notice_ || notice_->shown_at > now) return std::nullopt;
  if (path == "spot/instance-action") {
    return fmt::format("{{\"action\":\"{}\",\"time\":\"{}\"}}", notice_->action,
                       format_time_s(notice_->time));
  }
  // Only a termination has a termination time.
  if (path == "spot/termination-time" && notice_->action == "terminate") {
    return format_time_s(notice_->time);
  }
  return std::nullopt;
}

}  // namespace spotkeeper::emulator
