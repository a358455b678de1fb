// SPDX-License-Identifier: Apache-2.0
#include "template/parser.h"

#include <gtest/gtest.h>

#include "template/limits.h"
#include "template/template.h"

namespace spotkeeper::tmpl {
namespace {

std::string refusal(const std::string& text) {
  const auto made = Template::parse(text, "webhook template");
  return made ? "" : made.error().message;
}

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; i++) out += text;
  return out;
}

TEST(Parser, RefusesByNameAndPosition) {
  EXPECT_EQ(refusal("a\nb\n  {{ .Kind }} {{ env \"HOME\" }}"),
            "webhook template:3:18: function \"env\" is not supported (the agent's environment "
            "stays out of "
            "messages; write the value into the template)");
  EXPECT_EQ(refusal("{{ nope 1 }}"),
            "webhook template:1:4: function \"nope\" is not known (docs/templates.md lists them)");
  EXPECT_EQ(refusal("{{ if $x }}{{ end }}"),
            "webhook template:1:7: variable \"$x\" is not declared");
  EXPECT_EQ(refusal("{{ upper }}"), "webhook template:1:4: upper takes 1 argument, not 0");
  EXPECT_EQ(refusal("{{ \"x\" | trunc \"y\" }}"),
            "webhook template:1:16: argument 1 of trunc is of the wrong type");
  EXPECT_EQ(refusal("{{ printf \"%p\" 1 }}"),
            "webhook template:1:11: printf's \"%p\" is not supported (use %v, %s, %q, %d, %x, %t, "
            "%f, %e or %g)");
  EXPECT_EQ(refusal("{{ template \"x\" }}"), "webhook template:1:4: template \"x\" is not defined");
  EXPECT_EQ(refusal("\n{{ range .Pods }}"), "webhook template:2:4: {{range}} has no {{end}}");
  EXPECT_EQ(refusal("{{ end }}"), "webhook template:1:4: {{end}} ends nothing");
  EXPECT_EQ(refusal("{{ break }}"), "webhook template:1:4: {{break}} is not within {{range}}");
  EXPECT_EQ(refusal("{{ }}"), "webhook template:1:4: a value is missing in an action");
  EXPECT_EQ(
      refusal("{{ print upper }}"),
      "webhook template:1:10: upper takes 1 argument, not 0: put parentheses around the call");
}

TEST(Parser, MakesATree) {
  const auto tree = parse_tree(
      "{{ if .A }}x{{ else if .B }}y{{ else }}z{{ end }}{{ define \"d\" }}{{ . }}{{ end }}", "t");
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->body.size(), 1U);
  const Node& first = tree->body.front();
  EXPECT_EQ(first.kind, Node::Kind::kIf);
  EXPECT_EQ(first.body.front().text, "x");
  ASSERT_EQ(first.otherwise.size(), 1U);
  EXPECT_EQ(first.otherwise.front().body.front().text, "y");
  EXPECT_EQ(first.otherwise.front().otherwise.front().text, "z");
  EXPECT_TRUE(tree->templates.contains("d"));
}

TEST(Parser, IsBounded) {
  EXPECT_EQ(refusal(std::string(kMostText, 'x')), "");
  EXPECT_NE(refusal(std::string(kMostText + 1, 'x')), "");
  const auto nested = [](size_t times) {
    return repeated("{{if 1}}", times) + repeated("{{end}}", times);
  };
  EXPECT_EQ(refusal(nested(kMostNesting)), "");
  EXPECT_NE(refusal(nested(kMostNesting + 1)), "");
  EXPECT_EQ(refusal("{{ " + repeated("(", 100) + "1" + repeated(")", 100) + " }}"), "");
  EXPECT_NE(refusal("{{ " + repeated("(", 9000) + "1" + repeated(")", 9000) + " }}"), "");
  EXPECT_NE(refusal("{{if 1}}" + repeated("{{else if 1}}", 4000) + "{{end}}"), "");
}

}  // namespace
}  // namespace spotkeeper::tmpl
