// SPDX-License-Identifier: Apache-2.0
// A std::map as far as it goes here: ordered, each entry stays where it is. Walking through it is
// several times as fast, putting in and taking out costs a move of pointers: for what is looked
// through at every turn and seldom changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace spotkeeper::core {

template <class Key, class Value>
class NodeMap {
 public:
  using Entry = std::pair<const Key, Value>;
  using Node = std::unique_ptr<Entry>;

  template <class E>
  class Walk {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Entry;
    using difference_type = ptrdiff_t;
    using pointer = E*;
    using reference = E&;

    Walk() = default;
    explicit Walk(const Node* at) : at_(at) {}
    E& operator*() const { return **at_; }
    E* operator->() const { return at_->get(); }
    Walk& operator++() {
      ++at_;
      return *this;
    }
    Walk operator++(int) { return Walk(at_++); }
    bool operator==(const Walk&) const = default;

   private:
    const Node* at_ = nullptr;
  };
  using iterator = Walk<Entry>;
  using const_iterator = Walk<const Entry>;

  NodeMap() = default;
  NodeMap(const NodeMap& other) {
    nodes_.reserve(other.size());
    for (const Entry& entry : other) nodes_.push_back(std::make_unique<Entry>(entry));
  }
  NodeMap(NodeMap&&) = default;
  NodeMap& operator=(NodeMap other) {
    nodes_.swap(other.nodes_);
    return *this;
  }

  iterator begin() { return iterator(nodes_.data()); }
  iterator end() { return iterator(nodes_.data() + nodes_.size()); }
  const_iterator begin() const { return const_iterator(nodes_.data()); }
  const_iterator end() const { return const_iterator(nodes_.data() + nodes_.size()); }
  size_t size() const { return nodes_.size(); }

  iterator find(const Key& key) { return iterator(place_of(key)); }
  const_iterator find(const Key& key) const { return const_iterator(place_of(key)); }

  // New, when there is none.
  Value& operator[](const Key& key) {
    const iterator found = find(key);
    if (found != end()) return found->second;
    return insert(std::make_unique<Entry>(key, Value()))->second;
  }

  // Its key must not be there.
  iterator insert(Node node) {
    const auto at = nodes_.insert(nodes_.begin() + first_not_before(node->first), std::move(node));
    return iterator(&*at);
  }
  // It must be there.
  Node extract(const Key& key) {
    const auto at = nodes_.begin() + first_not_before(key);
    Node node = std::move(*at);
    nodes_.erase(at);
    return node;
  }

 private:
  ptrdiff_t first_not_before(const Key& key) const {
    const auto key_of = [](const Node& node) -> const Key& { return node->first; };
    return std::ranges::lower_bound(nodes_, key, {}, key_of) - nodes_.begin();
  }
  const Node* place_of(const Key& key) const {
    const auto at = static_cast<size_t>(first_not_before(key));
    const bool there = at < nodes_.size() && nodes_[at]->first == key;
    return nodes_.data() + (there ? at : nodes_.size());
  }

  std::vector<Node> nodes_;  // ordered by key
};

}  // namespace spotkeeper::core
