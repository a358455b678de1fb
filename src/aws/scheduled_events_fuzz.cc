// SPDX-License-Identifier: Apache-2.0
// What IMDS says about scheduled events.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <string>

#include "aws/scheduled_events.h"
#include "base/fuzz.h"

namespace spotkeeper {
namespace {

constexpr size_t kLongestMessage = 200;

void check_message(const std::string& message) {
  must(message.starts_with("events/maintenance/scheduled: "), "the message names the document");
  must(message.size() <= kLongestMessage, "the message is short");
  must(is_one_line(message) && is_utf8(message), "the message is one line of text");
}

// As AWS writes it.
std::string event_time(Time time) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string text = format_time_s(time);  // 2019-01-21T09:00:43Z
  return fmt::format("{} {} {} {} GMT", std::stoi(text.substr(8, 2)),
                     kMonths[std::stoi(text.substr(5, 2)) - 1], text.substr(0, 4),
                     text.substr(11, 8));
}

void check_time(const aws::ScheduledEvent& event) {
  if (!event.not_before) return;
  Time again{};
  must(aws::parse_event_time(event_time(*event.not_before), again) && again == *event.not_before,
       "a time that was understood can be said again");
}

}  // namespace

void fuzz(std::string_view input) {
  const Result<aws::ScheduledEvents> said = aws::parse_scheduled_events(std::string(input));
  if (!said) {
    must(said.error().kind == ErrorKind::kPermanent, "a bad body stays bad");
    check_message(said.error().message);
    return;
  }
  if (!said->odd.empty()) check_message(said->odd);
  boost::json::array written;
  for (const aws::ScheduledEvent& event : said->events) {
    must(!event.id.empty(), "each event has an id");
    must(said->odd.empty() ? event.over || event.not_before.has_value() : true,
         "what has no time is said to be odd");
    check_time(event);
    boost::json::object one{{"EventId", event.id},
                            {"Code", event.code},
                            {"Description", event.description},
                            {"State", event.over ? "completed" : "active"}};
    if (event.not_before) one["NotBefore"] = event_time(*event.not_before);
    written.emplace_back(std::move(one));
  }
  const auto again = aws::parse_scheduled_events(boost::json::serialize(written));
  const bool same =
      again && std::ranges::equal(again->events, said->events,
                                  [](const aws::ScheduledEvent& a, const aws::ScheduledEvent& b) {
                                    return a.id == b.id && a.code == b.code && a.over == b.over &&
                                           a.not_before == b.not_before;
                                  });
  must(same, "what was understood can be said again");
}

}  // namespace spotkeeper
