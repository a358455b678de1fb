// SPDX-License-Identifier: Apache-2.0
// Maintenance that AWS has scheduled for the own host: events/maintenance/scheduled. What is not
// there (404) says nothing; an empty list says that nothing is scheduled.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sources/poller.h"
#include "sources/scheduled_notices.h"

namespace spotkeeper::sources {

class ScheduledDocument final : public Page {
 public:
  struct Hooks {
    std::function<void(core::Notice)> notice;
    std::function<void(core::NoticeId)> over;  // cancelled or completed
  };

  // The clock and the notices must outlive it.
  ScheduledDocument(const Clock& clock, ScheduledNotices& notices, Hooks hooks);

 private:
  Outcome read(const std::optional<std::string>& body) override;

  const Clock& clock_;
  ScheduledNotices& notices_;
  Hooks hooks_;
};

}  // namespace spotkeeper::sources
