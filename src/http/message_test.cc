// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <gtest/gtest.h>

namespace spotkeeper::http {
namespace {

TEST(Message, FindsAHeaderWhateverItsCase) {
  const Headers headers{{"Content-Type", "text/plain"}, {"X-Two", "first"}, {"x-two", "second"}};
  ASSERT_NE(find_header(headers, "content-type"), nullptr);
  EXPECT_EQ(*find_header(headers, "CONTENT-TYPE"), "text/plain");
  EXPECT_EQ(*find_header(headers, "X-TWO"), "first");
  EXPECT_EQ(find_header(headers, "Content-Typ"), nullptr);
  EXPECT_EQ(find_header(headers, ""), nullptr);
  EXPECT_EQ(find_header({}, "Date"), nullptr);
}

TEST(Message, NamesEveryMethod) {
  EXPECT_STREQ(to_string(Method::kGet), "GET");
  EXPECT_STREQ(to_string(Method::kPut), "PUT");
  EXPECT_STREQ(to_string(Method::kPost), "POST");
  EXPECT_STREQ(to_string(Method::kPatch), "PATCH");
  EXPECT_STREQ(to_string(Method::kDelete), "DELETE");
}

}  // namespace
}  // namespace spotkeeper::http
