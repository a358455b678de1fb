// SPDX-License-Identifier: Apache-2.0
#include "world/timeline.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace spotkeeper::world {

Timeline::Timeline(Time start) : now_(start) {}

void Timeline::at(Time time, std::function<void()> what) {
  auto call = static_cast<uint32_t>(calls_.size());
  if (free_.empty()) {
    calls_.push_back({.what = std::move(what)});
  } else {
    call = free_.back();
    free_.pop_back();
    calls_[call].what = std::move(what);
  }
  time = std::max(time, now_);
  if (on_wheel(time)) {
    put(time, call);
  } else {
    later_.push_back({.at = time, .order = next_order_++, .call = call});
    std::ranges::push_heap(later_, After());
  }
}

void Timeline::put(Time time, uint32_t call) {
  const size_t at = slot_of(time);
  Slot& slot = slots_[at];
  calls_[call].next = kNone;
  if (slot.first == kNone) {
    slot.first = call;
    taken_[at / kWord] |= 1ULL << at % kWord;
  } else {
    calls_[slot.last].next = call;
  }
  slot.last = call;
}

// What the wheel reaches now goes onto it, before anybody can ask for the same moment.
void Timeline::move_to(Time time) {
  now_ = time;
  while (!later_.empty() && on_wheel(later_.front().at)) {
    std::ranges::pop_heap(later_, After());
    put(later_.back().at, later_.back().call);
    later_.pop_back();
  }
}

// The first moment at which something is due; kNever when nothing is.
Time Timeline::next() const {
  const size_t here = slot_of(now_);
  const auto found = [&](size_t word, uint64_t bits) {
    const size_t slot = word * kWord + static_cast<size_t>(std::countr_zero(bits));
    return now_ + Millis((slot + kSlots - here) % kSlots);
  };
  const uint64_t after_here = ~0ULL << here % kWord;
  const size_t first = here / kWord;
  if (const uint64_t bits = taken_[first] & after_here) return found(first, bits);
  for (size_t i = 1; i < taken_.size(); ++i) {
    const size_t word = (first + i) % taken_.size();
    if (taken_[word] != 0) return found(word, taken_[word]);
  }
  if (const uint64_t bits = taken_[first] & ~after_here) return found(first, bits);
  return later_.empty() ? kNever : later_.front().at;
}

Time Timeline::wake() const {
  return next();
}

void Timeline::advance_to(Time time) {
  for (Time due = next(); due <= time && due < kNever; due = next()) {
    if (due > now_) move_to(due);
    const size_t at = slot_of(due);
    Slot& slot = slots_[at];
    while (slot.first != kNone) {
      const uint32_t call = slot.first;
      slot.first = calls_[call].next;
      // Out of its place, which what it does may take.
      const std::function<void()> what = std::exchange(calls_[call].what, nullptr);
      free_.push_back(call);
      what();
    }
    taken_[at / kWord] &= ~(1ULL << at % kWord);
  }
  if (time > now_) move_to(time);
}

}  // namespace spotkeeper::world
