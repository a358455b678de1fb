// SPDX-License-Identifier: Apache-2.0
#include "world/timeline.h"

#include <algorithm>

namespace spotkeeper::world {

void Timeline::at(Time time, std::function<void()> what) {
  heap_.push_back({std::max(time, now_), next_order_++, std::move(what)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void Timeline::advance_to(Time time) {
  while (!heap_.empty() && heap_.front().at <= time) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Due due = std::move(heap_.back());
    heap_.pop_back();
    now_ = due.at;
    due.what();
  }
  now_ = std::max(now_, time);
}

}  // namespace spotkeeper::world
