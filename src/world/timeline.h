// SPDX-License-Identifier: Apache-2.0
// The virtual clock and what is due on it: a wheel with a slot for each of the next milliseconds,
// and a heap of what is due after them. What is due at the same moment happens in the order in
// which it was asked for.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"

namespace spotkeeper::world {

class Timeline {
 public:
  explicit Timeline(Time start);

  Time now() const { return now_; }
  Time wake() const;

  // At the earliest now. There is no taking back: `what` looks whether it still applies.
  void at(Time time, std::function<void()> what);
  void after(Millis delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // Everything due until then; what is added meanwhile too.
  void advance_to(Time time);

 private:
  static constexpr size_t kSlots = 2048;  // milliseconds that the wheel holds
  static constexpr size_t kWord = 64;
  static constexpr uint32_t kNone = UINT32_MAX;
  // Waits in its slot, behind those that were there before.
  struct Call {
    std::function<void()> what;
    uint32_t next = kNone;
  };
  struct Slot {
    uint32_t first = kNone;  // of calls_
    uint32_t last = kNone;
  };
  struct Later {
    Time at{};
    uint64_t order = 0;
    uint32_t call = kNone;
  };
  struct After {
    bool operator()(const Later& a, const Later& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  static size_t slot_of(Time time) {
    return static_cast<size_t>(time.time_since_epoch().count()) % kSlots;
  }
  bool on_wheel(Time time) const { return time - now_ < Millis(kSlots); }
  void put(Time time, uint32_t call);
  void move_to(Time time);
  Time next() const;

  Time now_;
  uint64_t next_order_ = 0;
  std::array<Slot, kSlots> slots_{};              // of now_ and the milliseconds after it
  std::array<uint64_t, kSlots / kWord> taken_{};  // a bit for each slot
  std::vector<Later> later_;                      // a heap of what the wheel does not reach
  std::vector<Call> calls_;
  std::vector<uint32_t> free_;  // of calls_
};

}  // namespace spotkeeper::world
