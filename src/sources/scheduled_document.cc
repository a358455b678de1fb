// SPDX-License-Identifier: Apache-2.0
#include "sources/scheduled_document.h"

#include <utility>

#include "aws/scheduled_events.h"

namespace spotkeeper::sources {

ScheduledDocument::ScheduledDocument(const Clock& clock, ScheduledNotices& notices, Hooks hooks)
    : Page("events/maintenance/scheduled"),
      clock_(clock),
      notices_(notices),
      hooks_(std::move(hooks)) {}

Outcome ScheduledDocument::read(const std::optional<std::string>& body) {
  if (!body) return "quiet";
  const Result<aws::ScheduledEvents> said = aws::parse_scheduled_events(*body);
  if (!said) return std::unexpected(said.error());
  ScheduledNotices::News news = notices_.poll(said->events, said->odd.empty(), clock_.now());
  // What holds from here on is known before what does not any more.
  for (core::Notice& notice : news.notices) hooks_.notice(std::move(notice));
  for (core::NoticeId& id : news.over) hooks_.over(std::move(id));
  if (!said->odd.empty()) return permanent(said->odd);
  return said->events.empty() ? "quiet" : "scheduled";
}

}  // namespace spotkeeper::sources
