// SPDX-License-Identifier: Apache-2.0
// Errors of the outside world are values. An Error says what to do now (its kind) and carries one
// sentence for a person. Exceptions are kept for bugs and for cancellation.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace spotkeeper {

// What the caller should do now.
enum class ErrorKind {
  kRetryable,  // weather: the same call may succeed later
  kPermanent,  // the same call will fail again: bad input, a bug, a refusal that stays
  kDenied,     // not authenticated or not allowed (HTTP 401, 403)
  kGone,       // the thing does not exist any more (HTTP 404, 410, another UID)
};

const char* to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kPermanent;
  std::string message;
  int status = 0;         // HTTP status when there was one, else 0
  std::string reason;     // machine-readable reason of the other side ("Conflict"), may be empty
  int retry_after_s = 0;  // what the other side asked for, 0 when it did not
  bool no_right = false;  // HTTP 403 of the authoriser: the right itself is missing
  bool budget = false;    // HTTP 429 that speaks of a disruption budget, not of load
  bool held = false;      // somebody else does it now, and is taken for alive for retry_after_s

  // The same error with "context: " put before its message.
  Error within(const std::string& context) const;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> retryable(std::string message) {
  return std::unexpected(Error{.kind = ErrorKind::kRetryable, .message = std::move(message)});
}
inline std::unexpected<Error> permanent(std::string message) {
  return std::unexpected(Error{.kind = ErrorKind::kPermanent, .message = std::move(message)});
}

}  // namespace spotkeeper
