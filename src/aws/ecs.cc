// SPDX-License-Identifier: Apache-2.0
#include "aws/ecs.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

constexpr size_t kMostDescribed = 100;
constexpr size_t kMostServices = 10;
constexpr size_t kMostUpdated = 10;
constexpr int kMostPages = 1'000;
constexpr size_t kLongestReason = 255;  // as StopTask is documented

Millis left_until(Steady::time_point until) {
  return std::max(std::chrono::ceil<Millis>(until - Steady::now()), Millis(0));
}

Call ecs_call(const char* action, const std::string& cluster, const std::string& object = "") {
  Call call{.service = &kEcs, .action = action};
  if (!cluster.empty()) call.body["cluster"] = cluster;
  call.object = object.empty() ? cluster : object;
  return call;
}

void put(json::object& body, const char* key, const std::string& value) {
  if (!value.empty()) body[key] = value;
}

// Keys of a call on many things, and of its answer.
struct Many {
  const char* ids;
  const char* found;
  size_t most;  // a call
};

template <class T>
Result<void> add_described(const std::string& what, const json::value& answer, const char* key,
                           Result<T> (*decode)(const json::value&), Described<T>& all) {
  if (const json::array* list = find_array(answer, {key})) {
    for (const json::value& each : *list) {
      Result<T> record = decode(each);
      if (!record) return std::unexpected(record.error().within(what));
      all.found.push_back(std::move(*record));
    }
  }
  if (const json::array* list = find_array(answer, {"failures"})) {
    for (const json::value& each : *list) {
      all.failures.push_back({.arn = text_at(each, {"arn"}),
                              .reason = text_at(each, {"reason"}),
                              .detail = text_at(each, {"detail"})});
    }
  }
  return {};
}

template <class T>
Task<Result<Described<T>>> describe_many(Client& client, Call call, Many many,
                                         std::vector<std::string> ids,
                                         Result<T> (*decode)(const json::value&), Millis at_most) {
  const auto until = Steady::now() + at_most;
  Described<T> all;
  for (size_t begin = 0; begin < ids.size(); begin += many.most) {
    Call part = call;
    json::array list;
    for (size_t i = begin; i < std::min(begin + many.most, ids.size()); ++i) {
      list.emplace_back(ids[i]);
    }
    part.body[many.ids] = std::move(list);
    part.at_most = left_until(until);
    const Result<json::value> answer = co_await client.json(std::move(part));
    if (!answer) co_return std::unexpected(answer.error());
    const Result<void> added =
        add_described("ecs " + call.action, *answer, many.found, decode, all);
    if (!added) co_return std::unexpected(added.error());
  }
  co_return all;
}

Task<Result<std::vector<std::string>>> list_all(Client& client, Call call, const char* key,
                                                Millis at_most) {
  const auto until = Steady::now() + at_most;
  std::vector<std::string> arns;
  std::string token;
  for (int page = 0; page < kMostPages; ++page) {
    Call part = call;
    put(part.body, "nextToken", token);
    part.at_most = left_until(until);
    const Result<json::value> answer = co_await client.json(std::move(part));
    if (!answer) co_return std::unexpected(answer.error());
    if (const json::array* list = find_array(*answer, {key})) {
      for (const json::value& each : *list) {
        if (each.is_string()) arns.emplace_back(each.as_string());
      }
    }
    std::string next = text_at(*answer, {"nextToken"});
    if (next.empty()) co_return arns;
    if (next == token) break;
    token = std::move(next);
  }
  co_return permanent("ecs " + call.action + ": pages without an end");
}

// The object at `key` of a call that answers one.
template <class T>
Task<Result<T>> one(Client& client, Call call, const char* key,
                    Result<T> (*decode)(const json::value&), Millis at_most) {
  call.at_most = at_most;
  const std::string what = "ecs " + call.action + " " + call.object;
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) {
    Error error = answer.error();
    // ECS has no code of its own for a task or an instance that is gone.
    const bool gone = error.reason == "InvalidParameterException" &&
                      error.message.find("not found") != std::string::npos;
    if (gone) error.kind = ErrorKind::kGone;
    co_return std::unexpected(std::move(error));
  }
  const json::value* object = find(*answer, {key});
  if (object == nullptr) co_return retryable(what + ": the answer has no " + key);
  Result<T> record = decode(*object);
  if (!record) co_return std::unexpected(record.error().within(what));
  co_return record;
}

Task<Result<void>> change_attribute(Client& client, Call call, std::string arn,
                                    json::object attribute) {
  attribute["targetType"] = "container-instance";
  attribute["targetId"] = arn;
  call.body["attributes"] = json::array{std::move(attribute)};
  const Result<json::value> answer = co_await client.json(std::move(call));
  if (!answer) co_return std::unexpected(answer.error());
  co_return Result<void>();
}

}  // namespace

Task<Result<std::vector<std::string>>> list_container_instances(Client& client,
                                                                ContainerInstanceQuery query,
                                                                Millis at_most) {
  Call call = ecs_call("ListContainerInstances", query.cluster);
  put(call.body, "filter", query.filter);
  put(call.body, "status", query.status);
  co_return co_await list_all(client, std::move(call), "containerInstanceArns", at_most);
}

Task<Result<Described<ContainerInstance>>> describe_container_instances(
    Client& client, std::string cluster, std::vector<std::string> ids, Millis at_most) {
  const Many many{
      .ids = "containerInstances", .found = "containerInstances", .most = kMostDescribed};
  Call call = ecs_call("DescribeContainerInstances", cluster);
  co_return co_await describe_many(client, std::move(call), many, std::move(ids),
                                   &decode_container_instance, at_most);
}

Task<Result<Described<ContainerInstance>>> update_container_instances_state(
    Client& client, std::string cluster, std::vector<std::string> ids, std::string status,
    Millis at_most) {
  const Many many{.ids = "containerInstances", .found = "containerInstances", .most = kMostUpdated};
  Call call = ecs_call("UpdateContainerInstancesState", cluster);
  call.body["status"] = status;
  co_return co_await describe_many(client, std::move(call), many, std::move(ids),
                                   &decode_container_instance, at_most);
}

Task<Result<ContainerInstance>> deregister_container_instance(Client& client, std::string cluster,
                                                              std::string id, bool force,
                                                              Millis at_most) {
  Call call = ecs_call("DeregisterContainerInstance", cluster, id);
  call.body["containerInstance"] = id;
  call.body["force"] = force;
  co_return co_await one(client, std::move(call), "containerInstance", &decode_container_instance,
                         at_most);
}

Task<Result<void>> put_attribute(Client& client, std::string cluster, std::string arn,
                                 std::string name, std::string value, Millis at_most) {
  json::object attribute{{"name", name}, {"value", value}};
  Call call = ecs_call("PutAttributes", cluster, arn);
  call.at_most = at_most;
  co_return co_await change_attribute(client, std::move(call), std::move(arn),
                                      std::move(attribute));
}

Task<Result<void>> delete_attribute(Client& client, std::string cluster, std::string arn,
                                    std::string name, Millis at_most) {
  json::object attribute{{"name", name}};
  Call call = ecs_call("DeleteAttributes", cluster, arn);
  call.at_most = at_most;
  co_return co_await change_attribute(client, std::move(call), std::move(arn),
                                      std::move(attribute));
}

Task<Result<std::vector<std::string>>> list_tasks(Client& client, TaskQuery query, Millis at_most) {
  Call call = ecs_call("ListTasks", query.cluster);
  put(call.body, "containerInstance", query.container_instance);
  put(call.body, "serviceName", query.service);
  put(call.body, "desiredStatus", query.desired_status);
  co_return co_await list_all(client, std::move(call), "taskArns", at_most);
}

Task<Result<Described<EcsTask>>> describe_tasks(Client& client, std::string cluster,
                                                std::vector<std::string> ids, Millis at_most) {
  const Many many{.ids = "tasks", .found = "tasks", .most = kMostDescribed};
  Call call = ecs_call("DescribeTasks", cluster);
  co_return co_await describe_many(client, std::move(call), many, std::move(ids), &decode_task,
                                   at_most);
}

Task<Result<EcsTask>> stop_task(Client& client, std::string cluster, std::string id,
                                std::string reason, Millis at_most) {
  Call call = ecs_call("StopTask", cluster, id);
  call.body["task"] = id;
  put(call.body, "reason", cut(std::move(reason), kLongestReason));
  co_return co_await one(client, std::move(call), "task", &decode_task, at_most);
}

Task<Result<EcsTaskDefinition>> describe_task_definition(Client& client, std::string id,
                                                         Millis at_most) {
  Call call = ecs_call("DescribeTaskDefinition", "", id);
  call.body["taskDefinition"] = id;
  co_return co_await one(client, std::move(call), "taskDefinition", &decode_task_definition,
                         at_most);
}

Task<Result<Described<EcsService>>> describe_services(Client& client, std::string cluster,
                                                      std::vector<std::string> names,
                                                      Millis at_most) {
  const Many many{.ids = "services", .found = "services", .most = kMostServices};
  Call call = ecs_call("DescribeServices", cluster);
  co_return co_await describe_many(client, std::move(call), many, std::move(names), &decode_service,
                                   at_most);
}

Task<Result<EcsService>> force_new_deployment(Client& client, std::string cluster,
                                              std::string service, Millis at_most) {
  Call call = ecs_call("UpdateService", cluster, service);
  call.body["service"] = service;
  call.body["forceNewDeployment"] = true;
  call.repeatable = false;  // a second one would begin anew
  co_return co_await one(client, std::move(call), "service", &decode_service, at_most);
}

}  // namespace spotkeeper::aws
