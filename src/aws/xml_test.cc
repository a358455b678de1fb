// SPDX-License-Identifier: Apache-2.0
#include "aws/xml.h"

#include <gmock/gmock.h>

namespace spotkeeper::aws {
namespace {

using ::testing::HasSubstr;

Xml good(std::string_view text) {
  const Result<Xml> xml = parse_xml(text);
  EXPECT_TRUE(xml.has_value()) << xml.error().message;
  return xml ? *xml : Xml();
}

std::string problem(std::string_view text) {
  const Result<Xml> xml = parse_xml(text);
  if (xml) return "";
  EXPECT_EQ(xml.error().kind, ErrorKind::kPermanent);
  return xml.error().message;
}

TEST(Xml, IsATreeOfElementsAndTheirText) {
  const Xml xml = good(
      "<?xml version=\"1.0\"?>\n<Answer xmlns=\"http://x/\">\n <Ids a=\"b\"><member>1</member>"
      "<other/><member> two &amp; &#x33; </member></Ids><!-- c --><n:Name>x<![CDATA[<y>]]></n:Name>"
      "</Answer>");
  EXPECT_EQ(xml.name, "Answer");
  ASSERT_EQ(xml["Ids"].members().size(), 2u);
  EXPECT_EQ(xml["Ids"].members()[0]->text, "1");
  EXPECT_EQ(xml["Ids"].members()[1]->text, "two & 3");
  EXPECT_EQ(xml["Name"].text, "x<y>");
}

TEST(Xml, WhatIsNotThereIsEmpty) {
  const Xml xml = good("<a/>");
  EXPECT_EQ(xml["b"]["c"].text, "");
  EXPECT_TRUE(xml["b"].members().empty());
}

TEST(Xml, WhatIsDroppedIsNotThereAndNotCounted) {
  std::string wide = "<a><n:b>x<b><c>1</c></b>y";
  for (size_t i = 0; i < Xml::kMost; ++i) wide += "<i/>";
  wide += "</n:b>z<item>2</item><b/><item/></a>";
  const Result<Xml> xml = parse_xml(wide, "b");
  ASSERT_TRUE(xml.has_value()) << xml.error().message;
  EXPECT_EQ(xml->text, "z");
  EXPECT_EQ(xml->children.size(), 2u);
  EXPECT_EQ(xml->members("item").front()->text, "2");
  EXPECT_FALSE(parse_xml("<b/>", "b").has_value());  // an answer of nothing
}

TEST(Xml, NoDocumentTypeAndSoNoEntities) {
  EXPECT_THAT(problem("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"), HasSubstr("document type"));
  EXPECT_THAT(problem("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
              HasSubstr("document type"));
  EXPECT_THAT(problem("<a>&x;</a>"), HasSubstr("undefined entity"));
}

TEST(Xml, HasLimits) {
  std::string deep;
  for (size_t i = 0; i <= Xml::kDeepest; ++i) deep += "<a>";
  EXPECT_THAT(problem(deep), HasSubstr("nested too deeply"));
  std::string wide = "<a>";
  for (size_t i = 0; i < Xml::kMost; ++i) wide += "<b/>";
  EXPECT_THAT(problem(wide + "</a>"), HasSubstr("too many elements"));
}

TEST(Xml, SaysWhatIsWrong) {
  EXPECT_THAT(problem(""), HasSubstr("no element found"));
  EXPECT_THAT(problem("<a>\n<b></a>"), HasSubstr("line 2"));
  EXPECT_THAT(problem("<html><br></html>"), HasSubstr("mismatched tag"));
  EXPECT_THAT(problem("{\"a\": 1}"), HasSubstr("not well-formed"));
}

}  // namespace
}  // namespace spotkeeper::aws
