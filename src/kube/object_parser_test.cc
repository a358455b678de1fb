// SPDX-License-Identifier: Apache-2.0
#include "kube/object_parser.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "kube/list_parser.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

std::string read(ObjectParser& parser, const std::string& text) {
  const auto value = parser.parse(text);
  return value ? json::serialize(*value) : "not JSON";
}

std::string read(const std::string& text) {
  ObjectParser parser;
  return read(parser, text);
}

TEST(ObjectParser, ReadsEveryKindOfValue) {
  const std::string all =
      R"({"a":[1,-2,18446744073709551615,5E-1,true,false,null,"x\"y"],"b":{"c":{},"d":[]}})";
  EXPECT_EQ(read(all), all);
  EXPECT_EQ(read("5"), "5");
}

TEST(ObjectParser, LeavesOutManagedFields) {
  EXPECT_EQ(
      read(R"({"metadata":{"name":"a","managedFields":[{"f":{"k":[1]}},[2],"x"],"uid":"u"}})"),
      R"({"metadata":{"name":"a","managedFields":[],"uid":"u"}})");
  EXPECT_EQ(read(R"([{"managedFields":[1]},{"managedFields":[],"managed":[2]}])"),
            R"([{"managedFields":[]},{"managedFields":[],"managed":[2]}])");
}

TEST(ObjectParser, LeavesNothingElseOut) {
  for (const char* text : {
           R"({"labels":{"managedFields":"mine"},"next":[1]})",
           R"({"managedFields":{"a":[1]},"next":[1]})",
           R"([{"managedFields":null},[1]])",
           R"({"managedFieldsToo":[1],"managed":{"Fields":[1]}})",
       }) {
    EXPECT_EQ(read(text), text);
  }
}

TEST(ObjectParser, WhatIsNoJsonSpoilsNothing) {
  ObjectParser parser;
  for (const char* text :
       {"", "{", R"({"managedFields":[{"a":)", R"({"a":1}})", "<html>", "{} {}"}) {
    EXPECT_EQ(read(parser, text), "not JSON") << text;
    EXPECT_EQ(read(parser, R"({"a":[1]})"), R"({"a":[1]})");
  }
}

// A key may come in two parts.
TEST(ListParser, LeavesOutManagedFieldsHoweverTheyCome) {
  const std::string text =
      R"({"metadata":{"resourceVersion":"1"},"items":[{"managedFields":[{"a":[1]}],"b":[2]}]})";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    std::string object;
    ListParser parser(1000, {.object = [&](const json::value& it) { object = json::serialize(it); },
                             .left_out = {}});
    ASSERT_TRUE(parser.add(text.substr(0, cut)));
    ASSERT_TRUE(parser.add(text.substr(cut)));
    ASSERT_TRUE(parser.finish());
    EXPECT_EQ(object, R"({"managedFields":[],"b":[2]})") << "cut at " << cut;
  }
}

}  // namespace
}  // namespace spotkeeper::kube
