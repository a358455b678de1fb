// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace spotkeeper {
namespace {

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abcd", 3), "abc");
  EXPECT_EQ(cut("ab€", 5), "ab€");
  EXPECT_EQ(cut("ab€", 4), "ab");
  EXPECT_EQ(cut("ab€", 3), "ab");
  EXPECT_EQ(cut("€", 2), "");
  EXPECT_EQ(cut("\x80\x80\x80", 2), "");  // which is no UTF-8
}

TEST(Text, BecomesOneLine) {
  EXPECT_EQ(one_line("a\nb\tc\x7f"), "a b c ");
  EXPECT_EQ(one_line("grün"), "grün");
  EXPECT_EQ(one_line(std::string(512, 'x')), std::string(512, 'x'));
  EXPECT_EQ(one_line(std::string(513, 'x')), std::string(512, 'x') + "…");
  EXPECT_EQ(one_line(std::string(511, 'x') + "€"), std::string(511, 'x') + "…");
}

}  // namespace
}  // namespace spotkeeper
