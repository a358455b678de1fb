// SPDX-License-Identifier: Apache-2.0
// A template's text as a tree, by the grammar of Go's text/template. Everything that does not
// depend on data is refused here: unknown functions, variables and templates, wrong numbers of
// arguments, literals of the wrong type. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "template/lexer.h"
#include "template/tree.h"

namespace spotkeeper::tmpl {

std::expected<Tree, Fault> parse_tree(std::string text, std::string name);

}  // namespace spotkeeper::tmpl
