// SPDX-License-Identifier: Apache-2.0
#include "kube/api.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "kube/token.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

constexpr size_t kLargestErrorBody = size_t{64} * 1024;
constexpr Millis kErrorBodyTime{5'000};

std::string named(const Call& call) {
  std::string what = call.verb + " " + call.resource;
  if (!call.object.empty()) what += " " + call.object;
  return what;
}

http::Request to_request(const Access& access, const Call& call, const Secret& token) {
  http::Request request;
  request.method = call.method;
  request.url = access.server + call.path + (call.query.empty() ? "" : "?" + call.query);
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  if (!token.empty()) {
    request.headers.push_back({.name = "Authorization", .value = "Bearer " + token.reveal()});
  }
  if (call.body) {
    request.headers.push_back({.name = "Content-Type", .value = call.content_type});
    request.body = json::serialize(*call.body);
  }
  request.timeout = call.timeout;
  request.max_body = call.max_body;
  return request;
}

// The body of a refused stream, as far as it is needed to say why.
Task<http::Response> finish(std::unique_ptr<http::Stream> stream) {
  http::Response answer{.status = stream->status(), .headers = stream->headers(), .body = {}};
  while (answer.body.size() < kLargestErrorBody) {
    const Result<std::string> piece = co_await stream->read(kErrorBodyTime);
    if (!piece || piece->empty()) break;
    answer.body += *piece;
  }
  co_return answer;
}

bool succeeded(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

struct Api::Impl {
  Impl(boost::asio::any_io_executor on, Access with)
      : executor(std::move(on)),
        access(std::move(with)),
        client(executor, access.tls),
        token(access.token_file, access.token) {}

  Result<http::Request> request(const Call& call) {
    const Result<Secret> bearer = token.at(std::chrono::steady_clock::now());
    if (!bearer) return std::unexpected(bearer.error().within(named(call)));
    return to_request(access, call, *bearer);
  }

  boost::asio::any_io_executor executor;
  Access access;
  http::Client client;
  Token token;
};

Api::Api(boost::asio::any_io_executor executor, Access access)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(access))) {}
Api::~Api() = default;

const Access& Api::access() const {
  return impl_->access;
}
boost::asio::any_io_executor Api::executor() const {
  return impl_->executor;
}

void Api::answered(const Call& call, int status) const {
  if (on_answer) on_answer(call.verb, call.resource, status);
}

Task<Result<json::value>> Api::call(Call call) {
  for (bool again = true;; again = false) {
    Result<http::Request> request = impl_->request(call);
    if (!request) co_return std::unexpected(request.error());
    const Result<http::Response> answer = co_await impl_->client.send(std::move(*request));
    answered(call, answer ? answer->status : 0);
    if (!answer) co_return std::unexpected(answer.error().within(named(call)));
    if (answer->status == 401 && impl_->token.refused() && again) continue;
    if (!answer->ok()) co_return std::unexpected(api_error(named(call), *answer));
    if (answer->body.empty()) co_return json::value();
    boost::system::error_code broken;
    json::value body = json::parse(answer->body, broken);
    if (broken) co_return permanent(named(call) + ": the answer is not JSON");
    co_return body;
  }
}

Task<Result<std::unique_ptr<http::Stream>>> Api::open(Call call) {
  for (bool again = true;; again = false) {
    Result<http::Request> request = impl_->request(call);
    if (!request) co_return std::unexpected(request.error());
    Result<std::unique_ptr<http::Stream>> stream = co_await impl_->client.open(std::move(*request));
    answered(call, stream ? (*stream)->status() : 0);
    if (!stream) co_return std::unexpected(stream.error().within(named(call)));
    const int status = (*stream)->status();
    if (status == 401 && impl_->token.refused() && again) continue;
    if (succeeded(status)) co_return std::move(*stream);
    const http::Response answer = co_await finish(std::move(*stream));
    co_return std::unexpected(api_error(named(call), answer));
  }
}

std::string percent_encode(const std::string& text) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::string pod_path(const std::string& ns, const std::string& name) {
  return "/api/v1/namespaces/" + percent_encode(ns) + "/pods/" + percent_encode(name);
}

}  // namespace spotkeeper::kube
