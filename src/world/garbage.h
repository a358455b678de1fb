// SPDX-License-Identifier: Apache-2.0
// What cleans up: the garbage collector (dependents of what is gone), the pod collector (pods of
// nodes that are gone), the namespace controller (all that is in one that ends).
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class Garbage {
 public:
  explicit Garbage(Context& context);
  void on(const Event& event);

 private:
  void collect_dependents(Kind kind, Uid owner);
  void collect_pods_of_node(const std::string& node);
  void empty_namespace(const Key& key);
  void end_namespace(const Key& key);

  Context& context_;
  WorkQueue ending_;  // namespaces to look at
};

}  // namespace spotkeeper::world
