// SPDX-License-Identifier: Apache-2.0
// Finds out at start what we may do on the cluster, and again when something was denied or is
// missing, so that every degraded mode is planned and said: one log line for each missing right,
// with what is lost and which rule to add.
#pragma once

#include <functional>
#include <set>

#include "async/task.h"
#include "async/timing.h"
#include "base/counters.h"
#include "kube/api.h"
#include "kube/rights.h"
#include "observe/log.h"

namespace spotkeeper::app {

class RightsCheck {
 public:
  // Those of effects::needs() that are held, and those that are not; after each look.
  struct Found {
    std::set<kube::Right> held;
    std::set<kube::Right> lacking;
  };

  RightsCheck(kube::Api& api, observe::Log& log, std::function<void(const Found&)> found);

  // Looks until cancelled: at once, 5 s after denied() at the latest, every 10 minutes while a
  // right is missing.
  Task<> run();

  // Something was refused for want of a right.
  void denied() { look_again_.set(); }

 private:
  Task<Result<Found>> look();
  void say(const Found& found);

  kube::Api& api_;
  observe::Log& log_;
  std::function<void(const Found&)> found_;
  Event look_again_;
  std::set<kube::Right> said_;  // missing, and told so
  bool first_ = true;
};

}  // namespace spotkeeper::app
