// SPDX-License-Identifier: Apache-2.0
// Which fields a template asks the record for, held against the fields it has. Follows the dot
// through {{with}} and {{template}} as far as its type is known without data; what is not known
// is not refused. Pure.
#pragma once

#include <optional>

#include "template/lexer.h"
#include "template/template.h"
#include "template/tree.h"

namespace spotkeeper::tmpl {

std::optional<Fault> check_fields(const Tree& tree, const Schema& schema);

}  // namespace spotkeeper::tmpl
