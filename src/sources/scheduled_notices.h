// SPDX-License-Identifier: Apache-2.0
// From what instance metadata says about maintenance, poll by poll, to notices: each event is one
// notice, told again when its time has changed, and over once: when it is said to be, or is not
// listed any more. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/scheduled_events.h"
#include "core/notice.h"

namespace spotkeeper::sources {

class ScheduledNotices {
 public:
  struct News {
    // Its deadline is NotBefore. Where that is past, or none, an event may begin at any time, or
    // never: such a notice has no deadline.
    std::vector<core::Notice> notices = {};
    std::vector<core::NoticeId> over = {};
  };

  // One good poll. `complete`: all that is listed could be read, so that what is missing is over
  // (in the second poll in a row that says so).
  News poll(const std::vector<aws::ScheduledEvent>& events, bool complete, Time now);

  // An earlier life of ours has heard of it: told when it is listed, over when it is not.
  void resume(const core::NoticeId& id);

  // It has been: not told while it is still listed for a time that is past.
  void ignore(const core::NoticeId& id);

 private:
  struct Known {
    bool told = false;  // in this life
    std::optional<Time> not_before = {};
    int missing = 0;  // polls in a row
  };

  std::map<core::NoticeId, Known> known_;
  std::set<core::NoticeId> ignored_;
};

}  // namespace spotkeeper::sources
