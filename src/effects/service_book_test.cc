// SPDX-License-Identifier: Apache-2.0
#include "effects/service_book.h"

#include <gtest/gtest.h>

namespace spotkeeper::effects {
namespace {

kube::EndpointSlice slice(const std::string& uid, int ready, std::vector<std::string> nodes) {
  kube::EndpointSlice slice;
  slice.uid = uid;
  slice.ns = "shop";
  slice.name = "web-" + uid;
  slice.service = "web";
  slice.ready = ready;
  slice.nodes = std::move(nodes);
  return slice;
}

// A book, and the shelf that shows it the slices.
class Book {
 public:
  ServiceBook::Observations slice_changed(const kube::EndpointSlice& slice) {
    shelf_->put(slice);
    return book_.changed(id_of(slice));
  }
  ServiceBook::Observations slice_gone(const kube::EndpointSlice& slice) {
    shelf_->erase(slice);
    return book_.changed(id_of(slice));
  }
  ServiceBook::Observations everything() const { return book_.everything(); }

 private:
  std::shared_ptr<ServiceShelf> shelf_ = std::make_shared<ServiceShelf>();
  ServiceBook book_{"n1", shelf_};
};

core::Service only(const ServiceBook::Observations& observations) {
  if (observations.size() != 1) throw std::out_of_range(std::to_string(observations.size()));
  return std::get<core::ServiceSeen>(observations[0]).service;
}

TEST(ServiceBook, AServiceElsewhereIsNotTold) {
  Book book;
  EXPECT_TRUE(book.slice_changed(slice("a", 2, {"n2", "n3"})).empty());
  EXPECT_TRUE(book.slice_gone(slice("a", 0, {})).empty());
  EXPECT_TRUE(book.everything().empty());
}

TEST(ServiceBook, SlicesOfOneServiceAreAddedUp) {
  Book book;
  EXPECT_TRUE(book.slice_changed(slice("a", 2, {"n2"})).empty());
  const core::Service both = only(book.slice_changed(slice("b", 1, {"n1"})));
  EXPECT_EQ(both.id.value, "shop/web");
  EXPECT_EQ(both.ready, 3);
  EXPECT_TRUE(both.here);
  EXPECT_EQ(only(book.slice_gone(slice("a", 0, {}))).ready, 1);
}

TEST(ServiceBook, AServiceThatWasHereIsToldOnEvenWithoutEndpoints) {
  Book book;
  book.slice_changed(slice("a", 1, {"n1"}));
  const core::Service dark = only(book.slice_changed(slice("a", 0, {})));
  EXPECT_EQ(dark.ready, 0);
  EXPECT_FALSE(dark.here);
  EXPECT_TRUE(book.slice_changed(slice("a", 0, {})).empty()) << "nothing new";
  EXPECT_TRUE(book.slice_gone(slice("a", 0, {})).empty());
  EXPECT_EQ(book.everything().size(), 1U);
}

TEST(ServiceBook, ASliceOfNobodyIsIgnored) {
  Book book;
  kube::EndpointSlice orphan = slice("a", 1, {"n1"});
  orphan.service.clear();
  EXPECT_TRUE(book.slice_changed(orphan).empty());
}

}  // namespace
}  // namespace spotkeeper::effects
