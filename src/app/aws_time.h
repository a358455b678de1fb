// SPDX-License-Identifier: Apache-2.0
// The deadlines of notices are AWS's times, and so is ours from its first answer on.
#pragma once

#include "base/clock.h"
#include "base/counters.h"
#include "core/notice.h"
#include "observe/log.h"

namespace spotkeeper::app {

// Our clock is behind AWS's by so much: it is set right, counted and said. For moments at which
// nothing is planned yet.
void correct_clock(HostClock& clock, Millis behind, Counters& counters, observe::Log& log);

// What the notice tells of the host's clock.
void note_clock(const HostClock& clock, core::Notice& notice);

}  // namespace spotkeeper::app
