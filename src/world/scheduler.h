// SPDX-License-Identifier: Apache-2.0
// The scheduler: binds a pod to the emptiest of the nodes that it looks at and may use. One that
// fits nowhere waits until a node changes or a pod goes.
#pragma once

#include <set>

#include "world/context.h"

namespace spotkeeper::world {

class Scheduler {
 public:
  explicit Scheduler(Context& context);
  void on(const Event& event);

 private:
  struct Candidate {
    Ptr<Node> node;
    const PodIndex::Place* place;
  };
  void sync(const Key& key);
  const Node* choose(const Pod& pod);
  bool fits(const Pod& pod, const Candidate& candidate) const;
  bool spread_allows(const Pod& pod, const Node& node) const;
  void wait(const Ptr<Pod>& pod);
  void wake_waiting();

  Context& context_;
  WorkQueue queue_;
  std::vector<Candidate> nodes_;  // in the order of their arrival
  size_t next_ = 0;               // where the search begins, so that all nodes get their share
  std::set<Key> waiting_;         // woken in this order
};

}  // namespace spotkeeper::world
