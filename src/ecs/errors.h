// SPDX-License-Identifier: Apache-2.0
// ECS's errors as the core and people are to read them. Pure.
#pragma once

#include <string>

#include "aws/ecs.h"
#include "base/result.h"

namespace spotkeeper::ecs {

// What the core is to make of an error of ECS: a missing right (`allow` names it) is one for good.
Error for_the_core(Error error, const char* allow);

// "container instance 0123 is not there any more"; kGone.
std::unexpected<Error> no_such_instance(const std::string& arn);

}  // namespace spotkeeper::ecs
