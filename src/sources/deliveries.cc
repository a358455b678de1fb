// SPDX-License-Identifier: Apache-2.0
#include "sources/deliveries.h"

#include <algorithm>
#include <set>

#include "base/backoff.h"

namespace spotkeeper::sources {
namespace {

// A node may be about to join, and another consumer may know the instance: it is not kept from
// them for long. It has two minutes perhaps, and where several read the queue it may come to the
// wrong one several times. Who asks often finds out no more.
Seconds pause_of(int receives, Seconds longest) {
  constexpr int kAlike = 3;
  constexpr int kMostDoublings = 5;
  return std::min(Seconds(1 << std::clamp((receives - 1) / kAlike, 0, kMostDoublings)), longest);
}

// An extension is first asked for when half of the visibility is over.
constexpr Millis kFirstRetry{500};
constexpr int kLongestRetry = 8;  // that part of the visibility

}  // namespace

bool Deliveries::received(const std::string& id, const std::string& receipt, int receives,
                          Time now) {
  const auto [at, is_new] = messages_.try_emplace(id);
  at->second.receipt = receipt;
  at->second.receives = receives;
  at->second.extend = now + Millis(visibility_) / 2;
  at->second.asked = false;
  at->second.failures = 0;
  return is_new;
}

void Deliveries::holds(const std::string& id, int parts) {
  const auto message = messages_.find(id);
  if (message != messages_.end()) message->second.open = parts;
}

void Deliveries::settle(const std::string& id, Fate fate) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return;
  Message& message = found->second;
  message.fate = std::max(message.fate, fate);
  if (--message.open > 0) return;
  if (message.fate == Fate::kDone) {
    done_.push_back(std::move(message.receipt));
  } else if (message.fate == Fate::kLeft) {
    left_.emplace_back(std::move(message.receipt), pause_of(message.receives, visibility_));
  }
  messages_.erase(found);
}

std::vector<std::string> Deliveries::take_done() {
  return std::exchange(done_, {});
}

std::vector<std::pair<std::string, Seconds>> Deliveries::take_left() {
  return std::exchange(left_, {});
}

std::vector<std::string> Deliveries::take_due(Time now) {
  std::vector<std::string> receipts;
  for (auto& [id, message] : messages_) {
    if (message.extend > now) continue;
    message.extend = now + Millis(visibility_) / 2;
    if (std::exchange(message.asked, true)) message.failures = 0;
    receipts.push_back(message.receipt);
  }
  return receipts;
}

void Deliveries::not_extended(const std::vector<std::string>& receipts, Time now) {
  const std::set<std::string> refused(receipts.begin(), receipts.end());
  for (auto& [id, message] : messages_) {
    if (!message.asked || !refused.contains(message.receipt)) continue;
    message.asked = false;
    const Backoff backoff{.attempt = ++message.failures,
                          .base = kFirstRetry,
                          .cap = Millis(visibility_) / kLongestRetry,
                          .jitter = 1};
    message.extend = now + backoff_delay(backoff);
  }
}

std::vector<std::string> Deliveries::give_up() {
  std::vector<std::string> receipts;
  receipts.reserve(messages_.size());
  for (auto& [id, message] : messages_) receipts.push_back(std::move(message.receipt));
  messages_.clear();
  return receipts;
}

Time Deliveries::due() const {
  Time due = kNever;
  for (const auto& [id, message] : messages_) due = std::min(due, message.extend);
  return due;
}

}  // namespace spotkeeper::sources
