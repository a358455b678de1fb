// SPDX-License-Identifier: Apache-2.0
#include "template/lexer.h"

#include <gtest/gtest.h>

namespace spotkeeper::tmpl {
namespace {

using enum Lexeme;

std::vector<Lexeme> kinds(std::string_view text) {
  const auto tokens = lex(text);
  std::vector<Lexeme> kinds;
  for (const Token& token : tokens.value_or(std::vector<Token>())) kinds.push_back(token.kind);
  return kinds;
}

TEST(Lexer, KnowsEveryToken) {
  EXPECT_EQ(kinds("a{{.X|f $y}}b"), (std::vector{kText, kLeft, kField, kPipe, kName, kSpace,
                                                 kVariable, kRight, kText, kEnd}));
  EXPECT_EQ(kinds("{{$x:=(1)}}"),
            (std::vector{kLeft, kVariable, kDeclare, kOpen, kNumber, kClose, kRight, kEnd}));
  EXPECT_EQ(kinds("{{$x=.}}"), (std::vector{kLeft, kVariable, kAssign, kDot, kRight, kEnd}));
  EXPECT_EQ(
      kinds("{{\"a\"}}{{`b`}}{{'c'}}"),
      (std::vector{kLeft, kString, kRight, kLeft, kRawString, kRight, kLeft, kChar, kRight, kEnd}));
  EXPECT_EQ(kinds("{{/* }} */}}"), std::vector{kEnd});
}

TEST(Lexer, TrimsOnlyWhatIsMarked) {
  const std::string text = "a \n{{- 1 -}} \t b {{2}} c";
  const auto tokens = lex(text);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->front().text, "a");
  std::vector<std::string_view> texts;
  for (const Token& token : *tokens) {
    if (token.kind == kText) texts.push_back(token.text);
  }
  EXPECT_EQ(texts, (std::vector<std::string_view>{"a", "b ", " c"}));
}

TEST(Lexer, SaysWhereItIsWrong) {
  const auto message = [](const std::string& text) {
    const auto tokens = lex(text);
    return tokens ? "" : fault_error("t", text, tokens.error()).message;
  };
  EXPECT_EQ(message("ab\n  {{ \"x"), "t:2:6: the string has no closing quote");
  EXPECT_EQ(message("{{ (1 }}"), "t:1:1: a parenthesis is not closed before }}");
  EXPECT_EQ(message("{{ 1) }}"), "t:1:5: a parenthesis is closed that was not opened");
  EXPECT_EQ(message("{{ 1"), "t:1:1: the action has no end: write }}");
  EXPECT_EQ(message("x{{/* y"), "t:1:2: the comment has no end: write */}}");
  EXPECT_EQ(message("{{ a & b }}"), "t:1:6: unexpected \"&\" in an action");
  EXPECT_EQ(message("{{ a& }}"), "t:1:5: unexpected \"&\" after \"a\"");
}

TEST(Lexer, ShowsPiecesInOneLine) {
  EXPECT_EQ(shown("a\nb\x1b"), "\"a\\nb\\u001b\"");
  EXPECT_LT(shown(std::string(1000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace spotkeeper::tmpl
