// SPDX-License-Identifier: Apache-2.0
#include "template/check.h"

#include <gtest/gtest.h>

namespace spotkeeper::tmpl {
namespace {

std::string refusal(const std::string& text) {
  const Schema schema = {{"Kind", FieldType::kText},
                         {"Pods", FieldType::kTexts},
                         {"NodeLabels", FieldType::kTextMap},
                         {"StartTime", FieldType::kTime}};
  const auto made = Template::parse(text, "t", schema);
  return made ? "" : made.error().message;
}

TEST(Check, KnowsTheFields) {
  EXPECT_EQ(refusal("{{ .Kind }}{{ .StartTime.UTC.Format \"06\" }}{{ .NodeLabels.any }}"), "");
  EXPECT_EQ(refusal("{{ .Kind }}\n{{ .Nmae }}"),
            "t:2:4: field \".Nmae\" is not known (there are .Kind .NodeLabels .Pods .StartTime)");
  EXPECT_EQ(refusal("{{ .Kind.x }}"), "t:1:9: field \".x\" is asked of what has no fields");
  EXPECT_EQ(refusal("{{ .StartTime.Month }}"),
            "t:1:14: time method \".Month\" is not supported (use .Format \"January\", \"01\" or "
            "\"Monday\")");
}

TEST(Check, FollowsTheDot) {
  EXPECT_NE(refusal("{{ range .Pods }}{{ .Kind }}{{ end }}"), "") << "the dot is a text";
  EXPECT_EQ(refusal("{{ range .Pods }}{{ $.Kind }}{{ end }}"), "");
  EXPECT_NE(refusal("{{ range .Pods }}{{ $.Nmae }}{{ end }}"), "");
  EXPECT_NE(refusal("{{ with .StartTime }}{{ .Kind }}{{ end }}"), "");
  EXPECT_EQ(refusal("{{ with .StartTime }}{{ .Unix }}{{ else }}{{ .Kind }}{{ end }}"), "");
  EXPECT_NE(refusal("{{ if .Kind }}{{ else }}{{ .Nmae }}{{ end }}"), "");
  EXPECT_NE(refusal("{{ print (upper .Nmae) }}"), "");
  EXPECT_NE(refusal("{{ $x := .Nmae }}"), "");
}

TEST(Check, FollowsTemplates) {
  const std::string define = "{{ define \"x\" }}{{ .Nmae }}{{ template \"x\" . }}{{ end }}";
  EXPECT_NE(refusal(define + "{{ template \"x\" . }}"), "");
  EXPECT_NE(refusal(define + "{{ template \"x\" $ }}"), "");
  EXPECT_EQ(refusal(define + "{{ template \"x\" (dict \"Nmae\" 1) }}"), "") << "not the record";
  EXPECT_EQ(refusal(define), "") << "never called";
}

}  // namespace
}  // namespace spotkeeper::tmpl
