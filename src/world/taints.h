// SPDX-License-Identifier: Apache-2.0
// The taint eviction controller: pods that do not tolerate a NoExecute taint of their node are
// deleted, budgets or not.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class Taints {
 public:
  explicit Taints(Context& context) : context_(context) {}
  void on(const Event& event);

 private:
  void look_at(const Pod& pod, const Node& node);
  void evict(const Key& key, Uid uid);

  Context& context_;
};

}  // namespace spotkeeper::world
