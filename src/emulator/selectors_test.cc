// SPDX-License-Identifier: Apache-2.0
#include "emulator/selectors.h"

#include <gtest/gtest.h>

#include <map>

namespace spotkeeper::emulator {
namespace {

using Map = std::map<std::string, std::string>;

Lookup in(const Map& map) {
  return [&map](const std::string& key) -> std::optional<std::string> {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional(found->second);
  };
}

bool matches(const std::string& selector, const Map& labels) {
  const auto parsed = parse_label_selector(selector);
  EXPECT_TRUE(parsed.has_value()) << selector;
  return parsed && parsed->match(in(labels));
}

TEST(LabelSelector, Matches) {
  const Map labels{{"app", "web"}, {"tier", "front"}, {"example.com/size", "12"}, {"empty", ""}};
  for (const char* yes :
       {"", "app=web", "app==web", " app = web ", "app!=db", "nope!=x", "app", "!nope",
        "app in (db, web)", "app notin (db)", "nope notin (db)", "app=web,tier in (front,back)",
        "example.com/size>11", "example.com/size<13", "empty=", "empty in ()"}) {
    EXPECT_TRUE(matches(yes, labels)) << yes;
  }
  for (const char* no :
       {"app=db", "app!=web", "nope", "!app", "app in (db,cache)", "app notin (web)",
        "app=web,tier=back", "example.com/size>12", "app>3", "nope=", "app in ()"}) {
    EXPECT_FALSE(matches(no, labels)) << no;
  }
}

TEST(LabelSelector, SaysWhatItCannotRead) {
  for (const char* bad : {"app=web=x", "a b", "app in web", "(x)", "app>x", "!", "app in (a"}) {
    const auto parsed = parse_label_selector(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_TRUE(parsed.error().message.starts_with("unable to parse requirement: found '")) << bad;
  }
}

TEST(FieldSelector, KnowsEqualAndNot) {
  const Map fields{{"metadata.name", "web-1"}, {"spec.nodeName", ""}, {"status.phase", "Running"}};
  const auto check = [&](const std::string& text) {
    const auto parsed = parse_field_selector(text);
    return parsed && parsed->match(in(fields));
  };
  EXPECT_TRUE(check("metadata.name=web-1"));
  EXPECT_TRUE(check("metadata.name==web-1,status.phase!=Failed"));
  EXPECT_TRUE(check("spec.nodeName="));
  EXPECT_FALSE(check("spec.nodeName!="));
  EXPECT_FALSE(check("status.phase=Pending"));
  EXPECT_FALSE(parse_field_selector("status.phase in (x)").has_value());
}

}  // namespace
}  // namespace spotkeeper::emulator
