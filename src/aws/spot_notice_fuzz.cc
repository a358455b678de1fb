// SPDX-License-Identifier: Apache-2.0
// What IMDS says about the end of a Spot instance: both documents from the same bytes.
#include <boost/json/object.hpp>
#include <string>

#include "aws/spot_notice.h"
#include "base/fuzz.h"

namespace spotkeeper {
namespace {

constexpr size_t kLongestMessage = 200;

void check_instance_action(const std::string& body) {
  const Result<aws::SpotAction> action = aws::parse_instance_action(body);
  if (!action) {
    const std::string& message = action.error().message;
    must(action.error().kind == ErrorKind::kPermanent, "a bad body stays bad");
    must(message.starts_with("spot/instance-action: "), "the message names the document");
    must(message.size() <= kLongestMessage, "the message is short");
    must(is_one_line(message) && is_utf8(message), "the message is one line of text");
    return;
  }
  must(!action->action.empty(), "there is a word for what will be done");
  const bool known =
      action->action == "terminate" || action->action == "stop" || action->action == "hibernate";
  must(known == (action->kind != aws::SpotActionKind::kOther), "known words have their kind");
  const boost::json::object written{{"action", action->action},
                                    {"time", format_time(action->time)}};
  const Result<aws::SpotAction> again = aws::parse_instance_action(boost::json::serialize(written));
  must(again && again->kind == action->kind && again->action == action->action &&
           again->time == action->time,
       "what was understood can be said again");
}

void check_termination_time(const std::string& body) {
  const std::optional<Time> time = aws::parse_termination_time(body);
  if (!time) return;
  must(aws::parse_termination_time(" " + format_time(*time) + "\r\n") == time,
       "what was understood can be said again");
}

}  // namespace

void fuzz(std::string_view input) {
  const std::string body(input);
  check_instance_action(body);
  check_termination_time(body);
}

}  // namespace spotkeeper
