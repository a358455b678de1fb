// SPDX-License-Identifier: Apache-2.0
// Pods by node, by owner and by the selectors of budgets, Services and ReplicaSets: so that a
// change costs as much as what it touches, not as the cluster. Kept up to date by the Store before
// anybody hears of a change.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "world/objects.h"

namespace spotkeeper::world {

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
    Uid uid;
    Ptr<Pod> pod;
    bool ready = false;   // what Pod::ready() and
    bool active = false;  // Pod::active() say of it
    bool owned = false;   // by a controller
    std::vector<Line*> lines;
    bool matches(const Line* line) const { return std::ranges::find(lines, line) != lines.end(); }
  };
  struct Place {
    Set pods;
    int running = 0;  // not finished: what takes room
  };

  // nullptr when there is none.
  Ptr<Pod> find(Uid pod) const;
  const Set& on(const std::string& node) const;
  // Whether there is such a node or not; stays where it is.
  const Place& place(const std::string& node) const;
  const Set& of(Uid owner) const;
  const Set& matching(Kind kind, const KeyView& key) const;
  // nullptr when nothing of that name selects pods.
  const Line* line(Kind kind, const KeyView& key) const;
  // Selectors that match the pod as it is (or was last).
  const std::vector<Line*>& lines_of(Uid pod) const;

  // From the Store.
  void pod_changed(const Ptr<Pod>& before, const Ptr<Pod>& after);
  void pod_erased(const Ptr<Pod>& pod);
  void selector_set(Kind kind, const KeyView& key, const Selector& selector);
  void selector_erased(Kind kind, const KeyView& key);

 private:
  using Lines = std::unordered_map<KeyView, std::unique_ptr<Line>, KeyHash>;  // by their own keys
  void enter_lines(Entry& entry);
  void leave_lines(Entry& entry);
  Lines& lines(Kind kind) { return lines_[static_cast<size_t>(kind)]; }
  void enter_file(Entry& entry, uint64_t file);
  static uint64_t file_of(const Line& line);

  std::unordered_map<Uid, Entry, UidHash> entries_;
  mutable std::unordered_map<std::string, Place> nodes_;
  std::unordered_map<Uid, Set, UidHash> owners_;
  std::array<Lines, kKinds> lines_;
  // Where a pod's lines are looked for: by the hash of one of the label pairs they ask for, or of
  // nothing. What else has that hash is looked at in vain.
  std::unordered_map<uint64_t, std::vector<Line*>> files_;
};

}  // namespace spotkeeper::world
