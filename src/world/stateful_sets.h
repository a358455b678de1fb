// SPDX-License-Identifier: Apache-2.0
// The StatefulSet controller: NAME-0, NAME-1 … A pod is made anew only when the old one of that
// name is really gone.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class StatefulSets {
 public:
  explicit StatefulSets(Context& context);
  void on(const Event& event);

 private:
  void sync(const Key& key);
  // False when an ordered set has to wait for that pod.
  bool settle(const StatefulSet& set, int ordinal);
  void scale_down(const StatefulSet& set, const PodIndex::Set& pods);

  Context& context_;
  WorkQueue queue_;
};

}  // namespace spotkeeper::world
