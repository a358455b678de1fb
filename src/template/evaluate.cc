// SPDX-License-Identifier: Apache-2.0
#include "template/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "template/format.h"
#include "template/functions.h"
#include "template/limits.h"

namespace spotkeeper::tmpl {
namespace {

// Why a body was left before its end.
enum class Flow { kOn, kBreak, kContinue, kFailed };

class Evaluator {
 public:
  Evaluator(const Tree& tree, const Value& data, Time now) : tree_(tree), now_(now) {
    variables_.emplace_back("$", data);
  }

  std::expected<std::string, Fault> run() {
    const Value data = variables_.front().second;
    body(tree_.body, data);
    if (fault_) return std::unexpected(std::move(*fault_));
    return std::move(out_);
  }

 private:
  using Variables = std::vector<std::pair<std::string, Value>>;

  Value fail(size_t at, std::string message) {
    if (!fault_) fault_ = Fault{.at = at, .message = std::move(message)};
    return {};
  }
  bool spend(size_t at, size_t cost) {
    if (!budget_.spend(cost)) fail(at, "the template does too much: a loop, or a text that grows");
    return !fault_;
  }
  void write(size_t at, std::string_view text) {
    if (!spend(at, text.size())) return;
    if (out_.size() + text.size() > kMostOutput) {
      fail(at, fmt::format("more than {} bytes come out", kMostOutput));
    } else {
      out_ += text;
    }
  }

  Flow body(const Body& nodes, const Value& dot) {
    if (bodies_ == kMostBodies) {
      fail(nodes.empty() ? 0 : nodes.front().at,
           fmt::format("more than {} blocks within each other", kMostBodies));
      return Flow::kFailed;
    }
    bodies_++;
    const Flow flow = nodes_of(nodes, dot);
    bodies_--;
    return flow;
  }

  Flow nodes_of(const Body& nodes, const Value& dot) {
    for (const Node& node : nodes) {
      if (!spend(node.at, Budget::kNode)) return Flow::kFailed;
      const Flow flow = this->node(node, dot);
      if (flow != Flow::kOn) return flow;
      if (fault_) return Flow::kFailed;
    }
    return Flow::kOn;
  }

  Flow node(const Node& node, const Value& dot) {
    using enum Node::Kind;
    const size_t mark = variables_.size();
    Flow flow = Flow::kOn;
    switch (node.kind) {
      case kText:
        write(node.at, node.text);
        return Flow::kOn;
      case kBreak:
        return Flow::kBreak;
      case kContinue:
        return Flow::kContinue;
      case kAction:
        action(node, dot);
        return Flow::kOn;
      case kTemplate:
        call(node, dot);
        return Flow::kOn;
      case kIf:
      case kWith: {
        const Value value = pipe(*node.pipe, dot);
        if (fault_) return Flow::kFailed;
        const bool yes = value.truth();
        const Value& inner = node.kind == kWith && yes ? value : dot;
        flow = body(yes ? node.body : node.otherwise, inner);
        break;
      }
      case kRange:
        flow = range(node, dot);
        break;
    }
    if (variables_.size() > mark) variables_.resize(mark);
    return flow;
  }

  void action(const Node& node, const Value& dot) {
    const Value value = pipe(*node.pipe, dot);
    if (fault_ || !node.pipe->variables.empty()) return;
    std::string text;
    if (value.is_nil()) {
      text = "<no value>";
    } else {
      Format(text, budget_).print(value);
    }
    if (spend(node.at, 0) && !budget_.spent()) return write(node.at, text);
    fail(node.at, "the template does too much: a loop, or a text that grows");
  }

  void call(const Node& node, const Value& dot) {
    const Value value = node.pipe ? pipe(*node.pipe, dot) : Value();
    if (fault_) return;
    if (calls_ == kMostCalls) {
      fail(node.at, fmt::format("more than {} templates call each other", kMostCalls));
      return;
    }
    calls_++;
    Variables variables = {{"$", value}};
    std::swap(variables, variables_);
    body(tree_.templates.find(node.text)->second, value);
    std::swap(variables, variables_);
    calls_--;
  }

  Flow range(const Node& node, const Value& dot) {
    const Value over = pipe(*node.pipe, dot);
    if (fault_) return Flow::kFailed;
    size_t rounds = 0;
    Flow flow = Flow::kOn;
    switch (over.kind()) {
      case Kind::kMissing:
      case Kind::kNil:
        break;
      case Kind::kInt:
        if (node.pipe->variables.size() > 1) {
          fail(node.at, "range over a number has one variable");
          return Flow::kFailed;
        }
        for (int64_t i = 0; i < over.number() && flow == Flow::kOn; i++, rounds++) {
          flow = round(node, Value(), Value::number(i));
        }
        break;
      case Kind::kList:
        for (size_t i = 0; i < over.list().size() && flow == Flow::kOn; i++, rounds++) {
          flow = round(node, Value::number(static_cast<int64_t>(i)), over.list()[i]);
        }
        break;
      case Kind::kMap:
        for (const auto& [key, value] : over.map()) {
          flow = round(node, Value::text(key), value);
          rounds++;
          if (flow != Flow::kOn) break;
        }
        break;
      default:
        fail(node.at,
             fmt::format("range is over a list, a map or a number, not over {}", over.type()));
        return Flow::kFailed;
    }
    if (fault_) return Flow::kFailed;
    return rounds == 0 ? body(node.otherwise, dot) : Flow::kOn;
  }

  // kOn: the next round follows.
  Flow round(const Node& node, const Value& index, const Value& element) {
    if (!spend(node.at, Budget::kNode)) return Flow::kFailed;
    const std::vector<std::string>& names = node.pipe->variables;
    const size_t mark = variables_.size();
    // They were declared, or assigned, by pipe().
    if (names.size() == 2) set(names[0], index);
    if (!names.empty()) set(names.back(), element);
    const Flow flow = body(node.body, element);
    variables_.resize(mark);
    return flow == Flow::kContinue ? Flow::kOn : flow;
  }

  void set(std::string_view name, const Value& value) {
    const auto last = std::ranges::find(variables_.rbegin(), variables_.rend(), name,
                                        &Variables::value_type::first);
    if (last != variables_.rend()) last->second = value;
  }

  Value pipe(const Pipe& pipe, const Value& dot) {
    std::optional<Value> value;
    for (const Command& command : pipe.commands) {
      if (!spend(command.at, Budget::kNode)) return {};
      value = this->command(command, dot, value);
      if (fault_) return {};
      if (value->is(Kind::kNil)) value = Value();
    }
    for (const std::string& name : pipe.variables) {
      if (pipe.assigns) {
        set(name, *value);
      } else {
        variables_.emplace_back(name, *value);
      }
    }
    return *value;
  }

  Value command(const Command& command, const Value& dot, const std::optional<Value>& piped) {
    const Operand& head = command.operands.front();
    if (head.kind == Operand::Kind::kFunction && head.steps.empty()) {
      return function(command, *head.function, std::nullopt, dot, piped);
    }
    Value value = base(head, dot);
    for (size_t i = 0; i < head.steps.size() && !fault_; i++) {
      const bool last = i + 1 == head.steps.size();
      value =
          step(head.steps[i], value, last ? &command : nullptr, dot, last ? piped : std::nullopt);
    }
    return value;
  }

  // Before its fields.
  Value base(const Operand& operand, const Value& dot) {
    using enum Operand::Kind;
    switch (operand.kind) {
      case kDot:
        return dot;
      case kNil:
        return Value::nil();
      case kLiteral:
        return operand.literal;
      case kParentheses:
        return pipe(*operand.pipe, dot);
      case kVariable: {
        const auto last = std::ranges::find(variables_.rbegin(), variables_.rend(), operand.name,
                                            &Variables::value_type::first);
        return last == variables_.rend() ? Value() : last->second;
      }
      case kFunction: {
        const Command alone;
        return function(alone, *operand.function, std::nullopt, dot, std::nullopt, operand.at);
      }
    }
    return {};
  }

  Value argument(const Operand& operand, const Value& dot) {
    if (!spend(operand.at, Budget::kNode)) return {};
    Value value = base(operand, dot);
    for (size_t i = 0; i < operand.steps.size() && !fault_; i++) {
      value = step(operand.steps[i], value, nullptr, dot, std::nullopt);
    }
    return value;
  }

  // The field, or what the method yields, which alone takes arguments: those of `command`.
  Value step(const Step& step, const Value& of, const Command* command, const Value& dot,
             const std::optional<Value>& piped) {
    const bool given = piped || (command != nullptr && command->operands.size() > 1);
    const auto asked = [&] { return shown("." + step.name); };
    if (of.is(Kind::kTime)) {
      const Signature* method = find_time_method(step.name);
      if (method == nullptr)
        return fail(step.at,
                    fmt::format("time method {} {}", asked(), why_no_time_method(step.name)));
      const Command alone;
      return function(command != nullptr ? *command : alone, *method, of, dot, piped, step.at);
    }
    Value value;
    switch (of.kind()) {
      case Kind::kMissing:
        return {};
      case Kind::kNil:
        return fail(step.at, fmt::format("field {} is asked of nil", asked()));
      case Kind::kMap:
        if (const auto found = of.map().find(step.name); found != of.map().end())
          value = found->second;
        break;
      case Kind::kRecord: {
        const Value* field = of.field(step.name);
        if (field == nullptr) return fail(step.at, fmt::format("field {} is not known", asked()));
        value = *field;
        break;
      }
      default:
        return fail(step.at,
                    fmt::format("field {} is asked of {}, which has none", asked(), of.type()));
    }
    if (given)
      return fail(step.at, fmt::format("{} is no function, but it is given an argument", asked()));
    return value;
  }

  // `receiver`: the first argument of a method.
  Value function(const Command& command, const Signature& function,
                 const std::optional<Value>& receiver, const Value& dot,
                 const std::optional<Value>& piped, std::optional<size_t> at = {}) {
    const size_t here = at.value_or(command.at);
    if (function.run == nullptr) return short_circuit(command, function, dot, piped);
    List args;
    if (receiver) args.push_back(*receiver);
    for (size_t i = 1; i < command.operands.size() && !fault_; i++) {
      const Operand& operand = command.operands[i];
      args.push_back(coerced(argument(operand, dot), operand, function, args.size()));
    }
    if (piped && !fault_) args.push_back(checked(*piped, here, function, args.size()));
    if (fault_) return {};
    if (!function.takes(args.size())) {
      const size_t given = args.size() - (receiver ? 1 : 0);
      return fail(here, fmt::format("{} does not take {} arguments", function.name, given));
    }
    size_t weight = 0;
    for (const Value& arg : args) weight += Budget::kElement + arg.weight();
    if (!spend(here, weight)) return {};
    Made made = function.run({.args = args, .budget = budget_, .now = now_});
    if (!made && !budget_.spent())
      return fail(here, fmt::format("{}: {}", function.name, made.error()));
    if (budget_.spent())
      return fail(here, "the template does too much: a loop, or a text that grows");
    if (made->depth() > kMostDepth) {
      return fail(here,
                  fmt::format("more than {} lists and maps are within each other", kMostDepth));
    }
    return *made;
  }

  Value short_circuit(const Command& command, const Signature& function, const Value& dot,
                      const std::optional<Value>& piped) {
    const bool stops_at = function.name == "or";
    Value value;
    for (size_t i = 1; i < command.operands.size() && !fault_; i++) {
      value = argument(command.operands[i], dot);
      if (fault_ || value.truth() == stops_at) return value;
    }
    return piped ? *piped : value;
  }

  Value coerced(Value value, const Operand& operand, const Signature& function, size_t index) {
    if (fault_) return {};
    if (operand.kind == Operand::Kind::kLiteral && operand.whole && function.type(index) == 'i' &&
        value.is(Kind::kFloat)) {
      return Value::number(static_cast<int64_t>(value.real()));
    }
    return checked(std::move(value), operand.at, function, index);
  }

  Value checked(Value value, size_t at, const Signature& function, size_t index) {
    const auto is = [&](Kind kind, const char* expected) -> Value {
      if (value.is(kind)) return std::move(value);
      return fail(at,
                  fmt::format("{} wants {} here, not {}", function.name, expected, value.type()));
    };
    switch (function.type(index)) {
      case 's':
        return is(Kind::kText, "a string");
      case 'i':
        return is(Kind::kInt, "an int");
      case 'b':
        return is(Kind::kBool, "a bool");
      case 't':
        return is(Kind::kTime, "a time");
      case 'm':
        return is(Kind::kMap, "a map");
      default:
        return value;
    }
  }

  const Tree& tree_;
  Time now_;
  Budget budget_;
  Variables variables_;
  std::string out_;
  size_t calls_ = 0;
  size_t bodies_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace

std::expected<std::string, Fault> evaluate(const Tree& tree, const Value& data, Time now) {
  return Evaluator(tree, data, now).run();
}

}  // namespace spotkeeper::tmpl
