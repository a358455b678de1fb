// SPDX-License-Identifier: Apache-2.0
#include "template/check.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "template/functions.h"

namespace spotkeeper::tmpl {
namespace {

// What is known of a value without data. The record itself is kRoot.
enum class Type { kUnknown, kRoot, kPlain, kTime, kTexts, kTextMap };

Type type_of(FieldType field) {
  switch (field) {
    case FieldType::kAny:
      return Type::kUnknown;
    case FieldType::kText:
    case FieldType::kNumber:
    case FieldType::kBool:
      return Type::kPlain;
    case FieldType::kTime:
      return Type::kTime;
    case FieldType::kTexts:
      return Type::kTexts;
    case FieldType::kTextMap:
      return Type::kTextMap;
  }
  return Type::kUnknown;
}

class Checker {
 public:
  Checker(const Tree& tree, const Schema& schema) : tree_(tree), schema_(schema) {}

  std::optional<Fault> run() {
    body(tree_.body, Type::kRoot, Type::kRoot);
    return fault_;
  }

 private:
  // `root` is the type of $.
  void body(const Body& nodes, Type dot, Type root) {
    for (const Node& node : nodes) {
      if (fault_) return;
      const Type value = node.pipe ? pipe(*node.pipe, dot, root) : Type::kUnknown;
      using enum Node::Kind;
      switch (node.kind) {
        case kTemplate:
          // With every type that it is called with, once.
          if (visited_.emplace(node.text, value).second) {
            body(tree_.templates.find(node.text)->second, value, value);
          }
          break;
        case kWith:
          body(node.body, value, root);
          break;
        case kRange:
          body(node.body,
               value == Type::kTexts || value == Type::kTextMap ? Type::kPlain : Type::kUnknown,
               root);
          break;
        default:
          body(node.body, dot, root);
      }
      body(node.otherwise, dot, root);
    }
  }

  // The type of its value, when it is nothing but an operand.
  Type pipe(const Pipe& pipe, Type dot, Type root) {
    Type last = Type::kUnknown;
    for (const Command& command : pipe.commands) {
      for (const Operand& operand : command.operands) last = this->operand(operand, dot, root);
    }
    const bool plain = pipe.commands.size() == 1 && pipe.commands.front().operands.size() == 1;
    return plain ? last : Type::kUnknown;
  }

  Type operand(const Operand& operand, Type dot, Type root) {
    Type type = Type::kUnknown;
    using enum Operand::Kind;
    if (operand.kind == kDot) type = dot;
    if (operand.kind == kVariable && operand.name == "$") type = root;
    if (operand.kind == kParentheses) type = pipe(*operand.pipe, dot, root);
    for (const Step& step : operand.steps) type = field(step, type);
    return type;
  }

  Type field(const Step& step, Type of) {
    switch (of) {
      case Type::kRoot: {
        const auto found = schema_.find(step.name);
        if (found != schema_.end()) return type_of(found->second);
        fail(step,
             fmt::format("field {} is not known (there are {})", shown("." + step.name), fields()));
        break;
      }
      case Type::kTime:
        if (find_time_method(step.name) == nullptr) {
          fail(step, fmt::format("time method {} {}", shown("." + step.name),
                                 why_no_time_method(step.name)));
        }
        return step.name == "UTC" ? Type::kTime : Type::kPlain;
      case Type::kTextMap:
        return Type::kPlain;
      case Type::kTexts:
      case Type::kPlain:
        fail(step, fmt::format("field {} is asked of what has no fields", shown("." + step.name)));
        break;
      case Type::kUnknown:
        break;
    }
    return Type::kUnknown;
  }

  std::string fields() const {
    std::string names;
    for (const auto& [name, type] : schema_) names += (names.empty() ? "." : " .") + name;
    return names;
  }
  void fail(const Step& step, std::string message) {
    if (!fault_) fault_ = Fault{.at = step.at, .message = std::move(message)};
  }

  const Tree& tree_;
  const Schema& schema_;
  std::set<std::pair<std::string, Type>> visited_;
  std::optional<Fault> fault_;
};

}  // namespace

std::optional<Fault> check_fields(const Tree& tree, const Schema& schema) {
  return Checker(tree, schema).run();
}

}  // namespace spotkeeper::tmpl
