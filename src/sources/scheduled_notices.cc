// SPDX-License-Identifier: Apache-2.0
#include "sources/scheduled_notices.h"

#include <utility>

namespace spotkeeper::sources {
namespace {

constexpr int kMissingTwice = 2;

core::Notice notice_of(const aws::ScheduledEvent& event, Time now) {
  const bool ahead = event.not_before && *event.not_before > now;
  return {.id = core::NoticeId(event.id),
          .kind = core::NoticeKind::kScheduledEvent,
          .instance = {},
          .deadline = ahead ? *event.not_before : kNever,
          .source = "imds",
          .detail = event.code,
          .received = now};
}

}  // namespace

void ScheduledNotices::resume(const core::NoticeId& id) {
  known_.try_emplace(id);
}

void ScheduledNotices::ignore(const core::NoticeId& id) {
  known_.erase(id);
  ignored_.insert(id);
}

ScheduledNotices::News ScheduledNotices::poll(const std::vector<aws::ScheduledEvent>& events,
                                              bool complete, Time now) {
  News news;
  std::set<core::NoticeId> listed;
  for (const aws::ScheduledEvent& event : events) {
    const core::NoticeId id(event.id);
    if (event.over) {
      if (known_.erase(id) != 0) news.over.push_back(id);
      continue;
    }
    listed.insert(id);
    const bool ahead = event.not_before && *event.not_before > now;
    if (ignored_.contains(id) && !ahead) continue;
    ignored_.erase(id);
    Known& known = known_[id];
    // A time that passes is no change.
    const bool moved = ahead && event.not_before != known.not_before;
    if (known.told && !moved) continue;
    known.told = true;
    known.not_before = event.not_before;
    news.notices.push_back(notice_of(event, now));
  }
  for (auto at = known_.begin(); at != known_.end();) {
    Known& known = at->second;
    if (!complete || listed.contains(at->first)) {
      known.missing = 0;
    } else if (++known.missing >= kMissingTwice) {
      news.over.push_back(at->first);
      at = known_.erase(at);
      continue;
    }
    ++at;
  }
  return news;
}

}  // namespace spotkeeper::sources
