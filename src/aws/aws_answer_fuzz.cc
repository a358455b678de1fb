// SPDX-License-Identifier: Apache-2.0
// Whatever answers at an AWS endpoint: refusals, JSON and XML, and the records made of them. The
// input is a line with the status and the protocol (j, q: JSON, query), header lines, an empty line
// and the body.
#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "aws/answer.h"
#include "aws/autoscaling.h"
#include "aws/ec2.h"
#include "aws/ecs.h"
#include "aws/elb.h"
#include "aws/sqs.h"
#include "base/fuzz.h"
#include "base/json.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;

const Secret kToken("hunter2/hunter2");

std::string take_line(std::string_view& input) {
  std::string line(input.substr(0, input.find('\n')));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

void check_message(const Error& error) {
  must(is_one_line(error.message), "a message is one line");
  must(is_utf8(error.message), "a message is UTF-8");
  must(error.message.starts_with("ecs Do"), "a message names the call");
}

void check_refusal(aws::Protocol protocol, const http::Response& answer) {
  const aws::Refusal refusal = aws::read_refusal(protocol, answer);
  must(refusal.code.size() <= 100 && is_one_line(refusal.code), "a code is a word");
  const Error error = aws::refusal_error("ecs Do", answer.status, refusal, {kToken});
  check_message(error);
  must(error.message.find(kToken.reveal()) == std::string::npos, "no message holds a secret");
  must(error.message.size() < 1'000, "a message has its limit");
  must(answer.status != 500 || error.kind != ErrorKind::kPermanent, "5xx may pass");
}

void check_time(const std::optional<Time>& time) {
  Time again{};
  must(!time || (parse_time(format_time(*time), again) && again == *time),
       "a time can be written down");
}

void check_records(const json::value& object) {
  if (const auto task = aws::decode_task(object)) {
    must(!task->arn.empty(), "a task has an ARN");
    must(task->service().empty() || task->group == "service:" + task->service(),
         "a service is named by the group");
    for (const auto& time : {task->created, task->started, task->stopping, task->stopped}) {
      check_time(time);
    }
  }
  if (const auto service = aws::decode_service(object)) {
    must(!service->arn.empty() && !service->controller.empty(), "a service has an ARN");
  }
  const auto instance = aws::decode_container_instance(object);
  must(!instance || !instance->arn.empty(), "an instance has an ARN");
  const auto definition = aws::decode_task_definition(object);
  must(!definition || !definition->arn.empty(), "a task definition has an ARN");
}

void check_json(const std::string& body) {
  const auto value = aws::read_json("ecs Do", body);
  if (!value) return check_message(value.error());
  must(value->is_object(), "an answer is an object");
  check_records(*value);
  if (const auto messages = aws::decode_messages(*value)) {
    for (const aws::SqsMessage& each : *messages) {
      must(!each.receipt.empty() && each.receives >= 0, "a message can be deleted");
      check_time(each.sent);
    }
  }
  for (const char* key : {"tasks", "services", "containerInstances"}) {
    const json::array* list = find_array(*value, {key});
    if (list == nullptr) continue;
    for (const json::value& each : *list) check_records(each);
  }
}

void check_depth(const aws::Xml& xml, size_t depth) {
  must(depth <= aws::Xml::kDeepest, "XML has its depth");
  must(is_utf8(xml.text) && is_utf8(xml.name), "text is UTF-8");
  for (const aws::Xml& each : xml.children) check_depth(each, depth + 1);
}

void check_instances(const std::string& body) {
  const auto answer = aws::read_ec2("ecs Do", "Do", body);
  if (!answer) return check_message(answer.error());
  check_depth(*answer, 1);
  if (const auto instances = aws::decode_instances(*answer)) {
    for (const aws::Ec2Instance& each : *instances) must(!each.id.empty(), "an instance has an id");
  }
}

void check_xml(const std::string& body) {
  check_instances(body);
  const auto result = aws::read_query("ecs Do", "Do", body);
  if (!result) return check_message(result.error());
  check_depth(*result, 1);
  if (const auto health = aws::decode_target_health(*result)) {
    for (const aws::TargetHealth& each : *health) {
      must(!each.target.id.empty() && !each.state.empty(), "a target has an id and a state");
      must(!each.target.port || *each.target.port >= 0, "a port is no negative number");
    }
  }
  const auto attributes = aws::decode_target_group_attributes(*result);
  must(!attributes || attributes->deregistration_delay_s >= 0, "a delay is no negative number");
  if (const auto hooks = aws::decode_lifecycle_hooks(*result)) {
    for (const aws::LifecycleHook& each : *hooks) must(!each.name.empty(), "a hook has a name");
  }
  if (const auto instances = aws::decode_auto_scaling_instances(*result)) {
    for (const aws::AsgInstance& each : *instances) must(!each.id.empty(), "an instance has an id");
  }
}

}  // namespace

void fuzz(std::string_view input) {
  const std::string first = take_line(input);
  const bool query = first.ends_with('q');
  http::Response answer{.status = 400 + std::abs(std::atoi(first.c_str())) % 200};
  for (;;) {
    const std::string line = take_line(input);
    if (line.empty()) break;
    const size_t colon = std::min(line.find(": "), line.size());
    answer.headers.push_back(
        {.name = line.substr(0, colon), .value = line.substr(std::min(colon + 2, line.size()))});
  }
  answer.body = std::string(input);
  check_refusal(query ? aws::Protocol::kQuery : aws::Protocol::kJson11, answer);
  const Millis pause = aws::asked_pause(answer.headers);
  must(pause >= Millis(0) && pause <= std::chrono::hours(1), "a pause has its limits");
  query ? check_xml(answer.body) : check_json(answer.body);
}

}  // namespace spotkeeper
