// SPDX-License-Identifier: Apache-2.0
// A plan as a CloudFormation template: a value, to be written as YAML or JSON. Pure.
// Source: CloudFormation template reference, the resource types named.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "bootstrap/plan.h"

namespace spotkeeper::bootstrap {

// The place of a plan that is rendered: a template says "this account" itself.
Place cloudformation_place();

boost::json::object to_cloudformation(const Plan& plan);

// What to do with it, and what it cannot do: a line each.
std::vector<std::string> cloudformation_notes(const Plan& plan);

}  // namespace spotkeeper::bootstrap
