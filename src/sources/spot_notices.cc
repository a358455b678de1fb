// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sources/event_id.h"

namespace spotkeeper::sources {
namespace {

constexpr const char* kHibernate = "hibernate";

// When the host is not to be relied on any more.
Time end_of(const SpotSighting& seen, Time now) {
  return seen.action == kHibernate ? std::min(seen.time, now - Seconds(1)) : seen.time;
}

}  // namespace

SpotNotices::News SpotNotices::poll(const std::optional<SpotSighting>& seen, Time now) {
  News news;
  if (!seen) {
    if (current_ && current_->detail == kHibernate) news.over = current_->id;
    current_.reset();
    return news;
  }
  const Time end = end_of(*seen, now);
  if (current_ && end >= current_->deadline) return news;
  const core::NoticeId id = current_ ? current_->id : spot_notice_id(*seen);
  current_ = core::Notice{.id = id,
                          .kind = core::NoticeKind::kSpotInterruption,
                          .instance = instance_,
                          .deadline = end,
                          .source = "imds",
                          .detail = seen->action,
                          .received = now};
  news.notice = current_;
  return news;
}

core::NoticeId spot_notice_id(const SpotSighting& seen) {
  return event_id("spot-itn-", fmt::format("&{{{} {}}}", seen.action, format_time_s(seen.time)));
}

}  // namespace spotkeeper::sources
