// SPDX-License-Identifier: Apache-2.0
// How the emulated API server says no: the parts of a meta/v1 Status.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "world/meta.h"

namespace spotkeeper::world {

struct Refusal {
  struct Cause {
    std::string reason;  // details.causes[].reason: "DisruptionBudget"
    std::string message;
    std::string field;
  };
  int code = 500;
  std::string reason;  // "TooManyRequests"; may be empty, as the real one's is at times
  std::string message;
  std::vector<Cause> causes;
  int retry_after_s = 0;   // details.retryAfterSeconds and the header Retry-After; 0: none
  Kind kind = Kind::kPod;  // details.kind
  std::string name;        // details.name
};

template <class T>
using Answer = std::expected<T, Refusal>;

using Refused = std::unexpected<Refusal>;

Refusal not_found(Kind kind, const Key& key);       // 404
Refusal already_exists(Kind kind, const Key& key);  // 409 AlreadyExists
Refusal conflict(Kind kind, const Key& key);        // 409: an update of another version
// 409: a deletion or eviction of another UID, of another version
Refusal other_uid(Kind kind, const Key& key, Uid wanted, Uid found);
Refusal other_version(Kind kind, const Key& key, uint64_t wanted, uint64_t found);
Refusal uid_is_fixed(Kind kind, const Key& key, Uid wanted);                         // 422: patch
Refusal invalid(Kind kind, const Key& key, std::string field, std::string message);  // 422
Refusal namespace_terminates(Kind kind, const Key& key);                             // 403
Refusal quota_exceeded(Kind kind, const Key& key);                                   // 403
// 422 of a ValidatingAdmissionPolicy, 403 of a webhook.
Refusal forbidden_by_policy(Kind kind, const Key& key, int code);
Refusal expired(uint64_t wanted, uint64_t oldest);  // 410

}  // namespace spotkeeper::world
