// SPDX-License-Identifier: Apache-2.0
#include "template/literal.h"

#include <gtest/gtest.h>

namespace spotkeeper::tmpl {
namespace {

TEST(Literal, Numbers) {
  const auto whole = [](const char* text) {
    return number_literal(text).value_or(Number{}).as_int;
  };
  EXPECT_EQ(whole("12"), 12);
  EXPECT_EQ(whole("-0x1F"), -31);
  EXPECT_EQ(whole("0b101"), 5);
  EXPECT_EQ(whole("017"), 15);
  EXPECT_EQ(whole("1_000"), 1000);
  EXPECT_EQ(whole("-9223372036854775808"), INT64_MIN);
  EXPECT_TRUE(number_literal("3.0")->whole);
  EXPECT_EQ(number_literal("3.0")->value.real(), 3.0);
  EXPECT_FALSE(number_literal("3.5")->whole);
  EXPECT_EQ(number_literal("0x1p-2")->value.real(), 0.25);
  for (const char* bad : {"", "-", "08", "0x", "1_", "_1", "1__0", "1a", "9223372036854775808",
                          "1e400", "inf", "nan", "0x1.8", "1.2.3", "--1", "+ 1"}) {
    EXPECT_FALSE(number_literal(bad)) << bad;
  }
}

TEST(Literal, CharactersAndStrings) {
  EXPECT_EQ(char_literal("'a'"), 'a');
  EXPECT_EQ(char_literal(R"('\'')"), '\'');
  EXPECT_EQ(char_literal("'世'"), 0x4E16);
  EXPECT_FALSE(char_literal("''"));
  EXPECT_FALSE(char_literal("'ab'"));
  EXPECT_EQ(string_literal(R"("a\t\"\u00e9\x41\101")"), "a\t\"\u00e9AA");
  EXPECT_EQ(string_literal("`a\\n\r\n`"), "a\\n\n");
  for (const char* bad : {R"("\q")", R"("\x4")", R"("\400")", R"("\ud800")", R"("\'")"}) {
    EXPECT_FALSE(string_literal(bad)) << bad;
  }
}

}  // namespace
}  // namespace spotkeeper::tmpl
