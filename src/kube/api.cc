// SPDX-License-Identifier: Apache-2.0
#include "kube/api.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>

#include "async/timing.h"
#include "kube/files.h"
#include "kube/object_parser.h"
#include "kube/plugin_credential.h"
#include "kube/tls_files.h"
#include "kube/token.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

constexpr Millis kShortestPause{1'000};  // what an API server asks for anyway
constexpr size_t kLargestErrorBody = size_t{64} * 1024;
constexpr Millis kErrorBodyTime{5'000};  // for all of it

std::string named(const Call& call) {
  std::string what = call.verb + " " + call.resource;
  if (!call.object.empty()) what += " " + call.object;
  return what;
}

// What a request is sent with.
struct Login {
  Secret authorization;                 // the header's value; may be empty
  PluginCredential::Shared credential;  // where it came from a plugin
};

http::Request to_request(const Access& access, const Call& call, const Login& login) {
  http::Request request;
  request.method = call.method;
  request.url = access.server + call.path + (call.query.empty() ? "" : "?" + call.query);
  request.headers.push_back({.name = "Accept", .value = "application/json"});
  if (!login.authorization.empty()) {
    request.headers.push_back({.name = "Authorization", .value = login.authorization.reveal()});
  }
  for (const http::Header& header : access.impersonate) request.headers.push_back(header);
  if (call.body) {
    request.headers.push_back({.name = "Content-Type", .value = call.content_type});
    request.body = json::serialize(*call.body);
  }
  request.timeout = call.timeout;
  request.max_body = call.max_body;
  request.lasting = call.lasting;
  return request;
}

Secret bearer(const Secret& token) {
  return token.empty() ? Secret() : Secret("Bearer " + token.reveal());
}

// The body of a refused stream, as far as it is needed to say why.
Task<http::Response> finish(std::unique_ptr<http::Stream> stream) {
  http::Response answer{.status = stream->status(), .headers = stream->headers(), .body = {}};
  const auto until = Steady::now() + kErrorBodyTime;
  while (answer.body.size() < kLargestErrorBody) {
    const auto left = std::chrono::ceil<Millis>(until - Steady::now());
    if (left <= Millis(0)) break;
    const Result<std::string> piece = co_await stream->read(left);
    if (!piece || piece->empty()) break;
    answer.body += *piece;
  }
  co_return answer;
}

bool succeeded(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

// One call on its way: what it is sent with, and what was already tried again.
struct Attempt {
  bool login_again = true;
  bool files_again = true;
  Login login = {};
  std::shared_ptr<http::Client> client = {};  // outlives the request, whatever is replaced
};

struct Api::Impl {
  Impl(boost::asio::any_io_executor on, Access with)
      : executor(std::move(on)),
        access(std::move(with)),
        tls(access),
        client(std::make_shared<http::Client>(executor, tls.options())),
        token(access.token_file, access.token) {
    if (access.exec) plugin = std::make_unique<PluginCredential>(executor, *access.exec);
  }

  Task<Result<Login>> log_in();
  void connect_with(const PluginCredential::Shared& credential);
  Task<Result<http::Request>> prepare(const Call& call, Attempt& attempt);
  bool connects_again(const Error& error, Attempt& attempt);
  bool logs_in_again(int status, Attempt& attempt);
  void hold_back(const Error& error);

  boost::asio::any_io_executor executor;
  Access access;
  TlsFiles tls;
  std::shared_ptr<http::Client> client;
  Token token;
  std::unique_ptr<PluginCredential> plugin;
  PluginCredential::Shared connected_with;  // whose client certificate `client` shows
  Steady::time_point paused_until;
};

Task<Result<Login>> Api::Impl::log_in() {
  if (plugin) {
    const Result<PluginCredential::Shared> credential = co_await plugin->get();
    if (!credential) co_return std::unexpected(credential.error());
    co_return Login{.authorization = bearer((*credential)->token), .credential = *credential};
  }
  if (!access.basic.empty()) {
    co_return Login{.authorization = Secret("Basic " + encode_base64(access.basic.reveal())),
                    .credential = {}};
  }
  const Result<Secret> fresh = token.at(Steady::now());
  if (!fresh) co_return std::unexpected(fresh.error());
  co_return Login{.authorization = bearer(*fresh), .credential = {}};
}

// A new client where certificates have changed: its connections use the new ones; requests on the
// old connections end in peace.
void Api::Impl::connect_with(const PluginCredential::Shared& credential) {
  const auto certificate = [](const PluginCredential::Shared& of) {
    return of ? of->client_cert_pem : std::string();
  };
  const bool same = certificate(credential) == certificate(connected_with);
  if (!tls.refresh() && same) return;
  connected_with = credential;
  http::ClientOptions options = tls.options();
  if (!certificate(credential).empty()) {
    options.client_cert_pem = credential->client_cert_pem;
    options.client_key_pem = credential->client_key_pem;
  }
  client = std::make_shared<http::Client>(executor, std::move(options));
}

Task<Result<http::Request>> Api::Impl::prepare(const Call& call, Attempt& attempt) {
  const bool waits = call.method == http::Method::kGet && !call.urgent;
  while (waits && Steady::now() < paused_until) {
    co_await sleep_for(std::chrono::ceil<Millis>(paused_until - Steady::now()));
  }
  Result<Login> login = co_await log_in();
  if (!login) co_return std::unexpected(login.error().within(named(call)));
  connect_with(login->credential);
  attempt.login = std::move(*login);
  attempt.client = client;
  co_return to_request(access, call, attempt.login);
}

// The server's certificate, or ours, is not accepted (what the network does is kRetryable): with
// files that were replaced meanwhile it may be.
bool Api::Impl::connects_again(const Error& error, Attempt& attempt) {
  if (!std::exchange(attempt.files_again, false) || error.kind != ErrorKind::kPermanent) {
    return false;
  }
  if (client == attempt.client) {
    if (!tls.refresh(true)) return false;
    connected_with.reset();
    client = std::make_shared<http::Client>(executor, tls.options());
  }
  return true;
}

bool Api::Impl::logs_in_again(int status, Attempt& attempt) {
  if (status != 401 || !std::exchange(attempt.login_again, false)) return false;
  if (!plugin) return token.refused();
  plugin->refused(attempt.login.credential);
  return true;
}

void Api::Impl::hold_back(const Error& error) {
  const bool load =
      (error.status == 429 && !error.budget) || (error.status == 503 && error.retry_after_s > 0);
  if (!load) return;
  const Millis asked = std::max<Millis>(Seconds(error.retry_after_s), kShortestPause);
  // Many agents are told at the same moment: they do not come back at the same moment.
  const auto spread = static_cast<int64_t>(static_cast<double>(asked.count()) * random_unit() / 4);
  paused_until = std::max(paused_until, Steady::now() + asked + Millis(spread));
}

Api::Api(boost::asio::any_io_executor executor, Access access)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(access))) {}
Api::~Api() = default;

std::chrono::steady_clock::time_point Api::paused_until() const {
  return impl_->paused_until;
}
void Api::renew_in(TaskGroup& tasks, std::function<void(const Error&)> failed) {
  if (impl_->plugin) impl_->plugin->renew_in(tasks, std::move(failed));
}
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
  Attempt attempt;
  for (;;) {
    Result<http::Request> request = co_await impl_->prepare(call, attempt);
    if (!request) co_return std::unexpected(request.error());
    const Result<http::Response> answer = co_await attempt.client->send(std::move(*request));
    answered(call, answer ? answer->status : 0);
    if (!answer) {
      if (impl_->connects_again(answer.error(), attempt)) continue;
      co_return std::unexpected(answer.error().within(named(call)));
    }
    if (impl_->logs_in_again(answer->status, attempt)) continue;
    if (!answer->ok()) {
      Error error = api_error(named(call), *answer);
      impl_->hold_back(error);
      co_return std::unexpected(std::move(error));
    }
    if (answer->body.empty()) co_return json::value();
    std::optional<json::value> body = ObjectParser().parse(answer->body);
    // Whatever answered is not the API server: a proxy's page, and so it may pass.
    if (!body) co_return retryable(named(call) + ": the answer is not JSON");
    co_return std::move(*body);
  }
}

Task<Result<std::unique_ptr<http::Stream>>> Api::open(Call call) {
  Attempt attempt;
  for (;;) {
    Result<http::Request> request = co_await impl_->prepare(call, attempt);
    if (!request) co_return std::unexpected(request.error());
    Result<std::unique_ptr<http::Stream>> stream =
        co_await attempt.client->open(std::move(*request));
    answered(call, stream ? (*stream)->status() : 0);
    if (!stream) {
      if (impl_->connects_again(stream.error(), attempt)) continue;
      co_return std::unexpected(stream.error().within(named(call)));
    }
    const int status = (*stream)->status();
    if (impl_->logs_in_again(status, attempt)) continue;
    if (succeeded(status)) co_return std::move(*stream);
    const http::Response answer = co_await finish(std::move(*stream));
    Error error = api_error(named(call), answer);
    impl_->hold_back(error);
    co_return std::unexpected(std::move(error));
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
