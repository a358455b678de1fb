// SPDX-License-Identifier: Apache-2.0
#include "emulator/skin.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "emulator/discovery.h"
#include "emulator/writer.h"

namespace spotkeeper::emulator {

using http::ServerRequest;
using http::ServerResponse;

namespace {

constexpr std::string_view kControl = "/emulator/";

// GET on a collection with watch=1 is a watch.
std::string verb_of(const ServerRequest& request, const Query& query) {
  const bool one = !query.name.empty();
  if (request.method == "GET" || request.method == "HEAD") {
    if (query.flag("watch")) return "watch";
    return one ? "get" : "list";
  }
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  return one ? "delete" : "deletecollection";
}

std::optional<PatchKind> patch_kind(const ServerRequest& request) {
  const std::string* header = http::find_header(request.headers, "Content-Type");
  const std::string type = header == nullptr ? "" : header->substr(0, header->find(';'));
  // Server-side apply is not emulated: what is applied is merged.
  if (type == "application/merge-patch+json" || type == "application/apply-patch+yaml") {
    return PatchKind::kMerge;
  }
  if (type == "application/strategic-merge-patch+json") return PatchKind::kStrategic;
  if (type == "application/json-patch+json") return PatchKind::kJson;
  return std::nullopt;
}

Outcome<json::value> parse_body(const ServerRequest& request, const std::string& kind) {
  if (request.body.empty()) return json::value(json::object());
  // kubectl auth speaks protobuf only; we do not.
  const std::string* type = http::find_header(request.headers, "Content-Type");
  if (type != nullptr && type->find("protobuf") != std::string::npos) {
    return Failed(unsupported_media_type());
  }
  boost::system::error_code failed;
  json::value body = json::parse(request.body, failed);
  if (failed) {
    return Failed(bad_request(
        fmt::format("the object provided is unrecognized (must be of type {}): couldn't get "
                    "version/kind; json parse error: {}",
                    kind, failed.message())));
  }
  return body;
}

Outcome<ServerResponse> answer_with(int status, const Outcome<json::object>& outcome) {
  if (!outcome) return std::unexpected(outcome.error());
  return json_answer(status, *outcome);
}

// A path that no part of the API server feels responsible for.
ServerResponse nothing_there() {
  return {.status = 404, .body = "404 page not found\n"};
}

// The health endpoints say "ok" as text.
bool is_health(const std::string& path) {
  return path == "/readyz" || path == "/livez" || path == "/healthz";
}

}  // namespace

ApiSkin::ApiSkin(boost::asio::any_io_executor executor, world::World& world, Runner& runner,
                 SkinOptions options)
    : world_(world),
      runner_(runner),
      cluster_(world),
      hub_(std::move(executor), world),
      accounts_(cluster_.shelf(), options.administrator, std::move(options.denied)) {
  if (!options.audit_log.empty()) audit_.open(options.audit_log, std::ios::app);
}

ServerResponse ApiSkin::answer(const ServerRequest& request) {
  runner_.catch_up();
  const std::string user = accounts_.user_of(request);
  Attempt attempt;
  Response response = route(request, user, attempt);
  runner_.poke();
  ServerResponse sent = response ? std::move(*response) : failure_answer(response.error());
  if (!attempt.verb.empty()) audit(request, user, attempt, sent.status);
  return sent;
}

ApiSkin::Response ApiSkin::route(const ServerRequest& request, const std::string& user,
                                 Attempt& attempt) {
  if (is_health(request.path)) return ServerResponse{.body = "ok"};
  if (request.path.starts_with(kControl)) return control(request);
  if (user.empty()) return Failed(Failure(401, "Unauthorized", "Unauthorized"));
  if (const auto described = describe_server(request.path)) return json_answer(200, *described);
  const auto query = parse_query(request);
  if (!query) return nothing_there();
  if (query->resource.empty()) {
    const auto described = describe_group(*query);
    if (!described) return nothing_there();
    return json_answer(200, *described);
  }
  attempt = {.verb = verb_of(request, *query),
             .group = query->group,
             .resource = query->resource,
             .ns = query->ns,
             .name = query->name};
  if (!query->subresource.empty()) attempt.resource += "/" + query->subresource;
  if (auto refusal = accounts_.refusal(user, attempt)) return Failed(std::move(*refusal));
  const Resource* resource = find_resource(query->group, query->version, query->resource);
  const auto body = parse_body(request, resource == nullptr ? "Status" : resource->kind);
  if (!body) return std::unexpected(body.error());
  if (query->group == "authorization.k8s.io") return review(*query, *body, user);
  if (resource == nullptr)
    return describe_group(*query) ? Response(Failed(no_such_path())) : nothing_there();
  if (!query->subresource.empty()) return on_subresource(request, *query, *resource, *body);
  if (!query->name.empty()) return on_object(request, *query, *resource, *body);
  return on_collection(request, *query, *resource, *body);
}

ApiSkin::Response ApiSkin::review(const Query& query, const json::value& body,
                                  const std::string& user) {
  const bool known = query.resource == "selfsubjectaccessreviews" ||
                     query.resource == "selfsubjectrulesreviews" ||
                     query.resource == "subjectaccessreviews";
  if (!known || !body.is_object()) return Failed(no_such_path());
  return json_answer(201, answer_review(accounts_, user, query.resource, body.get_object()));
}

ApiSkin::Response ApiSkin::on_collection(const ServerRequest& request, const Query& query,
                                         const Resource& resource, const json::value& body) {
  if (request.method == "POST") {
    return answer_with(201, create_object(cluster_, query, resource, body));
  }
  if (request.method == "DELETE") {
    return answer_with(200, delete_collection(cluster_, query, resource, body));
  }
  if (request.method != "GET" && request.method != "HEAD") return Failed(method_not_allowed());
  if (query.flag("watch")) return open_watch(hub_, cluster_, query, resource);
  return answer_with(200, cluster_.list(query, resource));
}

ApiSkin::Response ApiSkin::on_object(const ServerRequest& request, const Query& query,
                                     const Resource& resource, const json::value& body) {
  const std::string& method = request.method;
  if (method == "PUT") return answer_with(200, replace_object(cluster_, query, resource, body));
  if (method == "DELETE") return answer_with(200, delete_object(cluster_, query, resource, body));
  if (method == "PATCH") {
    const auto kind = patch_kind(request);
    if (!kind) return Failed(unsupported_media_type());
    return answer_with(200, patch_object(cluster_, query, resource, *kind, body));
  }
  if (method != "GET" && method != "HEAD") return Failed(method_not_allowed());
  if (query.flag("watch")) return open_watch(hub_, cluster_, query, resource);
  return answer_with(200, cluster_.get(resource, {query.ns, query.name}));
}

ApiSkin::Response ApiSkin::on_subresource(const ServerRequest& request, const Query& query,
                                          const Resource& resource, const json::value& body) {
  const std::string& sub = query.subresource;
  if (std::ranges::find(resource.subresources, sub) == resource.subresources.end()) {
    return Failed(no_such_path());
  }
  if (sub == "eviction") {
    if (request.method != "POST") return Failed(method_not_allowed());
    return answer_with(201, evict_pod(cluster_, query, body));
  }
  if (sub == "token") {
    if (request.method != "POST") return Failed(method_not_allowed());
    const auto account = cluster_.get(resource, {query.ns, query.name});
    if (!account) return std::unexpected(account.error());
    json::object granted = body.is_object() ? body.get_object() : json::object();
    granted["status"] =
        json::object{{"token", accounts_.issue_token(query.ns, query.name)},
                     {"expirationTimestamp", format_time_s(world_.now() + Seconds(3600))}};
    return json_answer(201, granted);
  }
  if (sub == "scale" && request.method == "GET") {
    return answer_with(200, get_scale(cluster_, query, resource));
  }
  if (request.method == "POST" || request.method == "DELETE") return Failed(method_not_allowed());
  return on_object(request, query, resource, body);
}

ApiSkin::Response ApiSkin::control(const ServerRequest& request) {
  static constexpr std::string_view kHosts = "/emulator/hosts/";
  static constexpr std::string_view kEnd = "/end";
  const std::string& path = request.path;
  if (request.method != "POST") return Failed(method_not_allowed());
  if (path == "/emulator/compact") {
    const auto parameters = parse_parameters(request.query);
    const auto wanted = parameters.find("version");
    uint64_t version = world_.version();
    if (wanted != parameters.end()) {
      const std::string& text = wanted->second;
      std::from_chars(text.data(), text.data() + text.size(), version);
    }
    world_.compact(version);
    return json_answer(200, json::object{{"version", version}});
  }
  if (path.starts_with(kHosts) && path.ends_with(kEnd)) {
    const std::string node = path.substr(kHosts.size(), path.size() - kHosts.size() - kEnd.size());
    world_.end_host(url_decode(node), world_.now());
    return json_answer(200, json::object{{"node", node}});
  }
  return Failed(no_such_path());
}

void ApiSkin::audit(const ServerRequest& request, const std::string& user, const Attempt& attempt,
                    int status) {
  if (!audit_.is_open()) return;
  const std::string* agent = http::find_header(request.headers, "User-Agent");
  const size_t slash = attempt.resource.find('/');
  json::object reference{{"resource", attempt.resource.substr(0, slash)},
                         {"namespace", attempt.ns},
                         {"name", attempt.name}};
  if (slash != std::string::npos) reference["subresource"] = attempt.resource.substr(slash + 1);
  const json::object entry{
      {"kind", "Event"},
      {"apiVersion", "audit.k8s.io/v1"},
      {"level", "Metadata"},
      {"auditID", std::to_string(++requests_)},
      {"stage", "ResponseComplete"},
      {"requestURI", request.path + (request.query.empty() ? "" : "?" + request.query)},
      {"verb", attempt.verb},
      {"user", json::object{{"username", user}}},
      {"userAgent", agent == nullptr ? "" : *agent},
      {"objectRef", std::move(reference)},
      {"responseStatus", json::object{{"code", status}}},
      {"requestReceivedTimestamp", format_time(runner_.now())}};
  audit_ << json::serialize(entry) << '\n' << std::flush;
}

}  // namespace spotkeeper::emulator
