// SPDX-License-Identifier: Apache-2.0
// The clock of a host in the emulated world: the world's own time, so never wrong. What the agent
// lives by in the demo. The clock it reads must outlive it.
#pragma once

#include "base/clock.h"

namespace spotkeeper::demo {

class WorldClock final : public HostClock {
 public:
  explicit WorldClock(const Clock& world) : world_(world) {}
  Time now() const override { return world_.now(); }
  Millis anchor() override { return Millis(0); }
  void correct(Millis) override {}
  Millis host_behind() const override { return Millis(0); }

 private:
  const Clock& world_;
};

}  // namespace spotkeeper::demo
