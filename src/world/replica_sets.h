// SPDX-License-Identifier: Apache-2.0
// The ReplicaSet controller: adopts and releases pods by label, makes as many as are wanted.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class ReplicaSets {
 public:
  explicit ReplicaSets(Context& context);
  void on(const Event& event);

 private:
  void sync(const Key& key);
  bool claim(const ReplicaSet& set);
  // `replicas`: how many of its own still run and stay.
  void scale(const ReplicaSet& set, int replicas);

  Context& context_;
  WriteLimit limit_;
  WorkQueue queue_;
  std::unordered_map<Uid, int, UidHash> failures_;  // of syncs, in a row
};

}  // namespace spotkeeper::world
