// SPDX-License-Identifier: Apache-2.0
// aws-probe: the calls of src/aws, one a line, for tests on the rig (test/aws_access_test.py). Not
// part of what is shipped. Credentials, region and endpoints come from the environment, as in the
// agent. Reads JSON arrays ["stop_task", "CLUSTER", "TASK", "REASON"] from its input and answers
// each with a line: {"ok": …} or {"error": {"kind", "reason", "message", "retry_after_s"}}.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "async/task_group.h"
#include "aws/autoscaling.h"
#include "aws/credential_chain.h"
#include "aws/credential_imds.h"
#include "aws/ec2.h"
#include "aws/ecs.h"
#include "aws/elb.h"
#include "aws/sqs.h"

namespace {

namespace json = boost::json;
using namespace spotkeeper;  // NOLINT(google-build-using-namespace): a program of one file

using Words = std::vector<std::string>;

json::value show(const std::vector<std::string>& texts) {
  return json::value_from(texts);
}
json::value show(const aws::ContainerInstance& of) {
  return {{"arn", of.arn},
          {"ec2_instance_id", of.ec2_instance_id},
          {"status", of.status},
          {"running_tasks", of.running_tasks}};
}
json::value show(const aws::EcsTask& of) {
  return {{"arn", of.arn},
          {"service", of.service()},
          {"last_status", of.last_status},
          {"desired_status", of.desired_status},
          {"stop_code", of.stop_code},
          {"stopped_reason", of.stopped_reason},
          {"container_instance", of.container_instance_arn},
          {"started", of.started ? format_time(*of.started) : ""},
          {"containers", of.containers.size()}};
}
json::value show(const aws::EcsTaskDefinition& of) {
  json::object timeouts;
  for (const auto& each : of.containers) timeouts[each.name] = each.stop_timeout_s.value_or(-1);
  return {{"arn", of.arn}, {"family", of.family}, {"stop_timeouts", std::move(timeouts)}};
}
json::value show(const aws::EcsService& of) {
  return {{"name", of.name},
          {"desired", of.desired},
          {"running", of.running},
          {"minimum_healthy_percent", of.minimum_healthy_percent},
          {"maximum_percent", of.maximum_percent},
          {"deployments", of.deployments.size()},
          {"target_group", of.load_balancers.empty() ? "" : of.load_balancers[0].target_group_arn}};
}
template <class T>
json::value show(const aws::Described<T>& of) {
  json::array found;
  for (const T& each : of.found) found.push_back(show(each));
  json::array failures;
  for (const aws::EcsFailure& each : of.failures) {
    failures.push_back(json::object{{"arn", each.arn}, {"reason", each.reason}});
  }
  return {{"found", std::move(found)}, {"failures", std::move(failures)}};
}
json::value show(const std::vector<aws::TargetHealth>& of) {
  json::array all;
  for (const aws::TargetHealth& each : of) {
    all.push_back(json::object{
        {"id", each.target.id}, {"port", each.target.port.value_or(-1)}, {"state", each.state}});
  }
  return all;
}
json::value show(const aws::TargetGroupAttributes& of) {
  return {{"deregistration_delay_s", of.deregistration_delay_s}};
}

json::value show(const std::vector<aws::SqsMessage>& of) {
  json::array all;
  for (const aws::SqsMessage& each : of) {
    all.push_back(json::object{{"id", each.id},
                               {"receipt", each.receipt},
                               {"body", each.body},
                               {"sent", format_time(each.sent)},
                               {"receives", each.receives}});
  }
  return all;
}
json::value show(const std::vector<aws::SqsFailure>& of) {
  json::array all;
  for (const aws::SqsFailure& each : of) all.push_back({each.receipt, each.code});
  return all;
}
json::value show(const std::vector<aws::LifecycleHook>& of) {
  json::array all;
  for (const aws::LifecycleHook& each : of) {
    all.push_back(json::object{{"name", each.name},
                               {"group", each.group},
                               {"transition", each.transition},
                               {"heartbeat_timeout_s", each.heartbeat_timeout_s.value_or(-1)},
                               {"default_result", each.default_result}});
  }
  return all;
}
json::value show(const std::vector<aws::AsgInstance>& of) {
  json::array all;
  for (const aws::AsgInstance& each : of) {
    all.push_back(json::object{{"id", each.id},
                               {"group", each.group},
                               {"lifecycle_state", each.lifecycle_state},
                               {"protected", each.protected_from_scale_in}});
  }
  return all;
}
json::value show(const std::vector<aws::Ec2Instance>& of) {
  json::array all;
  for (const aws::Ec2Instance& each : of) {
    all.push_back(json::object{{"id", each.id},
                               {"state", each.state},
                               {"private_dns_name", each.private_dns_name},
                               {"zone", each.zone},
                               {"type", each.type},
                               {"tags", json::value_from(each.tags)}});
  }
  return all;
}

json::object answer_of(const Error& error) {
  return {{"error", json::object{{"kind", to_string(error.kind)},
                                 {"reason", error.reason},
                                 {"message", error.message},
                                 {"retry_after_s", error.retry_after_s}}}};
}
template <class T>
json::object answer_of(const Result<T>& result) {
  if (!result) return answer_of(result.error());
  return {{"ok", show(*result)}};
}
json::object answer_of(const Result<void>& result) {
  return result ? json::object{{"ok", nullptr}} : answer_of(result.error());
}

std::vector<aws::Target> targets_of(const Words& ids) {
  std::vector<aws::Target> targets;
  for (const std::string& id : ids) targets.push_back({.id = id, .port = {}});
  return targets;
}

// words: the call, its queue, group or tag (or a word that is not used), and what else it takes.
Task<json::object> carry_out_of_queue_mode(aws::Client& client, Words words) {
  const std::string call = words.at(0);
  const std::string in = words.at(1);
  const std::string what = words.size() > 2 ? words[2] : "";
  Words rest(words.begin() + 2, words.end());
  if (call == "receive") {
    aws::SqsReceive receive{.queue_url = in, .wait = Seconds(std::stoi(what))};
    co_return answer_of(co_await aws::receive_messages(client, std::move(receive)));
  }
  if (call == "delete") co_return answer_of(co_await aws::delete_messages(client, in, rest));
  if (call == "visibility") {
    rest.erase(rest.begin());
    const Seconds visibility(std::stoi(what));
    co_return answer_of(co_await aws::change_visibility(client, in, rest, visibility));
  }
  if (call == "hooks") co_return answer_of(co_await aws::describe_lifecycle_hooks(client, in));
  if (call == "heartbeat" || call == "complete") {
    aws::LifecycleAction action{
        .group = in, .hook = what, .token = words.at(3), .instance = words.at(4)};
    if (call == "heartbeat") {
      co_return answer_of(co_await aws::record_heartbeat(client, std::move(action)));
    }
    const std::string& result = words.at(5);
    co_return answer_of(co_await aws::complete_lifecycle_action(client, std::move(action), result));
  }
  if (call == "group_instances") {
    co_return answer_of(co_await aws::describe_auto_scaling_instances(client, rest));
  }
  if (call == "detach") {
    co_return answer_of(co_await aws::detach_instance(client, in, what, false));
  }
  if (call == "terminate_in_group") {
    co_return answer_of(co_await aws::terminate_instance(client, what, false));
  }
  if (call == "instances") co_return answer_of(co_await aws::describe_instances(client, rest));
  if (call == "tagged") co_return answer_of(co_await aws::describe_tagged_instances(client, in));
  if (call == "terminate") co_return answer_of(co_await aws::terminate_instances(client, rest));
  co_return answer_of(Error{.message = "no such call: " + call});
}

// words: the call, its cluster (or target group), and what else it takes.
Task<json::object> carry_out(aws::Client& client, Words words) {
  const std::string call = words.at(0);
  const std::string in = words.at(1);
  const std::string what = words.size() > 2 ? words[2] : "";
  const Words rest(words.begin() + 2, words.end());
  if (call == "list_container_instances") {
    aws::ContainerInstanceQuery query{.cluster = in, .filter = what, .status = ""};
    co_return answer_of(co_await aws::list_container_instances(client, std::move(query)));
  }
  if (call == "list_tasks") {
    aws::TaskQuery query{.cluster = in,
                         .container_instance = what,
                         .service = "",
                         .desired_status = words.size() > 3 ? words[3] : ""};
    co_return answer_of(co_await aws::list_tasks(client, std::move(query)));
  }
  if (call == "describe_container_instances") {
    co_return answer_of(co_await aws::describe_container_instances(client, in, rest));
  }
  if (call == "drain") {
    co_return answer_of(
        co_await aws::update_container_instances_state(client, in, rest, "DRAINING"));
  }
  if (call == "deregister") {
    co_return answer_of(co_await aws::deregister_container_instance(client, in, what, true));
  }
  if (call == "describe_tasks") co_return answer_of(co_await aws::describe_tasks(client, in, rest));
  if (call == "stop_task") {
    co_return answer_of(co_await aws::stop_task(client, in, what, words.at(3)));
  }
  if (call == "describe_task_definition") {
    co_return answer_of(co_await aws::describe_task_definition(client, in));
  }
  if (call == "describe_services") {
    co_return answer_of(co_await aws::describe_services(client, in, rest));
  }
  if (call == "force_new_deployment") {
    co_return answer_of(co_await aws::force_new_deployment(client, in, what));
  }
  if (call == "target_health") {
    std::vector<aws::Target> targets = targets_of(rest);
    co_return answer_of(co_await aws::describe_target_health(client, in, std::move(targets)));
  }
  if (call == "target_group") {
    co_return answer_of(co_await aws::describe_target_group_attributes(client, in));
  }
  if (call == "deregister_targets") {
    std::vector<aws::Target> targets = targets_of(rest);
    co_return answer_of(co_await aws::deregister_targets(client, in, std::move(targets)));
  }
  co_return co_await carry_out_of_queue_mode(client, words);
}

template <class T>
T run(boost::asio::io_context& io, Task<T> task) {
  std::optional<T> value;
  boost::asio::co_spawn(io, std::move(task), [&value](std::exception_ptr failure, T result) {
    if (failure) std::rethrow_exception(failure);
    value.emplace(std::move(result));
  });
  io.restart();
  while (!value) io.run_one();
  return std::move(*value);
}

int fail(const Error& error) {
  std::cout << json::serialize(answer_of(error)) << std::endl;
  return 1;
}

}  // namespace

int main() {
  const aws::Environment environment = aws::process_environment();
  boost::asio::io_context io(1);
  SteadyClock clock;
  TaskGroup tasks(io.get_executor());
  http::Client http(io.get_executor(), {});
  aws::ImdsOptions imds_options;
  if (const auto url = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT"))
    imds_options.base_url = *url;
  aws::ImdsClient imds(http, imds_options, clock);
  const auto endpoints = aws::endpoint_options(environment);
  if (!endpoints) return fail(endpoints.error());
  auto choice = aws::choose_credentials(environment);
  if (!choice) return fail(choice.error());
  const auto region = run(io, aws::find_region(environment, imds));
  if (!region) return fail(region.error());
  const aws::ClientOptions options{.region = *region, .endpoints = *endpoints};
  std::cout << json::serialize(
                   json::object{{"credentials", aws::describe(*choice)}, {"region", *region}})
            << std::endl;
  const auto credentials = aws::make_credentials(
      std::move(*choice),
      {.http = http,
       .imds = imds,
       .clock = clock,
       .tasks = tasks,
       .sts = options,
       .warn = [](const std::string& text) { std::cerr << text << std::endl; }});
  aws::Client client(http, *credentials, clock, options);
  for (std::string line; std::getline(std::cin, line);) {
    const Words words = json::value_to<Words>(json::parse(line));
    std::cout << json::serialize(run(io, carry_out(client, words))) << std::endl;
  }
  tasks.cancel();
  boost::asio::co_spawn(io, tasks.join(), [](std::exception_ptr) {});
  io.restart();
  io.run();
  return 0;
}
