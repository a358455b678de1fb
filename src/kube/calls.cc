// SPDX-License-Identifier: Apache-2.0
#include "kube/calls.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

std::string node_path(const std::string& name) {
  return "/api/v1/nodes/" + percent_encode(name);
}

json::object delete_options(const std::string& uid, std::optional<int64_t> grace_s) {
  json::object options;
  options["apiVersion"] = "v1";
  options["kind"] = "DeleteOptions";
  if (grace_s) options["gracePeriodSeconds"] = *grace_s;
  options["preconditions"] = json::object{{"uid", uid}};
  return options;
}

Result<Node> to_node(const Result<json::value>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return decode_node(*answer);
}

Result<void> to_nothing(const Result<json::value>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Call pod_call(const PodRef& pod, const char* verb, const char* resource) {
  Call call;
  call.path = pod_path(pod.ns, pod.name);
  call.verb = verb;
  call.resource = resource;
  call.object = pod.ns + "/" + pod.name;
  return call;
}

}  // namespace

PodRef ref_of(const Pod& pod) {
  return PodRef{.ns = pod.ns, .name = pod.name, .uid = pod.uid};
}

Task<Result<Node>> get_node(Api& api, std::string name) {
  Call call;
  call.path = node_path(name);
  call.resource = "nodes";
  call.object = std::move(name);
  call.urgent = true;  // it is read to be marked
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_node(answer);
}

Task<Result<Node>> patch_node(Api& api, std::string name, json::value merge_patch) {
  Call call;
  call.method = http::Method::kPatch;
  call.path = node_path(name);
  call.body = std::move(merge_patch);
  call.content_type = "application/merge-patch+json";
  call.verb = "patch";
  call.resource = "nodes";
  call.object = std::move(name);
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_node(answer);
}

Task<Result<void>> delete_node(Api& api, std::string name, std::string uid) {
  Call call;
  call.method = http::Method::kDelete;
  call.path = node_path(name);
  call.verb = "delete";
  call.resource = "nodes";
  call.object = std::move(name);
  call.body = delete_options(uid, std::nullopt);
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> evict(Api& api, PodRef pod, std::optional<int64_t> grace_s, Millis timeout,
                         bool dry_run) {
  Call call = pod_call(pod, "evict", "pods/eviction");
  call.timeout = timeout;
  call.method = http::Method::kPost;
  call.path += "/eviction";
  json::object options = delete_options(pod.uid, grace_s);
  if (dry_run) {
    options["dryRun"] = json::array{"All"};
    call.query = "dryRun=All";
  }
  call.body = json::object{{"apiVersion", "policy/v1"},
                           {"kind", "Eviction"},
                           {"metadata", {{"namespace", pod.ns}, {"name", pod.name}}},
                           {"deleteOptions", std::move(options)}};
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> delete_pod(Api& api, PodRef pod, std::optional<int64_t> grace_s,
                              Millis timeout) {
  Call call = pod_call(pod, "delete", "pods");
  call.timeout = timeout;
  call.method = http::Method::kDelete;
  call.body = delete_options(pod.uid, grace_s);
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> patch_pod(Api& api, PodRef pod, json::object metadata, Millis timeout) {
  Call call = pod_call(pod, "patch", "pods");
  call.timeout = timeout;
  call.method = http::Method::kPatch;
  call.content_type = "application/merge-patch+json";
  metadata["uid"] = pod.uid;
  json::object body;
  body["metadata"] = std::move(metadata);
  call.body = std::move(body);
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> create_event(Api& api, std::string ns, json::object event) {
  Call call;
  call.method = http::Method::kPost;
  call.path = "/api/v1/namespaces/" + percent_encode(ns) + "/events";
  call.body = std::move(event);
  call.verb = "create";
  call.resource = "events";
  call.object = std::move(ns);
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> patch_event(Api& api, std::string ns, std::string name,
                               json::object merge_patch) {
  Call call;
  call.method = http::Method::kPatch;
  call.path = "/api/v1/namespaces/" + percent_encode(ns) + "/events/" + percent_encode(name);
  call.body = std::move(merge_patch);
  call.content_type = "application/merge-patch+json";
  call.verb = "patch";
  call.resource = "events";
  call.object = ns + "/" + name;
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

Task<Result<void>> set_disruption_target(Api& api, PodRef pod, std::string message, Time now,
                                         Millis timeout) {
  Call call = pod_call(pod, "patch", "pods/status");
  call.timeout = timeout;
  call.method = http::Method::kPatch;
  call.path += "/status";
  call.content_type = "application/strategic-merge-patch+json";
  json::object condition{{"type", "DisruptionTarget"},
                         {"status", "True"},
                         {"reason", "SpotInterruption"},
                         {"message", std::move(message)},
                         {"lastTransitionTime", format_time_s(now)}};
  json::array conditions;
  conditions.emplace_back(std::move(condition));
  json::object status;
  status["conditions"] = std::move(conditions);
  call.body = json::object{{"metadata", {{"uid", pod.uid}}}, {"status", std::move(status)}};
  const Result<json::value> answer = co_await api.call(std::move(call));
  co_return to_nothing(answer);
}

}  // namespace spotkeeper::kube
