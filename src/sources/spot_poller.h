// SPDX-License-Identifier: Apache-2.0
// Polls instance metadata of its own host for the Spot interruption notice. 404 is quiet. Every
// failure is weather: counted, reported, backed off (never longer than 5 s), never the end.
// Source: AWS EC2 User Guide, "Spot Instance interruption notices".
#pragma once

#include <functional>

#include "async/task.h"
#include "aws/imds.h"
#include "base/counters.h"
#include "sources/clock_check.h"
#include "sources/spot_notices.h"

namespace spotkeeper::sources {

class SpotPoller {
 public:
  struct Options {
    Millis period{1'000};  // at most so long from one poll to the next, while all is well
    double jitter = 0.2;   // of it by up to this part less, so that hosts do not poll in step
    int legacy_every = 5;  // spot/termination-time is asked at every n-th quiet poll
    core::InstanceId instance;
  };
  struct Hooks {
    std::function<void(core::Notice)> notice;
    // At each good poll with a Date that is believed, before the notice of the same poll: by how
    // much our clock is behind AWS's; 0: near enough.
    std::function<void(Millis behind)> clock;
    std::function<void(const Error&, int in_a_row)> failure;
    std::function<void(int failures)> recovery;
  };

  // The client, the clock and the counters must outlive run().
  SpotPoller(aws::ImdsClient& imds, const Clock& clock, Counters& counters, Options options,
             Hooks hooks);

  // Polls until cancelled.
  Task<> run();

 private:
  Task<Result<std::optional<SpotSighting>>> look();
  Task<Result<std::optional<SpotSighting>>> look_at_legacy();
  void check_clock(const std::optional<SpotSighting>& seen);
  Millis pause(Time began) const;

  aws::ImdsClient& imds_;
  const Clock& clock_;
  Counters& counters_;
  Options options_;
  Hooks hooks_;
  SpotNotices notices_;
  ClockCheck clock_check_;
  int polls_ = 0;
  bool legacy_speaks_ = false;  // the notice comes from the older path: it is asked at every poll
  int failures_ = 0;            // in a row
};

}  // namespace spotkeeper::sources
