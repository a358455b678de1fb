// SPDX-License-Identifier: Apache-2.0
// Credentials that stand in the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, of a
// session, AWS_SESSION_TOKEN. Pure.
#pragma once

#include <optional>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "base/result.h"

namespace spotkeeper::aws {

// nullopt: there are none. One of the two keys without the other is an Error (kPermanent).
Result<std::optional<Credentials>> environment_credentials(const Environment& environment);

}  // namespace spotkeeper::aws
