// SPDX-License-Identifier: Apache-2.0
// printf is held against Go's in cases_test.cc; here, what templates do not reach or say plainly.
#include "template/format.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spotkeeper::tmpl {
namespace {

std::string printf(std::string_view format, const List& args) {
  std::string out;
  Budget budget;
  Format(out, budget).printf(format, args);
  return out;
}

TEST(Format, FloatsAsGoWritesThem) {
  EXPECT_EQ(float_text(1.0, 'g', -1), "1");
  EXPECT_EQ(float_text(123456, 'g', -1), "123456");
  EXPECT_EQ(float_text(1e21, 'g', -1), "1e+21");
  EXPECT_EQ(float_text(0.0001, 'g', -1), "0.0001");
  EXPECT_EQ(float_text(0.00001, 'g', -1), "1e-05");
  EXPECT_EQ(float_text(-0.0, 'g', -1), "-0");
  EXPECT_EQ(float_text(1e22, 'f', -1), "10000000000000000000000");
  EXPECT_EQ(float_text(1e-300, 'f', 2), "0.00");
  EXPECT_EQ(float_text(HUGE_VAL, 'g', -1), "+Inf");
  EXPECT_EQ(float_text(NAN, 'f', 3), "NaN");
}

// Found by libFuzzer: the digits of the exponent were read beyond their end.
TEST(Format, FloatsAreWrittenTheSameAgain) {
  for (int i = 0; i < 100; i++)
    EXPECT_EQ(float_text(3.25 + i, 'g', -1).size(), i + 3.25 < 10 ? 4U : 5U + (i + 3.25 >= 100));
}

TEST(Format, InfinityIsNotPaddedWithZeros) {
  EXPECT_EQ(printf("%06.1f|%v", {Value::real(HUGE_VAL), Value::real(-HUGE_VAL)}), "  +Inf|-Inf");
}

TEST(Format, ComplainsWithinTheText) {
  EXPECT_EQ(printf("%d", {Value::text("x")}), "%!d(string=x)");
  EXPECT_EQ(printf("%d", {}), "%!d(MISSING)");
  EXPECT_EQ(printf("x", {Value::number(1)}), "x%!(EXTRA int=1)");
  EXPECT_EQ(printf("%s", {Value()}), "%!s(<nil>)");
}

TEST(Format, StopsWhenTheBudgetIsSpent) {
  std::string out;
  Budget budget(1000);
  const Value width = Value::number(9000);
  const List args = {width, Value::number(1)};
  Format(out, budget).printf("%*d", args);
  EXPECT_TRUE(budget.spent());
  EXPECT_LE(out.size(), 1000U);
}

TEST(Format, JsonIsValidForAnyText) {
  Budget budget;
  EXPECT_EQ(json_text(Value::text("a\xff\"\n<\x01"), true, false, budget),
            R"("a\ufffd\"\n\u003c\u0001")");
  EXPECT_EQ(json_text(Value::list({}), true, true, budget), "[]");
  EXPECT_EQ(json_text(Value::real(HUGE_VAL), true, false, budget), "");
}

}  // namespace
}  // namespace spotkeeper::tmpl
