// SPDX-License-Identifier: Apache-2.0
// What an event of the queue means for the host: the notice with its deadline, or that it is a
// message of yesterday. An event is judged by its own time, not by when it was delivered. Pure.
#pragma once

#include <expected>
#include <string>

#include "core/notice.h"
#include "sources/queue_message.h"

namespace spotkeeper::sources {

struct EventRules {
  Seconds grace{120};  // until Auto Scaling's end, as far as nobody says more
  Millis rebalance_trust{
      3600'000};  // a recommendation that is older says nothing; 0: it always does
};

// Unexpected: why it is not acted on any more, for people. Not for launches.
//
// A Spot interruption (and that of a capacity reservation) ends the instance 120 s after the event
// (EC2 user guide, "Spot Instance interruption notices"). An instance that is stopping or shutting
// down has at most some 90 s until its system is off; one that is stopped or terminated has ended,
// and what is left of its pods goes at once.
std::expected<core::Notice, std::string> notice_of(const QueueEvent& event, const EventRules& rules,
                                                   Time now);

}  // namespace spotkeeper::sources
