// SPDX-License-Identifier: Apache-2.0
// Is our clock AWS's? Judged by the Date headers of instance metadata, which cut off parts of a
// second and may come from somebody else (a proxy, a captive portal), or of answers to signed
// calls. Pure.
//
// A Date of instance metadata before this program was written is not believed. One that differs
// from our clock by up to 15 minutes is. One that differs by more is believed when
//   - our clock itself stands before this program was written (a host that wakes in 1970), or
//   - a notice came with it whose time lies within 5 minutes of it: two witnesses, or
//   - three good polls in a row have said the same.
#pragma once

#include <optional>

#include "aws/server_time.h"
#include "base/clock.h"

namespace spotkeeper::sources {

class ClockCheck {
 public:
  // A good answer, and the time that a notice in it names. By how much our clock is behind AWS's
  // (negative: ahead); 0 when it is near enough, within 2 s; nullopt when the Date is not believed.
  // After a correction `sent` and `received` are to be by the corrected clock.
  std::optional<Millis> heard(const aws::ServerTime& time, std::optional<Time> notice);

  // The same of an answer to a call whose signature AWS has taken: a second witness, however far
  // off we are. Its request may have waited long, as a long poll does.
  std::optional<Millis> answered(const aws::ServerTime& time);

 private:
  bool believed(const aws::ServerTime& time, Millis behind, std::optional<Time> notice);

  std::optional<Millis> far_;  // what the last polls said that was hard to believe
  int far_in_a_row_ = 0;
};

}  // namespace spotkeeper::sources
