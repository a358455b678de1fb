// SPDX-License-Identifier: Apache-2.0
#include "template/value.h"

#include <gtest/gtest.h>

#include "template/limits.h"
#include "template/time_layout.h"
#include "template/utf8.h"

namespace spotkeeper::tmpl {
namespace {

TEST(Value, TruthIsGos) {
  EXPECT_FALSE(Value().truth());
  EXPECT_FALSE(Value::nil().truth());
  EXPECT_FALSE(Value::text("").truth());
  EXPECT_FALSE(Value::number(0).truth());
  EXPECT_FALSE(Value::real(0).truth());
  EXPECT_FALSE(Value::list({}).truth());
  EXPECT_FALSE(Value::map({}).truth());
  EXPECT_TRUE(Value::list({Value()}).truth());
  EXPECT_TRUE(Value::time(kZeroTime).truth());
  EXPECT_TRUE(Value::record({}).truth());
}

TEST(Value, KnowsItsDepth) {
  EXPECT_EQ(Value::number(1).depth(), 0U);
  EXPECT_EQ(Value::list({}).depth(), 1U);
  EXPECT_EQ(Value::map({{"a", Value::list({Value::list({})})}}).depth(), 3U);
}

TEST(Value, SameLooksAllTheWayDown) {
  const auto made = [](int64_t n) {
    return Value::list({Value::map({{"a", Value::number(n)}}), Value::nil()});
  };
  Budget budget;
  EXPECT_TRUE(same(made(1), made(1), budget));
  EXPECT_FALSE(same(made(1), made(2), budget));
  EXPECT_FALSE(same(Value::number(1), Value::real(1), budget));
  EXPECT_TRUE(same(Value(), Value::nil(), budget));
}

TEST(Value, TimesStayWithinTheYears) {
  EXPECT_EQ(format_layout(Value::time(kNever).time(), "2006"), "9999");
  EXPECT_EQ(format_layout(Value::time(-kNever.time_since_epoch() + Time()).time(), "2006-01-02"),
            "0001-01-01");
}

TEST(TimeLayout, WritesEachPart) {
  const Time time = Time(Millis(1600204504120));  // Tue 2020-09-15 21:15:04.12
  EXPECT_EQ(format_layout(time, "Mon Jan _2 15:04:05 MST 2006"), "Tue Sep 15 21:15:04 UTC 2020");
  EXPECT_EQ(format_layout(time, "2006-01-02T15:04:05.999Z07:00"), "2020-09-15T21:15:04.12Z");
  EXPECT_EQ(format_layout(time, "05.000 3pm 002"), "04.120 9pm 259");
  EXPECT_EQ(format_layout(Time(), "15:04:05.999"), "00:00:00") << "no fraction, no point";
}

TEST(Utf8, ABadByteIsARuneOfItsOwn) {
  EXPECT_EQ(count_runes("a\xff\xc3\xa9"), 3U);
  EXPECT_EQ(rune_at("\xed\xa0\x80", 0).width, 1U) << "a surrogate";
  EXPECT_EQ(rune_at("\xc0\x80", 0).width, 1U) << "too long";
  for (char32_t rune = 0; rune <= 0x10FFFF; rune += 7) {
    if (rune >= 0xD800 && rune <= 0xDFFF) continue;
    std::string text;
    append_rune(text, rune);
    EXPECT_EQ(rune_at(text, 0).value, rune);
    EXPECT_EQ(rune_at(text, 0).width, text.size());
  }
}

}  // namespace
}  // namespace spotkeeper::tmpl
