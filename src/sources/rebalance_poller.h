// SPDX-License-Identifier: Apache-2.0
// Polls instance metadata of its own host for the rebalance recommendation: earlier than the
// interruption notice, and softer, for the interruption may never come. Each recommendation is told
// once. Its deadline is our own, counted from the time that it names: when no interruption has
// followed by then, it is taken for over; and one that is older than that is not told.
// Failures are counted and backed off; the poller of the notice itself says them.
// Source: AWS EC2 User Guide, "EC2 instance rebalance recommendations".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "async/task.h"
#include "aws/imds.h"
#include "base/counters.h"
#include "core/notice.h"

namespace spotkeeper::sources {

class RebalancePoller {
 public:
  struct Options {
    Millis period{5'000};
    Seconds trust{3600};  // so long a recommendation is believed
    core::InstanceId instance;
  };

  // The client, the clock and the counters must outlive run().
  RebalancePoller(aws::ImdsClient& imds, const Clock& clock, Counters& counters, Options options,
                  std::function<void(core::Notice)> notice);

  // Polls until cancelled.
  Task<> run();

 private:
  aws::ImdsClient& imds_;
  const Clock& clock_;
  Counters& counters_;
  Options options_;
  std::function<void(core::Notice)> notice_;
  std::string told_;  // noticeTime of the last one
};

struct Recommendation {
  std::string text;  // its `noticeTime`, as it is there
  Time time{};
};

// The document at events/recommendations/rebalance; nullopt when it names no time.
std::optional<Recommendation> parse_rebalance(const std::string& body);

}  // namespace spotkeeper::sources
