// SPDX-License-Identifier: Apache-2.0
// The virtual clock and what is due on it: a heap of small numbers that name the callbacks, which
// stay where they are. What is due at the same moment happens in the order in which it was asked
// for.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"

namespace spotkeeper::world {

class Timeline {
 public:
  explicit Timeline(Time start) : now_(start) {}

  Time now() const { return now_; }
  Time wake() const { return heap_.empty() ? kNever : heap_.front().at; }

  // At the earliest now. There is no taking back: `what` looks whether it still applies.
  void at(Time time, std::function<void()> what);
  void after(Millis delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // Everything due until then; what is added meanwhile too.
  void advance_to(Time time);

 private:
  // Two words, because the heap is moved through all the time: the order, which is unique, stands
  // above the slot.
  static constexpr unsigned kSlotBits = 24;
  struct Due {
    Time at{};
    uint64_t order_and_slot = 0;
    size_t slot() const { return order_and_slot & ((1U << kSlotBits) - 1); }  // of callbacks_
  };
  struct Later {
    bool operator()(const Due& a, const Due& b) const {
      return a.at != b.at ? a.at > b.at : a.order_and_slot > b.order_and_slot;
    }
  };

  Time now_;
  uint64_t next_order_ = 0;
  std::vector<Due> heap_;
  std::vector<std::function<void()>> callbacks_;
  std::vector<size_t> free_;  // slots of callbacks_
};

}  // namespace spotkeeper::world
