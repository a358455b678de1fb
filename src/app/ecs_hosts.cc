// SPDX-License-Identifier: Apache-2.0
#include "app/ecs_hosts.h"

#include <set>
#include <utility>

#include "aws/endpoint.h"
#include "config/host_file.h"

namespace spotkeeper::app {

Result<std::unique_ptr<AwsAccess>> reach_aws(const config::DrainOptions& options, TaskGroup& tasks,
                                             const Clock& clock) {
  const auto named = aws::region_of(aws::process_environment());
  if (!named) return std::unexpected(named.error());
  std::string region = named->value_or("");
  for (const std::string& host : options.hosts) {
    if (region.empty()) region = region_of_arn(host);
  }
  if (region.empty()) {
    return permanent("AWS_REGION: expected the cluster's region, such as eu-west-1");
  }
  return AwsAccess::make(tasks, clock, std::move(region), {});
}

Task<Result<std::vector<ecs::Instance>>> find_instances(aws::Client& client,
                                                        config::DrainOptions options) {
  std::vector<ecs::Instance> all;
  std::set<std::string> taken;
  for (size_t i = 0; i < options.hosts.size(); ++i) {
    auto found = co_await ecs::find_instance(client, options.ecs.cluster, options.hosts[i]);
    if (!found) {
      Error error = found.error();
      if (i < options.host_lines.size()) {
        error = error.within(config::name_of_host_file(options.host_file) + ":" +
                             std::to_string(options.host_lines[i]));
      }
      co_return std::unexpected(std::move(error));
    }
    if (taken.insert(found->facts.arn).second) all.push_back(std::move(*found));
  }
  co_return all;
}

core::HostId host_of(const ecs::Instance& instance) {
  const std::string& id = instance.facts.ec2_instance_id;
  return core::HostId(id.empty() ? ecs::short_id(instance.facts.arn) : id);
}

}  // namespace spotkeeper::app
