// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace spotkeeper {
namespace {

TEST(Json, ReadsWhatIsThereAndHasADefaultForTheRest) {
  const boost::json::value root = boost::json::parse(
      R"({"a": {"text": "t", "yes": true, "number": 7, "half": 0.5, "none": null, "list": [1]}})");
  EXPECT_EQ(find(root, {}), &root);
  EXPECT_NE(find(root, {"a", "text"}), nullptr);
  EXPECT_EQ(find(root, {"a", "none"}), nullptr) << "null is none";
  EXPECT_EQ(find(root, {"a", "none", "x"}), nullptr);
  EXPECT_EQ(find(root, {"a", "text", "x"}), nullptr);
  EXPECT_EQ(find(root, {"b"}), nullptr);
  EXPECT_NE(find_object(root, {"a"}), nullptr);
  EXPECT_EQ(find_object(root, {"a", "list"}), nullptr);
  EXPECT_NE(find_array(root, {"a", "list"}), nullptr);
  EXPECT_EQ(find_array(root, {"a"}), nullptr);
  EXPECT_EQ(text_at(root, {"a", "text"}), "t");
  EXPECT_EQ(text_at(root, {"a", "number"}), "");
  EXPECT_TRUE(flag_at(root, {"a", "yes"}));
  EXPECT_FALSE(flag_at(root, {"a", "number"}));
  EXPECT_EQ(number_at(root, {"a", "number"}), 7);
  EXPECT_EQ(number_at(root, {"a", "half"}, 3), 3) << "no whole number";
  EXPECT_EQ(number_at(root, {"a", "text"}, 3), 3);
  EXPECT_FALSE(maybe_number_at(root, {"a", "none"}));
  EXPECT_EQ(maybe_number_at(root, {"a", "number"}), 7);
}

}  // namespace
}  // namespace spotkeeper
