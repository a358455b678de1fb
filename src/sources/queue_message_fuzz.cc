// SPDX-License-Identifier: Apache-2.0
// Whatever stands in the queue: anybody who may send to it may send anything.
#include <boost/json/object.hpp>
#include <set>
#include <string>

#include "aws/ec2.h"
#include "base/fuzz.h"
#include "sources/queue_message.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;

constexpr Time kReceived = Time(Seconds(1'795'255'200));
constexpr size_t kLongestText = 600;

void check_text(const std::string& text, const char* what) {
  must(is_one_line(text) && is_utf8(text), what);
  must(text.size() <= kLongestText, what);
}

void check_event(const sources::QueueEvent& event) {
  using core::NoticeKind;
  must(aws::is_instance_id(event.instance.value), "an event names an instance");
  must(!event.id.empty() && event.id.value.size() <= kLongestText, "an event has an id");
  must(is_one_line(event.id.value) && is_utf8(event.id.value), "an id is a word");
  for (const std::string* text :
       {&event.detail, &event.description, &event.account, &event.region}) {
    check_text(*text, "a text is one line, and short");
  }
  must(!event.description.empty(), "an event is described");
  Time again{};
  must(parse_time(format_time(event.at), again) && again == event.at, "a time can be written down");
  const bool asg =
      event.kind == NoticeKind::kAsgTermination || event.kind == NoticeKind::kAsgLaunch;
  must(event.hook.has_value() == asg, "Auto Scaling's events have a hook, and no others");
  if (!event.hook) return;
  must(!event.hook->group.empty() && !event.hook->hook.empty(), "a hook has its names");
  must(event.hook->group == event.group, "the group is the hook's");
  must(event.hook->launching == (event.kind == NoticeKind::kAsgLaunch),
       "a hook says what it is of");
  must(is_one_line(event.hook->group + event.hook->hook + event.hook->token), "names are names");
}

Result<sources::QueueMessage> check(const std::string& body) {
  auto message = sources::read_message(body, kReceived);
  if (!message) {
    must(message.error().kind == ErrorKind::kPermanent, "poison stays poison");
    must(!message.error().message.empty(), "poison is explained");
    check_text(message.error().message, "an error is one line, and short");
    return message;
  }
  must(message->events.empty() == !message->ignored.empty(),
       "events, or a reason why there are none");
  check_text(message->ignored, "a reason is one line, and short");
  std::set<std::string> ids;
  for (const sources::QueueEvent& event : message->events) {
    check_event(event);
    must(ids.insert(event.id.value).second, "each event has an id of its own");
  }
  return message;
}

}  // namespace

void fuzz(std::string_view input) {
  const std::string body(input);
  const auto plain = check(body);
  if (!plain || plain->events.empty() || body.find("Message") != std::string::npos) return;
  const json::object wrapped{{"Type", "Notification"}, {"Message", body}};
  const auto by_sns = check(json::serialize(wrapped));
  must(by_sns && by_sns->events.size() == plain->events.size() &&
           by_sns->events[0].id == plain->events[0].id,
       "by SNS it says the same");
}

}  // namespace spotkeeper
