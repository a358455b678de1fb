// SPDX-License-Identifier: Apache-2.0
// A parsed template. Functions are resolved, literals are values, variables are declared. Owned by
// the Template; immutable once parsed. `at` is a byte of the text, for errors.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "template/value.h"

namespace spotkeeper::tmpl {

struct Signature;
struct Pipe;

// .Name behind something.
struct Step {
  std::string name;
  size_t at = 0;
};

struct Operand {
  enum class Kind { kDot, kNil, kLiteral, kVariable, kFunction, kParentheses };
  Kind kind = Kind::kDot;
  size_t at = 0;
  Value literal;
  bool whole = false;  // a number that is fit for an integer, though it may be a float: 3.0
  std::string name;    // of the variable, with $
  const Signature* function = nullptr;
  std::unique_ptr<Pipe> pipe;
  std::vector<Step> steps;  // the fields asked for
};

// The first operand, with the others as its arguments.
struct Command {
  std::vector<Operand> operands;
  size_t at = 0;
};

struct Pipe {
  std::vector<std::string> variables;  // declared, or assigned to; with $
  bool assigns = false;
  std::vector<Command> commands;
  size_t at = 0;
};

struct Node;
using Body = std::vector<Node>;

struct Node {
  enum class Kind { kText, kAction, kIf, kRange, kWith, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  size_t at = 0;
  std::string text;            // the text, or the name of the template
  std::unique_ptr<Pipe> pipe;  // none in {{template "name"}}
  Body body;
  Body otherwise;  // {{else}}
};

struct Tree {
  std::string name;
  std::string text;
  Body body;
  std::map<std::string, Body, std::less<>> templates;  // {{define}}, {{block}}
};

}  // namespace spotkeeper::tmpl
