// SPDX-License-Identifier: Apache-2.0
// The operator's policy file: YAML, rules of which the first that matches a pod holds. What may
// stand in it is in docs/policy.md for people and in docs/policy.schema.json for programs. Errors
// are kPermanent and one line: file, line, key, what was found, what was expected.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/rules.h"

namespace spotkeeper::config {

// `file` is the name that errors begin with. Pure.
Result<std::vector<core::Rule>> parse_policy(const std::string& text, const std::string& file);

// The rules in the file at `path`, of at most 1 MiB; no rules where `path` is empty.
Result<std::vector<core::Rule>> read_policy_file(const std::string& path);

}  // namespace spotkeeper::config
