// SPDX-License-Identifier: Apache-2.0
#include "world/timeline.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::world {

void Timeline::at(Time time, std::function<void()> what) {
  size_t slot = callbacks_.size();
  if (free_.empty()) {
    callbacks_.push_back(std::move(what));
  } else {
    slot = free_.back();
    free_.pop_back();
    callbacks_[slot] = std::move(what);
  }
  heap_.push_back({std::max(time, now_), (next_order_++ << kSlotBits) | slot});
  std::ranges::push_heap(heap_, Later());
}

void Timeline::advance_to(Time time) {
  while (!heap_.empty() && heap_.front().at <= time) {
    std::ranges::pop_heap(heap_, Later());
    const Due due = heap_.back();
    heap_.pop_back();
    now_ = due.at;
    // Out of its slot, which what it does may take.
    const std::function<void()> what = std::exchange(callbacks_[due.slot()], nullptr);
    free_.push_back(due.slot());
    what();
  }
  now_ = std::max(now_, time);
}

}  // namespace spotkeeper::world
