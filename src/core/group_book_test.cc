// SPDX-License-Identifier: Apache-2.0
#include "core/group_book.h"

#include <gtest/gtest.h>

namespace spotkeeper::core {
namespace {

constexpr Time kNoon = Time(Seconds(1'800'000'000));

TEST(GroupBook, KnowsWhatItWasToldLast) {
  GroupBook book;
  EXPECT_EQ(book.find(GroupId("shop/web")), nullptr);
  book.seen({.id = GroupId("shop/web"), .wanted = 3});
  book.seen({.id = GroupId("shop/web"), .wanted = 5});
  ASSERT_NE(book.find(GroupId("shop/web")), nullptr);
  EXPECT_EQ(book.find(GroupId("shop/web"))->wanted, 5);
}

TEST(GroupBook, ABarHoldsForItsNamespaceAndItsTime) {
  GroupBook book;
  book.bar("shop", kNoon + Seconds(600), "refused");
  EXPECT_EQ(book.barred("shop", kNoon + Millis(599'999)), "refused");
  EXPECT_EQ(book.barred("shop", kNoon + Seconds(600)), "");
  EXPECT_EQ(book.barred("bank", kNoon), "");
}

}  // namespace
}  // namespace spotkeeper::core
