// SPDX-License-Identifier: Apache-2.0
#include "app/telling_server.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace spotkeeper::app {
namespace {

http::ServerResponse json_answer(int status, const boost::json::object& body) {
  return {
      .status = status, .content_type = "application/json", .body = boost::json::serialize(body)};
}

}  // namespace

TellingServer::TellingServer(const config::Telling& options, Answers answers)
    : options_(options), answers_(std::move(answers)) {}

Result<void> TellingServer::listen_at(int port, const char* option, TaskGroup& work) {
  http::ServerOptions server;
  server.port = static_cast<uint16_t>(port);
  auto listening = http::Server::listen(
      work.executor(), server,
      [this](http::ServerRequest request) { return answer(std::move(request)); });
  if (!listening) return std::unexpected(listening.error().within(option));
  servers_.push_back(std::move(*listening));
  return {};
}

Result<void> TellingServer::listen(TaskGroup& work) {
  const bool same = options_.prometheus_server && options_.prometheus_server_port != 0 &&
                    options_.prometheus_server_port == options_.probes_server_port;
  if (options_.prometheus_server) {
    auto bound = listen_at(options_.prometheus_server_port, "--prometheus-server-port", work);
    if (!bound) return bound;
  }
  if (!options_.probes_server || same) return {};
  return listen_at(options_.probes_server_port, "--probes-server-port", work);
}

void TellingServer::start(TaskGroup& work, observe::Log& log) {
  if (options_.prometheus_server) {
    log.info("metrics are served", {{"port", std::to_string(servers_.front()->port())}});
  }
  if (options_.probes_server) {
    log.info("probes are answered", {{"port", std::to_string(servers_.back()->port())},
                                     {"endpoint", options_.probes_server_endpoint}});
  }
  for (const auto& server : servers_) work.spawn("metrics and probes", server->run());
}

Task<http::ServerResponse> TellingServer::answer(http::ServerRequest request) {
  if (options_.prometheus_server && request.path == "/metrics" &&
      (request.method == "GET" || request.method == "HEAD")) {
    co_return http::ServerResponse{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                   .body = answers_.metrics()};
  }
  if (options_.probes_server && request.path == options_.probes_server_endpoint) {
    const std::string stuck = answers_.stuck();
    co_return stuck.empty() ? json_answer(200, {{"health", "OK"}})
                            : json_answer(503, {{"health", stuck}});
  }
  if (options_.probes_server && request.path == "/readyz") {
    const std::string why = answers_.unready();
    co_return why.empty() ? json_answer(200, {{"ready", true}})
                          : json_answer(503, {{"ready", false}, {"why", why}});
  }
  std::string served;
  if (options_.prometheus_server) served += " GET /metrics";
  if (options_.probes_server) served += " " + options_.probes_server_endpoint + " /readyz";
  co_return http::ServerResponse{.status = 404,
                                 .body = "only these are served here:" + served + "\n"};
}

}  // namespace spotkeeper::app
