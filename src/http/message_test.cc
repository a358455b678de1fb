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

TEST(Message, HowLongToWait) {
  EXPECT_EQ(retry_after({}), std::nullopt);
  EXPECT_EQ(retry_after({{"retry-after", "3"}}), Seconds(3));
  EXPECT_EQ(retry_after({{"Retry-After", "7200"}}), std::chrono::hours(1));
  EXPECT_EQ(retry_after({{"Retry-After", "99999999999999999999"}}), std::chrono::hours(1));
  for (const char* no : {"", "-3", "3 s", "soon", "Sun, 22 Nov 2026 16:00:07 GMT"}) {
    EXPECT_EQ(retry_after({{"Retry-After", no}}), std::nullopt) << no;
  }
  const Header date{"Date", "Sun, 22 Nov 2026 16:00:00 GMT"};
  EXPECT_EQ(retry_after({{"Retry-After", "Sun, 22 Nov 2026 16:00:07 GMT"}, date}), Seconds(7));
  EXPECT_EQ(retry_after({{"Retry-After", "Sun, 22 Nov 2026 15:59:00 GMT"}, date}), Millis(0));
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
