// SPDX-License-Identifier: Apache-2.0
// The DaemonSet controller: one pod on each node whose taints it tolerates; being unschedulable
// does not matter to it. A pod that is gone comes back in seconds. Looks at one set on one node at
// a time.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class DaemonSets {
 public:
  explicit DaemonSets(Context& context);
  void on(const Event& event);

 private:
  void sync(const Key& set_on_node);
  void report(const Key& key);

  Context& context_;
  WorkQueue queue_;    // key: {ns/name, node}
  WorkQueue reports_;  // key: the set's
};

}  // namespace spotkeeper::world
