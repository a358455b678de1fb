// SPDX-License-Identifier: Apache-2.0
// What the commands that people type have in common on their way out.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace spotkeeper::app {

// As kubectl does: one document as it is, several as {"items": […]}. `format`: "json" or "yaml".
void print_documents(std::vector<boost::json::object> documents, const std::string& format);

// One line to stderr; answers `status`.
int fail(const char* command, const Error& error, int status);

}  // namespace spotkeeper::app
