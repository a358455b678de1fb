// SPDX-License-Identifier: Apache-2.0
// Pods by node, by owner and by the selectors of budgets, Services and ReplicaSets: so that a
// change costs as much as what it touches, not as the cluster. Kept up to date by the Store before
// anybody hears of a change.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "world/objects.h"

namespace spotkeeper::world {

struct UidHash {
  size_t operator()(Uid uid) const { return static_cast<size_t>(uid.value); }
};

class PodIndex {
 public:
  struct Entry;
  // Ordered by Uid, which is the order of creation.
  using Set = std::vector<const Entry*>;

  // One selector in force, and the pods of its namespace that match it.
  struct Line {
    Kind kind{};
    Key key;
    Selector selector;
    Set pods;
  };
  struct Entry {
    Ptr<Pod> pod;
    std::vector<Line*> lines;
  };
  struct Place {
    Set pods;
    int running = 0;  // not finished: what takes room
  };

  const Set& on(const std::string& node) const;
  int running_on(const std::string& node) const;
  const Set& of(Uid owner) const;
  const Set& matching(Kind kind, const Key& key) const;
  // Selectors that match the pod as it is (or was last).
  const std::vector<Line*>& lines_of(Uid pod) const;

  // From the Store.
  void pod_changed(const Ptr<Pod>& before, const Ptr<Pod>& after);
  void pod_erased(const Ptr<Pod>& pod);
  void selector_set(Kind kind, const Key& key, const Selector& selector);
  void selector_erased(Kind kind, const Key& key);

 private:
  using LineId = std::pair<Kind, Key>;
  void enter_lines(Entry& entry);
  void leave_lines(Entry& entry);
  // Where a line is filed: under one of its label pairs, or its namespace when it has none.
  static std::string file_of(const std::string& ns, const Selector& selector);

  std::unordered_map<Uid, Entry, UidHash> entries_;
  std::unordered_map<std::string, Place> nodes_;
  std::unordered_map<Uid, Set, UidHash> owners_;
  std::map<LineId, Line> lines_;
  std::unordered_map<std::string, std::vector<Line*>> files_;
};

}  // namespace spotkeeper::world
