// SPDX-License-Identifier: Apache-2.0
// The disruption controller: how many pods of each PodDisruptionBudget may be asked to go now.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class Budgets {
 public:
  explicit Budgets(Context& context);
  void on(const Event& event);

 private:
  struct Counts {
    int expected = 0;
    int desired = 0;
    std::string error;  // why it cannot be known
  };
  void sync(const Key& key);
  Counts count(const Budget& budget, const PodIndex::Set& pods) const;
  // Replicas of the controllers of the pods; nothing when one of them has no scale.
  bool expected_scale(const PodIndex::Set& pods, Counts& counts) const;
  std::map<std::string, Time> still_disrupted(const Budget& budget, const PodIndex::Set& pods);
  void fail(const Ptr<Budget>& budget, const std::string& error);

  Context& context_;
  WriteLimit limit_;
  WorkQueue queue_;
};

}  // namespace spotkeeper::world
