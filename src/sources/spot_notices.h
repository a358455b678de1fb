// SPDX-License-Identifier: Apache-2.0
// From what instance metadata says about Spot interruption, poll by poll, to notices: one notice
// stays one notice, also when the time it names moves with every request. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/notice.h"

namespace spotkeeper::sources {

// What one poll found at spot/instance-action (or the legacy spot/termination-time).
struct SpotSighting {
  std::string action;  // "terminate", "stop", "hibernate"
  Time time{};         // when the instance ends
};

class SpotNotices {
 public:
  explicit SpotNotices(core::InstanceId instance) : instance_(std::move(instance)) {}

  struct News {
    // The first sighting, or a nearer time (same id). A time that moves away is not news.
    std::optional<core::Notice> notice = {};
    // Of a hibernation that is announced no more: the host has woken from it.
    std::optional<core::NoticeId> over = {};
  };

  // One good poll; nothing seen is 404. A hibernation begins at once, whatever time it names, so
  // that its deadline is past.
  News poll(const std::optional<SpotSighting>& seen, Time now);

 private:
  core::InstanceId instance_;
  std::optional<core::Notice> current_;  // while it is announced
};

// NTH's event id: "spot-itn-" and the hex SHA-256 of "&{ACTION TIME}".
core::NoticeId spot_notice_id(const SpotSighting& seen);

}  // namespace spotkeeper::sources
