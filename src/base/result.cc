// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace spotkeeper {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRetryable:
      return "retryable";
    case ErrorKind::kPermanent:
      return "permanent";
    case ErrorKind::kDenied:
      return "denied";
    case ErrorKind::kGone:
      return "gone";
  }
  return "unknown";
}

Error Error::within(const std::string& context) const {
  Error outer = *this;
  outer.message = context + ": " + message;
  return outer;
}

}  // namespace spotkeeper
