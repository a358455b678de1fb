// SPDX-License-Identifier: Apache-2.0
#include "aws/scheduled_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;

constexpr const char* kDocument = "events/maintenance/scheduled: ";

std::string text_of(const json::object& event, const char* name) {
  const json::value* value = event.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// "canceled" is how AWS writes it.
bool is_over(std::string state) {
  std::ranges::transform(state, state.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return state == "canceled" || state == "cancelled" || state == "completed";
}

ScheduledEvent event_of(const json::object& object) {
  ScheduledEvent event{.id = text_of(object, "EventId"),
                       .code = text_of(object, "Code"),
                       .description = text_of(object, "Description"),
                       .over = is_over(text_of(object, "State")),
                       .not_before = std::nullopt};
  Time time{};
  if (parse_event_time(text_of(object, "NotBefore"), time)) event.not_before = time;
  if (event.id.empty()) event.id = event.code + "/" + text_of(object, "NotBefore");
  return event;
}

}  // namespace

Result<ScheduledEvents> parse_scheduled_events(const std::string& body) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error) return permanent(kDocument + ("not JSON (" + error.message() + ")"));
  const json::array* list = document.if_array();
  if (list == nullptr) return permanent(std::string(kDocument) + "not a JSON array");
  ScheduledEvents found;
  for (size_t i = 0; i < list->size(); ++i) {
    const json::object* object = (*list)[i].if_object();
    const bool says_something =
        object != nullptr && (object->contains("EventId") || object->contains("Code"));
    if (says_something) {
      found.events.push_back(event_of(*object));
      const ScheduledEvent& event = found.events.back();
      if (event.not_before || event.over || !found.odd.empty()) continue;
      found.odd = fmt::format("{}element {}: NotBefore is no time", kDocument, i + 1);
    } else if (found.odd.empty()) {
      found.odd = fmt::format("{}element {} is no event", kDocument, i + 1);
    }
  }
  return found;
}

// An HTTP date without its day of the week, and with days of one digit.
bool parse_event_time(const std::string& text, Time& out) {
  const bool one_digit = text.size() > 1 && text[1] == ' ';
  const std::string date = (one_digit ? "0" : "") + text;
  for (const char* day : {"Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "}) {
    if (parse_http_date(day + date, out)) return true;
  }
  return false;
}

}  // namespace spotkeeper::aws
