// SPDX-License-Identifier: Apache-2.0
// Answers of the API server: JSON bodies, and Status objects for failures. Pure.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "emulator/json.h"
#include "emulator/resources.h"
#include "http/server.h"
#include "world/refusal.h"

namespace spotkeeper::emulator {

// The parts of a Status, whether the world refused or the request made no sense.
struct Failure {
  int code = 500;
  std::string reason;
  std::string message;
  std::vector<world::Refusal::Cause> causes = {};
  int retry_after_s = 0;
  std::string name = {};   // details.name
  std::string group = {};  // details.group
  std::string kind = {};   // details.kind: the resource, or the kind where an object is invalid

  Failure(int c, std::string r, std::string m)
      : code(c), reason(std::move(r)), message(std::move(m)) {}
  Failure(const world::Refusal& refusal);  // NOLINT(google-explicit-constructor): one is the other
};

template <class T>
using Outcome = std::expected<T, Failure>;
using Failed = std::unexpected<Failure>;

Failure bad_request(std::string message);  // 400 BadRequest
Failure no_such_path();                    // 404 NotFound, without details
Failure method_not_allowed();              // 405
Failure unsupported_media_type();          // 415
Failure not_found(const Resource& resource, const std::string& name);
Failure already_exists(const Resource& resource, const std::string& name);
// 422: the object that a request carries, or that a patch makes.
Failure invalid(const Resource& resource, const std::string& name, const std::string& field,
                const std::string& what, const std::string& cause = "FieldValueInvalid");

json::object status_of(const Failure& failure);
// status "Success", as the answer of a deletion.
json::object success(const Resource& resource, const std::string& name, const std::string& uid);

http::ServerResponse json_answer(int status, const json::value& body);
http::ServerResponse failure_answer(const Failure& failure);  // with header Retry-After

}  // namespace spotkeeper::emulator
