// SPDX-License-Identifier: Apache-2.0
// A plan as a Terraform file. Pure.
// Source: the AWS provider's documentation (registry.terraform.io, hashicorp/aws), the resources
// named.
#pragma once

#include <string>
#include <vector>

#include "bootstrap/plan.h"

namespace spotkeeper::bootstrap {

// The place of a plan that is rendered; the region is the provider's.
Place terraform_place(const std::string& region);

std::string to_terraform(const Plan& plan);

std::vector<std::string> terraform_notes(const Plan& plan);

}  // namespace spotkeeper::bootstrap
