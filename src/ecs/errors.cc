// SPDX-License-Identifier: Apache-2.0
#include "ecs/errors.h"

#include "ecs/instance.h"

namespace spotkeeper::ecs {
namespace {

constexpr int kForbidden = 403;

}  // namespace

Error for_the_core(Error error, const char* allow) {
  const bool no_right =
      error.kind == ErrorKind::kDenied && error.reason.starts_with("AccessDenied");
  if (!no_right) {
    // Credentials that are refused may be good again in a moment.
    if (error.kind == ErrorKind::kDenied) error.status = 0;
    return error;
  }
  error.status = kForbidden;
  error.no_right = true;
  error.message += std::string("; allow: ") + allow;
  return error;
}

std::unexpected<Error> no_such_instance(const std::string& arn) {
  return std::unexpected(
      Error{.kind = ErrorKind::kGone,
            .message = "container instance " + short_id(arn) + " is not there any more"});
}

}  // namespace spotkeeper::ecs
