// SPDX-License-Identifier: Apache-2.0
// What cases_test.cc does not show: errors while rendering, the limits, and `now`.
#include "template/evaluate.h"

#include <gtest/gtest.h>

#include "template/limits.h"
#include "template/template.h"

namespace spotkeeper::tmpl {
namespace {

std::string rendered(const std::string& text) {
  const auto made = Template::parse(text, "t");
  if (!made) return made.error().message;
  const Value data = Value::record({{"Kind", Value::text("SPOT_ITN")}, {"n", Value::number(3)}});
  const auto out = made->render(data, Time(Seconds(86400)));
  return out ? *out : out.error().message;
}

TEST(Evaluate, SaysWhereItIsWrong) {
  EXPECT_EQ(rendered("{{ .Kind }}\n {{ .Nmae }}"), "t:2:5: field \".Nmae\" is not known");
  EXPECT_EQ(rendered("{{ upper .n }}"), "t:1:10: upper wants a string here, not int");
  EXPECT_EQ(rendered("{{ .Kind | index 3 }}"), "t:1:12: index: int is not indexed");
  EXPECT_EQ(rendered("{{ range .Kind }}{{ end }}"),
            "t:1:4: range is over a list, a map or a number, not over string");
  EXPECT_EQ(rendered("{{ fail \"no\" }}"), "t:1:4: fail: \"no\"");
}

// Found by libFuzzer: the message went out as it was.
TEST(Evaluate, AnErrorIsOneLineOfText) {
  EXPECT_EQ(rendered("{{ fail \"a\\nb\xff\" }}"), "t:1:4: fail: \"a\\nb\uFFFD\"");
}

TEST(Evaluate, NowIsTheCallers) {
  EXPECT_EQ(rendered("{{ now.Unix }} {{ date \"2006\" now }}"), "86400 1970");
}

TEST(Evaluate, RendersAgain) {
  const auto made = Template::parse("{{ $x := .n }}{{ $x = add $x 1 }}{{ $x }}", "t");
  ASSERT_TRUE(made);
  for (const int64_t n : {1, 5}) {
    const Value data = Value::record({{"n", Value::number(n)}});
    EXPECT_EQ(made->render(data, Time()).value_or("error"), std::to_string(n + 1));
  }
}

TEST(Evaluate, IsBounded) {
  const std::string too_much = "the template does too much: a loop, or a text that grows";
  EXPECT_TRUE(rendered("{{ range 9223372036854775807 }}{{ end }}").ends_with(too_much));
  EXPECT_TRUE(rendered("{{ repeat 9223372036854775807 \"x\" }}").ends_with(too_much));
  EXPECT_TRUE(rendered("{{ $x := \"xx\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}")
                  .ends_with(too_much));
  EXPECT_TRUE(rendered("{{ $x := list 1 }}{{ range 40 }}{{ $x = list $x $x }}{{ end }}{{ $x }}")
                  .ends_with(too_much));
  EXPECT_TRUE(
      rendered(
          "{{ $x := list 1 }}{{ range 40 }}{{ $x = list $x $x }}{{ end }}{{ has $x (list $x) }}")
          .ends_with(too_much));
  EXPECT_TRUE(rendered("{{ until 9223372036854775807 }}").ends_with(too_much));
  EXPECT_TRUE(rendered("{{ range 300000 }}x{{ end }}").ends_with(too_much));
  EXPECT_EQ(rendered("{{ repeat 262145 \"x\" }}"), "t:1:4: more than 262144 bytes come out");
  EXPECT_EQ(rendered("{{ repeat 262144 \"x\" }}").size(), kMostOutput);
  EXPECT_EQ(rendered("{{ $x := list }}{{ range 60 }}{{ $x = list $x }}{{ end }}"),
            "t:1:39: more than 50 lists and maps are within each other");
  EXPECT_EQ(rendered("{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}"),
            "t:1:20: more than 50 templates call each other");
}

}  // namespace
}  // namespace spotkeeper::tmpl
