// SPDX-License-Identifier: Apache-2.0
#include "template/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "template/limits.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool is_space(char c) {
  return kSpaces.contains(c);
}
bool is_word(char32_t rune) {
  return rune == '_' || is_letter_or_digit(rune);
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::expected<std::vector<Token>, Fault> run() {
    while (at_ < text_.size() && !fault_) outside();
    if (fault_) return std::unexpected(*fault_);
    emit(Lexeme::kEnd, text_.size(), text_.size());
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void emit(Lexeme kind, size_t from, size_t to) {
    tokens_.push_back({.kind = kind, .at = from, .text = text_.substr(from, to - from)});
  }
  void fail(size_t at, std::string message) {
    if (!fault_) fault_ = Fault{.at = at, .message = std::move(message)};
  }

  bool right_trims() const { return is_space(peek()) && rest().substr(1).starts_with("-}}"); }
  bool at_right() const { return rest().starts_with("}}") || right_trims(); }
  void take_right() {
    const bool trims = right_trims();
    at_ += trims ? 4 : 2;
    if (!trims) return;
    while (at_ < text_.size() && is_space(text_[at_])) at_++;
  }

  // Text up to the next {{, and the action that begins there.
  void outside() {
    const size_t from = at_;
    const size_t left = std::min(text_.find("{{", at_), text_.size());
    at_ = left + 2;
    const bool trims = peek() == '-' && is_space(peek(1));
    size_t to = left;
    while (left < text_.size() && trims && to > from && is_space(text_[to - 1])) to--;
    if (to > from) emit(Lexeme::kText, from, to);
    if (left == text_.size()) {
      at_ = left;
      return;
    }
    if (trims) at_ += 2;
    if (rest().starts_with("/*")) return comment(left);
    emit(Lexeme::kLeft, left, at_);
    action(left);
  }

  void comment(size_t left) {
    const size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return fail(left, "the comment has no end: write */}}");
    at_ = end + 2;
    if (!at_right()) return fail(at_, "a comment ends with */}} or */ -}}");
    take_right();
  }

  void action(size_t left) {
    int open = 0;
    while (!fault_) {
      if (at_right()) {
        if (open > 0) return fail(left, "a parenthesis is not closed before }}");
        const size_t from = at_;
        take_right();
        return emit(Lexeme::kRight, from, from + 2);
      }
      if (at_ >= text_.size()) return fail(left, "the action has no end: write }}");
      const size_t from = at_;
      const char c = peek();
      if (is_space(c)) {
        while (is_space(peek()) && !right_trims()) at_++;
        emit(Lexeme::kSpace, from, at_);
      } else if (c == '(' || c == ')') {
        open += c == '(' ? 1 : -1;
        if (open < 0) return fail(at_, "a parenthesis is closed that was not opened");
        single(c == '(' ? Lexeme::kOpen : Lexeme::kClose);
      } else {
        word(c);
      }
    }
  }

  void single(Lexeme kind) {
    emit(kind, at_, at_ + 1);
    at_++;
  }

  void word(char c) {
    const size_t from = at_;
    if (c == '|') return single(Lexeme::kPipe);
    if (c == ',') return single(Lexeme::kComma);
    if (c == '=') return single(Lexeme::kAssign);
    if (c == ':') {
      if (peek(1) != '=') return fail(at_, "expected :=");
      at_ += 2;
      return emit(Lexeme::kDeclare, from, at_);
    }
    if (c == '"') return quoted('"', Lexeme::kString);
    if (c == '\'') return quoted('\'', Lexeme::kChar);
    if (c == '`') return raw();
    const bool digit_next = peek(1) >= '0' && peek(1) <= '9';
    if ((c >= '0' && c <= '9') || c == '+' || c == '-' || (c == '.' && digit_next)) return number();
    if (c == '$') return name(Lexeme::kVariable, 0);
    if (c == '.') return name(Lexeme::kField, 1);
    const Rune rune = rune_at(text_, at_);
    if (is_word(rune.value)) return name(Lexeme::kName, 0);
    fail(at_, fmt::format("unexpected {} in an action", shown(text_.substr(at_, rune.width))));
  }

  void quoted(char quote, Lexeme kind) {
    const size_t from = at_++;
    while (peek() != quote || at_ >= text_.size()) {
      if (peek() == '\\') at_++;
      if (at_ >= text_.size() || peek() == '\n') {
        return fail(from, kind == Lexeme::kChar ? "the character has no closing quote"
                                                : "the string has no closing quote");
      }
      at_++;
    }
    emit(kind, from, ++at_);
  }

  void raw() {
    const size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return fail(at_, "the raw string has no closing quote");
    emit(Lexeme::kRawString, at_, end + 1);
    at_ = end + 1;
  }

  // Whatever looks like one; what it is worth is the parser's business.
  void number() {
    const size_t from = at_;
    if (peek() == '+' || peek() == '-') at_++;
    const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    char last = '\0';
    while (at_ < text_.size()) {
      const char c = peek();
      const bool exponent = hex ? (last == 'p' || last == 'P') : (last == 'e' || last == 'E');
      const bool part =
          c == '.' || c == '_' || (c < 0x7F && c > 0 && is_word(static_cast<char32_t>(c)));
      if (!part && !(exponent && (c == '+' || c == '-'))) break;
      last = c;
      at_++;
    }
    emit(Lexeme::kNumber, from, at_);
  }

  // A name, after a sigil of so many bytes that is no part of it. A field without a name is the
  // dot.
  void name(Lexeme kind, size_t sigil) {
    const size_t from = at_;
    at_ += kind == Lexeme::kVariable ? 1 : sigil;
    while (at_ < text_.size()) {
      const Rune rune = rune_at(text_, at_);
      if (!is_word(rune.value)) break;
      at_ += rune.width;
    }
    const std::string_view ends = ".,|:()";
    if (at_ < text_.size() && !is_space(peek()) && !ends.contains(peek()) &&
        !rest().starts_with("}}") && peek() != '=') {
      const Rune rune = rune_at(text_, at_);
      return fail(at_, fmt::format("unexpected {} after {}", shown(text_.substr(at_, rune.width)),
                                   shown(text_.substr(from, at_ - from))));
    }
    if (kind == Lexeme::kField && at_ == from + 1) return emit(Lexeme::kDot, from, at_);
    emit(kind, from, at_);
    tokens_.back().text.remove_prefix(sigil);
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  std::optional<Fault> fault_;
};

}  // namespace

std::expected<std::vector<Token>, Fault> lex(std::string_view text) {
  return Lexer(text).run();
}

std::string shown(std::string_view piece) {
  constexpr size_t kMostShown = 60;
  std::string out = "\"";
  size_t at = 0;
  while (at < piece.size() && out.size() < kMostShown) {
    const Rune rune = rune_at(piece, at);
    at += rune.width;
    if (rune.value == '\n') {
      out += "\\n";
    } else if (is_print(rune.value)) {
      append_rune(out, rune.value);
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(rune.value));
    }
  }
  return out + (at < piece.size() ? "…\"" : "\"");
}

Error fault_error(const std::string& name, std::string_view text, const Fault& fault) {
  const std::string_view before = text.substr(0, fault.at);
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t start = before.rfind('\n');
  const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return Error{.kind = ErrorKind::kPermanent,
               .message = fmt::format("{}:{}:{}: {}", name, line, column, fault.message)};
}

}  // namespace spotkeeper::tmpl
