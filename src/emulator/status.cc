// SPDX-License-Identifier: Apache-2.0
#include "emulator/status.h"

#include <boost/json/serialize.hpp>
#include <utility>

namespace spotkeeper::emulator {

Failure::Failure(const world::Refusal& refusal)
    : code(refusal.code),
      reason(refusal.reason),
      message(refusal.message),
      causes(refusal.causes),
      retry_after_s(refusal.retry_after_s) {
  // Load and internal errors are not about an object.
  if (refusal.name.empty() || code == 429 || code >= 500) return;
  const Resource& resource = resource_of(refusal.kind);
  name = refusal.name;
  group = resource.group;
  // Preconditions are checked where the kind is known, not the resource.
  const bool precondition = message.find("in the precondition") != std::string::npos;
  kind = reason == "Invalid" || precondition ? resource.kind : resource.name;
}

Failure bad_request(std::string message) {
  return {400, "BadRequest", std::move(message)};
}

Failure no_such_path() {
  return {404, "NotFound", "the server could not find the requested resource"};
}

Failure method_not_allowed() {
  return {405, "MethodNotAllowed",
          "the server does not allow this method on the requested resource"};
}

Failure unsupported_media_type() {
  return {415, "UnsupportedMediaType", "415: Unsupported Media Type"};
}

namespace {

Failure about(const Resource& resource, const std::string& name, int code, const char* reason,
              const char* what) {
  const std::string full =
      resource.group.empty() ? resource.name : resource.name + "." + resource.group;
  Failure failure(code, reason, full + " \"" + name + "\" " + what);
  failure.name = name;
  failure.group = resource.group;
  failure.kind = resource.name;
  return failure;
}

}  // namespace

Failure not_found(const Resource& resource, const std::string& name) {
  return about(resource, name, 404, "NotFound", "not found");
}

Failure already_exists(const Resource& resource, const std::string& name) {
  return about(resource, name, 409, "AlreadyExists", "already exists");
}

Failure invalid(const Resource& resource, const std::string& name, const std::string& field,
                const std::string& what, const std::string& cause) {
  const std::string kind =
      resource.group.empty() ? resource.kind : resource.kind + "." + resource.group;
  Failure failure(422, "Invalid", kind + " \"" + name + "\" is invalid: " + field + ": " + what);
  failure.name = name;
  failure.group = resource.group;
  failure.kind = resource.kind;
  failure.causes.push_back({.reason = cause, .message = what, .field = field});
  return failure;
}

json::object status_of(const Failure& failure) {
  json::object status{{"kind", "Status"},
                      {"apiVersion", "v1"},
                      {"metadata", json::object()},
                      {"status", "Failure"},
                      {"message", failure.message}};
  if (!failure.reason.empty()) status["reason"] = failure.reason;
  json::object details;
  if (!failure.name.empty()) details["name"] = failure.name;
  if (!failure.group.empty()) details["group"] = failure.group;
  if (!failure.kind.empty()) details["kind"] = failure.kind;
  json::array causes;
  for (const auto& cause : failure.causes) {
    json::object entry{{"reason", cause.reason}, {"message", cause.message}};
    if (!cause.field.empty()) entry["field"] = cause.field;
    causes.push_back(std::move(entry));
  }
  if (!causes.empty()) details["causes"] = std::move(causes);
  if (failure.retry_after_s > 0) details["retryAfterSeconds"] = failure.retry_after_s;
  if (!details.empty()) status["details"] = std::move(details);
  status["code"] = failure.code;
  return status;
}

json::object success(const Resource& resource, const std::string& name, const std::string& uid) {
  json::object details{{"name", name}, {"kind", resource.name}, {"uid", uid}};
  if (!resource.group.empty()) details["group"] = resource.group;
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", json::object()},
          {"status", "Success"},
          {"details", std::move(details)}};
}

http::ServerResponse json_answer(int status, const json::value& body) {
  http::ServerResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json::serialize(body);
  return response;
}

http::ServerResponse failure_answer(const Failure& failure) {
  http::ServerResponse response = json_answer(failure.code, status_of(failure));
  if (failure.retry_after_s > 0) {
    response.headers.push_back({"Retry-After", std::to_string(failure.retry_after_s)});
  }
  return response;
}

}  // namespace spotkeeper::emulator
