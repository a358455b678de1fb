// SPDX-License-Identifier: Apache-2.0
// The Spot interruption notice of the own host: spot/instance-action, and at every n-th quiet look
// the older spot/termination-time. Source: AWS EC2 User Guide, "Spot Instance interruption
// notices".
#pragma once

#include <functional>
#include <optional>

#include "sources/clock_check.h"
#include "sources/poller.h"
#include "sources/spot_notices.h"

namespace spotkeeper::sources {

class SpotDocument final : public Document {
 public:
  struct Hooks {
    std::function<void(core::Notice)> notice;
    // What was announced has come and gone, and the host is still here.
    std::function<void(core::NoticeId)> over;
    // At each good look with a Date that is believed, before the notice of the same look: by how
    // much our clock is behind AWS's; 0: near enough.
    std::function<void(Millis behind)> clock;
  };

  // The clock must outlive it. The older path is asked at every `legacy_every`-th quiet look.
  SpotDocument(const Clock& clock, Hooks hooks, int legacy_every = 5);

  const char* name() const override { return "spot/instance-action"; }
  Task<Outcome> look(aws::ImdsClient& imds) override;

 private:
  Task<Result<std::optional<SpotSighting>>> ask(aws::ImdsClient& imds);
  Task<Result<std::optional<SpotSighting>>> ask_legacy(aws::ImdsClient& imds);
  void check_clock(const std::optional<aws::ServerTime>& said,
                   const std::optional<SpotSighting>& seen);

  const Clock& clock_;
  Hooks hooks_;
  int legacy_every_;
  SpotNotices notices_;
  ClockCheck clock_check_;
  int looks_ = 0;
  bool legacy_speaks_ = false;  // the notice comes from the older path: it is asked at every look
};

}  // namespace spotkeeper::sources
