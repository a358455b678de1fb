// SPDX-License-Identifier: Apache-2.0
// A template's text as tokens, by the lexical rules of Go's text/template. Pure; tokens point into
// the text, which the caller keeps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spotkeeper::tmpl {

enum class Lexeme {
  kText,       // outside of {{ }}, trimmed
  kLeft,       // {{
  kRight,      // }}
  kSpace,      // parts two arguments
  kName,       // a function or a keyword
  kField,      // .Name, without the dot
  kVariable,   // $ or $name
  kDot,        // .
  kNumber,     // as it is written
  kChar,       // 'x', as it is written
  kString,     // "x", as it is written
  kRawString,  // `x`, as it is written
  kPipe,       // |
  kComma,      // ,
  kOpen,       // (
  kClose,      // )
  kDeclare,    // :=
  kAssign,     // =
  kEnd,        // of the text
};

struct Token {
  Lexeme kind = Lexeme::kEnd;
  size_t at = 0;  // byte in the text
  std::string_view text;
};

// Something is wrong at a byte of the text.
struct Fault {
  size_t at = 0;
  std::string message;
};

// All tokens, kEnd last.
std::expected<std::vector<Token>, Fault> lex(std::string_view text);

// "NAME:LINE:COLUMN: MESSAGE": lines and columns (bytes) from 1.
Error fault_error(const std::string& name, std::string_view text, const Fault& fault);

// A piece of a template for a message: quoted, cut when long, one line.
std::string shown(std::string_view piece);

}  // namespace spotkeeper::tmpl
