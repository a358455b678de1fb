// SPDX-License-Identifier: Apache-2.0
// What functions yield is held against Go and sprig in cases_test.cc; here, their table.
#include "template/functions.h"

#include <gtest/gtest.h>

#include <set>

namespace spotkeeper::tmpl {
namespace {

std::vector<Signature> all_functions() {
  std::vector<Signature> all;
  for (const auto table : {builtin_functions(), text_functions(), list_functions(),
                           number_functions(), time_functions()}) {
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

TEST(Functions, AreThereOnce) {
  std::set<std::string_view> names;
  for (const Signature& function : all_functions()) {
    EXPECT_TRUE(names.insert(function.name).second) << function.name;
    EXPECT_EQ(find_function(function.name)->name, function.name);
    EXPECT_EQ(why_no_function(function.name), "is not known (docs/templates.md lists them)")
        << function.name << " is both there and refused";
  }
}

TEST(Functions, CountTheirArguments) {
  const Signature& upper = *find_function("upper");
  EXPECT_TRUE(upper.takes(1));
  EXPECT_FALSE(upper.takes(0));
  EXPECT_FALSE(upper.takes(2));
  EXPECT_TRUE(find_function("list")->takes(0));
  EXPECT_FALSE(find_function("eq")->takes(1));
  EXPECT_TRUE(find_function("eq")->takes(9));
  EXPECT_EQ(find_function("eq")->wants(), "2 arguments or more");
  EXPECT_EQ(find_function("printf")->type(0), 's');
  EXPECT_EQ(find_function("printf")->type(7), 'a');
  EXPECT_EQ(find_function("getHostByName"), nullptr);
}

TEST(Functions, RefuseFormatsThatCannotBeWritten) {
  EXPECT_EQ(wrong_format("%5.2f %-10s %% %v %+v %[1]d %*d"), "");
  EXPECT_NE(wrong_format("a %T"), "");
  EXPECT_NE(wrong_format("%+#v"), "");
  EXPECT_NE(wrong_format("%10001d"), "");
  EXPECT_EQ(wrong_format("%"), "");
}

TEST(Functions, NumbersAsSprigReadsThem) {
  EXPECT_EQ(as_int(Value::text("0x10")), 16);
  EXPECT_EQ(as_int(Value::text("ten")), 0);
  EXPECT_EQ(as_int(Value::real(-3.9)), -3);
  EXPECT_EQ(as_int(Value::boolean(true)), 1);
  EXPECT_EQ(as_int(Value()), 0);
  EXPECT_EQ(as_float(Value::text("2.5")), 2.5);
}

}  // namespace
}  // namespace spotkeeper::tmpl
