// SPDX-License-Identifier: Apache-2.0
// All objects of one kind, at their newest: listed in the order of their keys, found by hash.
#pragma once

#include <map>
#include <unordered_map>

#include "world/meta.h"

namespace spotkeeper::world {

template <class T>
class Table {
 public:
  using Ordered = std::map<Key, Ptr<T>>;
  using Iterator = Ordered::const_iterator;

  Iterator begin() const { return ordered_.begin(); }
  Iterator end() const { return ordered_.end(); }
  size_t size() const { return ordered_.size(); }
  // The first of a namespace, or of one after it.
  Iterator first_in(const std::string& ns) const { return ordered_.lower_bound({ns, {}}); }

  bool contains(const KeyView& key) const { return places_.contains(key); }
  // nullptr when there is none.
  Ptr<T> find(const KeyView& key) const {
    const auto place = places_.find(key);
    return place == places_.end() ? nullptr : place->second->second;
  }

  void put(Ptr<T> object) {
    const auto place = places_.find(object->meta.view());
    if (place != places_.end()) {
      place->second->second = std::move(object);
      return;
    }
    Key key = object->meta.key();
    const auto at = ordered_.emplace(std::move(key), std::move(object)).first;
    places_.emplace(at->first, at);
  }
  void erase(const KeyView& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return;
    const auto at = place->second;
    places_.erase(place);
    ordered_.erase(at);
  }

 private:
  Ordered ordered_;
  std::unordered_map<KeyView, typename Ordered::iterator, KeyHash> places_;  // keys of ordered_
};

}  // namespace spotkeeper::world
