// SPDX-License-Identifier: Apache-2.0
#include "ecs/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "base/backoff.h"
#include "base/json.h"

namespace spotkeeper::ecs {
namespace {

constexpr size_t kMaxBody = size_t{64} * 1024;

std::unexpected<Error> nobody(std::string message) {
  return std::unexpected(Error{.kind = ErrorKind::kGone, .message = std::move(message)});
}

std::string name_of(const std::string& cluster) {
  return cluster.empty() ? "default" : cluster;
}

int standing(const aws::ContainerInstance& instance) {
  const bool alive = instance.status == "ACTIVE" || instance.status == "DRAINING";
  return (alive ? 2 : instance.status == "REGISTERING" ? 1 : 0) * 2 + int{instance.agent_connected};
}

using Instances = Result<std::vector<aws::ContainerInstance>>;

// What ECS lists by that filter, as it describes it.
Task<Instances> look(aws::Client& client, std::string cluster, std::string filter, Millis at_most) {
  const aws::ContainerInstanceQuery query{
      .cluster = cluster, .filter = std::move(filter), .status = {}};
  auto arns = co_await aws::list_container_instances(client, query, at_most);
  if (!arns) co_return std::unexpected(arns.error());
  auto described = co_await aws::describe_container_instances(client, std::move(cluster),
                                                              std::move(*arns), at_most);
  if (!described) co_return std::unexpected(described.error());
  co_return std::move(described->found);
}

}  // namespace

Result<Introspection> decode_introspection(const std::string& body) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(body, wrong);
  if (wrong) return permanent("introspection of the ECS agent: expected JSON");
  Introspection said{.cluster = text_at(root, {"Cluster"}),
                     .instance_arn = text_at(root, {"ContainerInstanceArn"})};
  if (said.cluster.empty()) {
    return permanent("introspection of the ECS agent: expected a Cluster in the answer");
  }
  return said;
}

Task<Result<Introspection>> introspect(http::Client& client, std::string base_url, Millis at_most) {
  http::Request request;
  request.url = base_url + "/v1/metadata";
  request.timeout = at_most;
  request.connect_timeout = at_most;
  request.max_body = kMaxBody;
  const auto response = co_await client.send(std::move(request));
  if (!response) co_return std::unexpected(response.error().within("introspection"));
  if (!response->ok()) {
    Error error{
        .kind = ErrorKind::kRetryable,
        .message = fmt::format("introspection at {}: answered {}", base_url, response->status)};
    error.status = response->status;
    co_return std::unexpected(std::move(error));
  }
  co_return decode_introspection(response->body);
}

std::string cluster_of(const std::string& instance_arn) {
  const size_t first = instance_arn.find('/');
  const size_t last = instance_arn.rfind('/');
  if (first == std::string::npos || first == last) return {};
  return instance_arn.substr(first + 1, last - first - 1);
}

std::string short_id(const std::string& arn) {
  return arn.substr(arn.rfind('/') + 1);
}

const aws::ContainerInstance* choose(const std::vector<aws::ContainerInstance>& found,
                                     const std::string& ec2_instance_id) {
  const aws::ContainerInstance* best = nullptr;
  for (const aws::ContainerInstance& instance : found) {
    if (instance.ec2_instance_id != ec2_instance_id) continue;
    if (best == nullptr || standing(instance) > standing(*best)) best = &instance;
  }
  return best;
}

Silence silence_at(int attempt) {
  constexpr int kFirst = 4;
  return attempt >= kFirst && is_said(attempt) ? Silence::kDoubted : Silence::kBelieved;
}

Task<Result<Instance>> find_instance(aws::Client& client, std::string cluster, std::string host,
                                     Millis at_most, Silence silence) {
  if (!host.starts_with("i-")) {
    if (const std::string named = cluster_of(host); !named.empty()) cluster = named;
    std::vector<std::string> ids{host};
    auto described =
        co_await aws::describe_container_instances(client, cluster, std::move(ids), at_most);
    if (!described) co_return std::unexpected(described.error());
    // Old ARNs do not name the cluster, so the id at the end is what must be the same.
    const auto same = std::ranges::find_if(described->found, [&](const auto& instance) {
      return short_id(instance.arn) == short_id(host);
    });
    if (same == described->found.end()) {
      co_return nobody(fmt::format("host '{}': cluster {} has no such container instance", host,
                                   name_of(cluster)));
    }
    Instance found{.cluster = std::move(cluster), .facts = std::move(*same)};
    co_return found;
  }
  // A filter that is ignored, or answers what is no longer so, must not lead to another host: then
  // all are looked through.
  for (const std::string& filter : {"ec2InstanceId == " + host, std::string()}) {
    const Instances found = co_await look(client, cluster, filter, at_most);
    if (!found) co_return std::unexpected(found.error());
    if (const aws::ContainerInstance* instance = choose(*found, host)) {
      Instance answer{.cluster = std::move(cluster), .facts = *instance};
      co_return answer;
    }
    if (found->empty() && silence == Silence::kBelieved) break;
  }
  co_return nobody(fmt::format("host '{}': no container instance of cluster {} runs on it", host,
                               name_of(cluster)));
}

}  // namespace spotkeeper::ecs
