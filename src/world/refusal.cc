// SPDX-License-Identifier: Apache-2.0
// Wording, reasons and codes as a Kubernetes 1.34 API server sent them.
#include "world/refusal.h"

#include <fmt/format.h>

#include "world/pod.h"

namespace spotkeeper::world {
namespace {

// "poddisruptionbudgets.policy", "pods"
std::string qualified(Kind kind) {
  const std::string version = api_version(kind);
  const size_t slash = version.find('/');
  const std::string resource = resource_name(kind);
  return slash == std::string::npos ? resource : resource + "." + version.substr(0, slash);
}

}  // namespace

Refusal not_found(Kind kind, const Key& key) {
  return {.code = 404,
          .reason = "NotFound",
          .message = fmt::format("{} \"{}\" not found", qualified(kind), key.name),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal already_exists(Kind kind, const Key& key) {
  return {.code = 409,
          .reason = "AlreadyExists",
          .message = fmt::format("{} \"{}\" already exists", qualified(kind), key.name),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal conflict(Kind kind, const Key& key) {
  return {.code = 409,
          .reason = "Conflict",
          .message = fmt::format("Operation cannot be fulfilled on {} \"{}\": the object has been "
                                 "modified; please apply your changes to the latest version and "
                                 "try again",
                                 qualified(kind), key.name),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal other_uid(Kind kind, const Key& key, Uid wanted, Uid found) {
  return {.code = 409,
          .reason = "Conflict",
          .message = fmt::format("Operation cannot be fulfilled on {} \"{}\": the UID in the "
                                 "precondition ({}) does not match the UID in record ({}). The "
                                 "object might have been deleted and then recreated",
                                 kind_name(kind), key.name, wanted.text(), found.text()),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal other_version(Kind kind, const Key& key, uint64_t wanted, uint64_t found) {
  return {.code = 409,
          .reason = "Conflict",
          .message = fmt::format("Operation cannot be fulfilled on {} \"{}\": the ResourceVersion "
                                 "in the precondition ({}) does not match the ResourceVersion in "
                                 "record ({}). The object might have been modified",
                                 kind_name(kind), key.name, wanted, found),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal uid_is_fixed(Kind kind, const Key& key, Uid wanted) {
  Refusal refusal =
      invalid(kind, key, "metadata.uid",
              fmt::format("Invalid value: \"{}\": field is immutable", wanted.text()));
  refusal.causes.push_back(refusal.causes.front());  // the real one says it twice
  return refusal;
}

Refusal invalid(Kind kind, const Key& key, std::string field, std::string message) {
  const std::string version = api_version(kind);
  const size_t slash = version.find('/');
  std::string full = kind_name(kind);
  if (slash != std::string::npos) full += "." + version.substr(0, slash);
  Refusal refusal{
      .code = 422,
      .reason = "Invalid",
      .message = fmt::format("{} \"{}\" is invalid: {}: {}", full, key.name, field, message),
      .causes = {},
      .kind = kind,
      .name = key.name};
  refusal.causes.push_back({"FieldValueInvalid", std::move(message), std::move(field)});
  return refusal;
}

Refusal namespace_terminates(Kind kind, const Key& key) {
  Refusal refusal{.code = 403,
                  .reason = "Forbidden",
                  .message = fmt::format("{} \"{}\" is forbidden: unable to create new content in "
                                         "namespace {} because it is being terminated",
                                         qualified(kind), key.name, key.ns),
                  .causes = {},
                  .kind = kind,
                  .name = key.name};
  refusal.causes.push_back({"NamespaceTerminating",
                            fmt::format("namespace {} is being terminated", key.ns),
                            "metadata.namespace"});
  return refusal;
}

Refusal quota_exceeded(Kind kind, const Key& key) {
  return {.code = 403,
          .reason = "Forbidden",
          .message = fmt::format("{} \"{}\" is forbidden: exceeded quota: {}", qualified(kind),
                                 key.name, resource_name(kind)),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal forbidden_by_policy(Kind kind, const Key& key, int code) {
  const bool webhook = code == 403;
  return {.code = code,
          .reason = webhook ? "Forbidden" : "Invalid",
          .message =
              webhook ? fmt::format("admission webhook \"labels.example.com\" denied the request: "
                                    "{} of {} is not to be changed",
                                    kHashLabel, key.name)
                      : fmt::format("{} \"{}\" is forbidden: ValidatingAdmissionPolicy 'labels' "
                                    "with binding 'labels' denied request: {} is not to be changed",
                                    resource_name(kind), key.name, kHashLabel),
          .causes = {},
          .kind = kind,
          .name = key.name};
}

Refusal expired(uint64_t wanted, uint64_t oldest) {
  return {.code = 410,
          .reason = "Expired",
          .message = fmt::format("too old resource version: {} ({})", wanted, oldest),
          .causes = {},
          .name = {}};
}

}  // namespace spotkeeper::world
