// SPDX-License-Identifier: Apache-2.0
// The rebalance recommendation of the own host: earlier than the interruption notice, and softer,
// for the interruption may never come. Each recommendation is told once. Its deadline is our own,
// counted from the time that it names: when no interruption has followed by then, it is taken for
// over; and one that is older than that is not told.
// Source: AWS EC2 User Guide, "EC2 instance rebalance recommendations".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sources/poller.h"

namespace spotkeeper::sources {

class RebalanceDocument final : public Page {
 public:
  using Hook = std::function<void(core::Notice)>;

  // The clock must outlive it. `trust`: so long a recommendation is believed; 0: for good.
  RebalanceDocument(const Clock& clock, Seconds trust, Hook notice);

 private:
  Outcome read(const std::optional<std::string>& body) override;

  const Clock& clock_;
  Seconds trust_;
  Hook notice_;
  std::string told_;  // noticeTime of the last one
};

struct Recommendation {
  std::string text;  // its `noticeTime`, as it is there
  Time time{};
};

// The document at events/recommendations/rebalance; nullopt when it names no time.
std::optional<Recommendation> parse_rebalance(const std::string& body);

}  // namespace spotkeeper::sources
