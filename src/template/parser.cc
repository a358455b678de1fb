// SPDX-License-Identifier: Apache-2.0
#include "template/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "template/functions.h"
#include "template/limits.h"
#include "template/literal.h"

namespace spotkeeper::tmpl {
namespace {

enum class Stop { kEndOfText, kEnd, kElse };

bool is_blank(const Body& body) {
  return std::ranges::all_of(body, [](const Node& node) {
    return node.kind == Node::Kind::kText &&
           node.text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
}

class Parser {
 public:
  Parser(Tree& tree, std::vector<Token> tokens) : tree_(tree), tokens_(std::move(tokens)) {}

  std::optional<Fault> run() {
    const Stop stop = body(tree_.body);
    if (stop == Stop::kEnd) fail(tokens_[at_].at, "{{end}} ends nothing");
    if (stop == Stop::kElse) fail(tokens_[at_].at, "{{else}} belongs to nothing");
    for (const auto& [name, at] : called_) {
      if (!tree_.templates.contains(name)) {
        fail(at, fmt::format("template {} is not defined", shown(name)));
      }
    }
    return fault_;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  const Token& next() { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_]; }
  bool skip(Lexeme kind) {
    if (peek().kind != kind) return false;
    next();
    return true;
  }
  const Token& peek_word() {
    while (skip(Lexeme::kSpace)) {
    }
    return peek();
  }
  bool is_name(std::string_view name) const {
    return peek().kind == Lexeme::kName && peek().text == name;
  }
  bool is_variable_declared(std::string_view name) const {
    return std::ranges::find(variables_, name) != variables_.end();
  }

  void fail(size_t at, std::string message) {
    if (!fault_) fault_ = Fault{.at = at, .message = std::move(message)};
    at_ = tokens_.size() - 1;  // the end of the text ends every loop
  }
  void unexpected(const char* where) {
    if (peek().kind == Lexeme::kEnd)
      return fail(peek().at, fmt::format("unexpected end of the text {}", where));
    fail(peek().at,
         fmt::format("unexpected {} {}",
                     shown(tree_.text.substr(peek().at, std::max<size_t>(1, peek().text.size()))),
                     where));
  }
  bool too_deep(size_t at) {
    if (depth_ < kMostNesting) return false;
    fail(at, fmt::format("more than {} blocks or parentheses within each other", kMostNesting));
    return true;
  }
  void right(const char* where) {
    peek_word();
    if (!skip(Lexeme::kRight)) unexpected(where);
  }

  // Up to {{end}} or {{else}}, whose name is the next token.
  Stop body(Body& out) {
    while (!fault_ && peek().kind != Lexeme::kEnd) {
      if (peek().kind == Lexeme::kText) {
        const Token& text = next();
        out.push_back({.kind = Node::Kind::kText, .at = text.at, .text = std::string(text.text)});
        continue;
      }
      next();  // kLeft: what the lexer yields between actions
      peek_word();
      if (is_name("end")) return Stop::kEnd;
      if (is_name("else")) return Stop::kElse;
      action(out);
    }
    return Stop::kEndOfText;
  }

  void action(Body& out) {
    const Token word = peek();
    if (word.kind == Lexeme::kName) {
      if (word.text == "if") return control(Node::Kind::kIf, out);
      if (word.text == "range") return control(Node::Kind::kRange, out);
      if (word.text == "with") return control(Node::Kind::kWith, out);
      if (word.text == "template") return call(out);
      if (word.text == "define") return define();
      if (word.text == "block") return block(out);
      if (word.text == "break" || word.text == "continue") return leave(out);
    }
    Node node{.kind = Node::Kind::kAction, .at = word.at};
    node.pipe = pipeline(Lexeme::kRight, "in an action", 1);
    out.push_back(std::move(node));
  }

  void leave(Body& out) {
    const Token& word = next();
    if (loops_ == 0)
      return fail(word.at, fmt::format("{{{{{}}}}} is not within {{{{range}}}}", word.text));
    out.push_back(
        {.kind = word.text == "break" ? Node::Kind::kBreak : Node::Kind::kContinue, .at = word.at});
    right("in {{break}} or {{continue}}");
  }

  // {{if}}, {{range}}, {{with}}: at its name.
  void control(Node::Kind kind, Body& out) {
    const Token word = next();
    if (too_deep(word.at)) return;
    depth_++;
    const size_t variables = variables_.size();
    Node node{.kind = kind, .at = word.at};
    const bool loop = kind == Node::Kind::kRange;
    node.pipe = pipeline(Lexeme::kRight, "in a block's condition", loop ? 2 : 1);
    loops_ += loop ? 1 : 0;
    Stop stop = body(node.body);
    loops_ -= loop ? 1 : 0;
    if (stop == Stop::kElse) stop = otherwise(node, word);
    if (stop == Stop::kEndOfText) {
      fail(word.at, fmt::format("{{{{{}}}}} has no {{{{end}}}}", word.text));
    } else if (stop == Stop::kEnd && !chained_) {
      next();
      right("in {{end}}");
    }
    chained_ = false;
    variables_.resize(std::min(variables, variables_.size()));
    depth_--;
    out.push_back(std::move(node));
  }

  // At "else". An {{else if}} is an {{if}} within the {{else}}, and takes its {{end}}.
  Stop otherwise(Node& node, const Token& opened) {
    next();
    peek_word();
    const bool again =
        (opened.text == "if" && is_name("if")) || (opened.text == "with" && is_name("with"));
    if (again) {
      control(node.kind, node.otherwise);
      chained_ = true;
      return Stop::kEnd;
    }
    right("in {{else}}");
    const Stop stop = body(node.otherwise);
    if (stop == Stop::kElse) {
      fail(peek().at, "a second {{else}}");
    }
    return stop;
  }

  std::optional<std::string> template_name(const char* where) {
    peek_word();
    if (peek().kind != Lexeme::kString && peek().kind != Lexeme::kRawString) {
      unexpected(where);
      return std::nullopt;
    }
    const auto name = string_literal(peek().text);
    if (!name) fail(peek().at, "the string has a bad escape");
    next();
    return name;
  }

  void call(Body& out) {
    Node node{.kind = Node::Kind::kTemplate, .at = next().at};
    auto name = template_name("in {{template}}: its name is a string");
    if (!name) return;
    node.text = *name;
    called_.emplace_back(*name, node.at);
    if (peek_word().kind == Lexeme::kRight) {
      next();
    } else {
      node.pipe = pipeline(Lexeme::kRight, "in {{template}}", 1);
    }
    out.push_back(std::move(node));
  }

  void define() {
    const Token word = next();
    if (depth_ > 0) return fail(word.at, "{{define}} stands outside of every block");
    const auto name = template_name("in {{define}}: its name is a string");
    if (!name) return;
    right("in {{define}}");
    definition(*name, word);
  }

  void block(Body& out) {
    const Token word = next();
    const auto name = template_name("in {{block}}: its name is a string");
    if (!name) return;
    Node node{.kind = Node::Kind::kTemplate, .at = word.at, .text = *name};
    node.pipe = pipeline(Lexeme::kRight, "in {{block}}", 1);
    out.push_back(std::move(node));
    definition(*name, word);
  }

  // A body with variables and loops of its own, up to its {{end}}.
  void definition(const std::string& name, const Token& opened) {
    if (too_deep(opened.at)) return;
    std::vector<std::string> variables = {"$"};
    std::swap(variables, variables_);
    const int loops = std::exchange(loops_, 0);
    depth_++;
    Body made;
    const Stop stop = body(made);
    if (stop == Stop::kEndOfText)
      fail(opened.at, fmt::format("{{{{{}}}}} has no {{{{end}}}}", opened.text));
    if (stop == Stop::kElse)
      fail(peek().at, fmt::format("{{{{{}}}}} has no {{{{else}}}}", opened.text));
    if (stop == Stop::kEnd) {
      next();
      right("in {{end}}");
    }
    depth_--;
    loops_ = loops;
    std::swap(variables, variables_);
    Body& known = tree_.templates[name];
    if (is_blank(known)) {
      known = std::move(made);
    } else if (!is_blank(made)) {
      fail(opened.at, fmt::format("template {} is defined twice", shown(name)));
    }
  }

  // `most`: how many variables it may declare.
  std::unique_ptr<Pipe> pipeline(Lexeme end, const char* where, size_t most) {
    auto pipe = std::make_unique<Pipe>();
    pipe->at = peek_word().at;
    declarations(*pipe, most);
    while (!fault_ && peek_word().kind != end) command(*pipe, where);
    if (!fault_) {
      if (pipe->commands.empty()) fail(pipe->at, fmt::format("a value is missing {}", where));
      next();
    }
    for (const std::string& name : pipe->variables) {
      if (!pipe->assigns) {
        variables_.push_back(name);
      } else if (!is_variable_declared(name)) {
        fail(pipe->at, fmt::format("variable {} is not declared: write :=", shown(name)));
      }
    }
    return pipe;
  }

  // "$x :=", "$x =", "$i, $x :=": taken only when it is one of them.
  void declarations(Pipe& pipe, size_t most) {
    const size_t before = at_;
    while (peek_word().kind == Lexeme::kVariable) {
      pipe.variables.emplace_back(next().text);
      const Token& mark = peek_word();
      if (mark.kind == Lexeme::kComma) {
        if (pipe.variables.size() == most || most < 2)
          return fail(mark.at, "too many variables are declared");
        next();
        continue;
      }
      if (mark.kind != Lexeme::kDeclare && mark.kind != Lexeme::kAssign) break;
      if (most == 0) return fail(mark.at, "a variable is not declared within parentheses");
      pipe.assigns = mark.kind == Lexeme::kAssign;
      next();
      return;
    }
    pipe.variables.clear();
    at_ = before;
  }

  void command(Pipe& pipe, const char* where) {
    Command made{.at = peek().at};
    while (!fault_) {
      peek_word();
      if (!operand(made)) break;
      if (!skip(Lexeme::kSpace)) break;
    }
    if (fault_) return;
    const Lexeme after = peek_word().kind;
    if (made.operands.empty() ||
        (after != Lexeme::kPipe && after != Lexeme::kRight && after != Lexeme::kClose)) {
      return unexpected(where);
    }
    const bool piped = !pipe.commands.empty();
    check_command(made, piped);
    pipe.commands.push_back(std::move(made));
    skip(Lexeme::kPipe);  // Go lets a last one stand, with nothing behind it
  }

  void check_command(const Command& command, bool piped) {
    const Operand& head = command.operands.front();
    using enum Operand::Kind;
    for (const Operand& operand : command.operands) {
      const bool called = &operand == &head && head.steps.empty();
      if (operand.kind == kFunction && !called && !operand.function->takes(0)) {
        return fail(operand.at, fmt::format("{} takes {}, not 0: put parentheses around the call",
                                            operand.function->name, operand.function->wants()));
      }
    }
    if (head.kind == kFunction && head.steps.empty()) return check_call(command, piped);
    if (piped && head.steps.empty() && head.kind != kVariable && head.kind != kParentheses) {
      return fail(head.at, "only a function can stand behind a |");
    }
    const bool gets = piped || command.operands.size() > 1;
    if (gets && head.steps.empty()) {
      return fail(head.at, "this is no function, but it is given an argument");
    }
    if (head.kind == kNil) return fail(head.at, "nil alone is no value to print or test");
  }

  void check_call(const Command& command, bool piped) {
    const Signature& function = *command.operands.front().function;
    const size_t given = command.operands.size() - 1 + (piped ? 1 : 0);
    if (!function.takes(given)) {
      return fail(command.at,
                  fmt::format("{} takes {}, not {}", function.name, function.wants(), given));
    }
    for (size_t i = 1; i < command.operands.size(); i++) {
      const Operand& operand = command.operands[i];
      if (operand.kind != Operand::Kind::kLiteral) continue;
      const char wanted = function.type(i - 1);
      const bool fits = wanted == 'a' || (wanted == 's' && operand.literal.is(Kind::kText)) ||
                        (wanted == 'i' && operand.whole) ||
                        (wanted == 'b' && operand.literal.is(Kind::kBool));
      if (!fits) {
        return fail(operand.at,
                    fmt::format("argument {} of {} is of the wrong type", i, function.name));
      }
      std::string wrong = wrong_literal(function, i - 1, operand.literal);
      if (!wrong.empty()) return fail(operand.at, std::move(wrong));
    }
  }

  // False: there is none here.
  bool operand(Command& command) {
    const Token token = peek();
    Operand made{.at = token.at};
    if (!term(made, token)) return false;
    if (fault_) return false;
    while (peek().kind == Lexeme::kField) {
      if (made.kind == Operand::Kind::kLiteral || made.kind == Operand::Kind::kNil ||
          (token.kind == Lexeme::kDot && made.steps.empty())) {
        fail(peek().at, "a field is asked of what has none");
        return false;
      }
      const Token& field = next();
      made.steps.push_back({.name = std::string(field.text), .at = field.at});
    }
    command.operands.push_back(std::move(made));
    return true;
  }

  bool term(Operand& made, const Token& token) {
    using enum Operand::Kind;
    switch (token.kind) {
      case Lexeme::kDot:
        made.kind = kDot;
        break;
      case Lexeme::kField:
        made.kind = kDot;
        made.steps.push_back({.name = std::string(token.text), .at = token.at});
        break;
      case Lexeme::kVariable:
        made.kind = kVariable;
        made.name = std::string(token.text);
        if (!is_variable_declared(made.name)) {
          fail(token.at, fmt::format("variable {} is not declared", shown(made.name)));
        }
        break;
      case Lexeme::kName:
        return name(made, token);
      case Lexeme::kOpen:
        return parentheses(made, token);
      case Lexeme::kNumber:
      case Lexeme::kChar:
      case Lexeme::kString:
      case Lexeme::kRawString:
        literal(made, token);
        break;
      default:
        return false;
    }
    next();
    return true;
  }

  bool name(Operand& made, const Token& token) {
    using enum Operand::Kind;
    if (token.text == "true" || token.text == "false") {
      made.kind = kLiteral;
      made.literal = Value::boolean(token.text == "true");
    } else if (token.text == "nil") {
      made.kind = kNil;
    } else {
      made.kind = kFunction;
      made.function = find_function(token.text);
      if (made.function == nullptr) {
        fail(token.at,
             fmt::format("function {} {}", shown(token.text), why_no_function(token.text)));
        return false;
      }
    }
    next();
    return true;
  }

  bool parentheses(Operand& made, const Token& token) {
    if (too_deep(token.at)) return false;
    next();
    depth_++;
    made.kind = Operand::Kind::kParentheses;
    made.pipe = pipeline(Lexeme::kClose, "in parentheses", 0);
    depth_--;
    return true;
  }

  void literal(Operand& made, const Token& token) {
    made.kind = Operand::Kind::kLiteral;
    if (token.kind == Lexeme::kNumber) {
      const auto number = number_literal(token.text);
      if (!number)
        return fail(token.at, fmt::format("{} is no number, or too large", shown(token.text)));
      made.literal = number->value;
      made.whole = number->whole;
    } else if (token.kind == Lexeme::kChar) {
      const auto rune = char_literal(token.text);
      if (!rune) return fail(token.at, fmt::format("{} is not one character", shown(token.text)));
      made.literal = Value::number(*rune);
      made.whole = true;
    } else {
      auto text = string_literal(token.text);
      if (!text) return fail(token.at, "the string has a bad escape");
      made.literal = Value::text(std::move(*text));
    }
  }

  Tree& tree_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t depth_ = 0;
  int loops_ = 0;
  bool chained_ = false;  // the {{end}} that follows was taken by an {{else if}}
  std::vector<std::string> variables_ = {"$"};
  std::vector<std::pair<std::string, size_t>> called_;
  std::optional<Fault> fault_;
};

}  // namespace

std::expected<Tree, Fault> parse_tree(std::string text, std::string name) {
  if (text.size() > kMostText) {
    return std::unexpected(
        Fault{.message = fmt::format("{} bytes; at most {} are allowed", text.size(), kMostText)});
  }
  Tree tree{.name = std::move(name), .text = std::move(text)};
  auto tokens = lex(tree.text);
  if (!tokens) return std::unexpected(std::move(tokens.error()));
  if (auto fault = Parser(tree, std::move(*tokens)).run())
    return std::unexpected(std::move(*fault));
  return tree;
}

}  // namespace spotkeeper::tmpl
