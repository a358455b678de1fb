// SPDX-License-Identifier: Apache-2.0
// Renders a tree with its data, as Go's text/template executes it, within the limits. Pure.
#pragma once

#include <string>

#include "template/lexer.h"
#include "template/tree.h"

namespace spotkeeper::tmpl {

std::expected<std::string, Fault> evaluate(const Tree& tree, const Value& data, Time now);

}  // namespace spotkeeper::tmpl
