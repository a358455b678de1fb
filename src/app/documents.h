// SPDX-License-Identifier: Apache-2.0
// What the commands that people type have in common on their way out.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/drain_options.h"
#include "effects/pod_units.h"

namespace spotkeeper::app {

// As kubectl does: one document as it is, several as {"items": […]}. `format`: "json" or "yaml".
void print_documents(std::vector<boost::json::object> documents, const std::string& format);

// A deadline that is not ahead, as an Error.
Result<void> check_deadline(const config::DrainOptions& options);

// Our own pod, where we run in one: it must not be moved.
effects::PodRules rules_of_this_pod(const config::Environment& environment);

// One line to stderr, whatever becomes of it; answers `status`.
int fail(const char* command, const Error& error, int status);

}  // namespace spotkeeper::app
