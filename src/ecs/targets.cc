// SPDX-License-Identifier: Apache-2.0
#include "ecs/targets.h"

#include <algorithm>

namespace spotkeeper::ecs {
namespace {

bool leads_to(const aws::Target& target, const aws::EcsContainer& container, bool host_network,
              int64_t container_port, const std::string& ec2_instance_id) {
  if (std::ranges::count(container.private_ips, target.id) != 0) {
    return !target.port || *target.port == container_port;
  }
  if (ec2_instance_id.empty() || target.id != ec2_instance_id || !target.port) return false;
  if (host_network && *target.port == container_port) return true;
  return std::ranges::any_of(container.bindings, [&](const aws::NetworkBinding& binding) {
    return binding.container_port == container_port && binding.host_port == *target.port;
  });
}

bool is_own(const std::vector<aws::Target>& own, const aws::Target& target) {
  return std::ranges::count(own, target) != 0;
}

}  // namespace

std::vector<aws::Target> targets_of(const std::vector<aws::TargetHealth>& registered,
                                    const aws::EcsTask& task, const std::string& network_mode,
                                    const aws::EcsLoadBalancer& balancer,
                                    const std::string& ec2_instance_id) {
  std::vector<aws::Target> own;
  for (const aws::EcsContainer& container : task.containers) {
    if (container.name != balancer.container_name) continue;
    for (const aws::TargetHealth& each : registered) {
      if (each.state == "unused" || !leads_to(each.target, container, network_mode == "host",
                                              balancer.container_port, ec2_instance_id)) {
        continue;
      }
      own.push_back(each.target);
    }
  }
  return own;
}

bool others_serve(const std::vector<aws::TargetHealth>& registered,
                  const std::vector<aws::Target>& own) {
  return std::ranges::any_of(registered, [&own](const aws::TargetHealth& each) {
    return each.state == "healthy" && !is_own(own, each.target);
  });
}

bool any_draining(const std::vector<aws::TargetHealth>& registered,
                  const std::vector<aws::Target>& own) {
  return std::ranges::any_of(registered, [&own](const aws::TargetHealth& each) {
    return each.state.ends_with("draining") && is_own(own, each.target);
  });
}

std::vector<aws::Target> not_draining(const std::vector<aws::TargetHealth>& registered,
                                      const std::vector<aws::Target>& own) {
  std::vector<aws::Target> serving;
  for (const aws::TargetHealth& each : registered) {
    const bool out = each.state == "unused" || each.state.ends_with("draining");
    if (!out && is_own(own, each.target)) serving.push_back(each.target);
  }
  return serving;
}

Time serves_until(Time end, Seconds stop_timeout, Seconds delay) {
  return end - stop_timeout - delay - kBeforeStop;
}

std::string to_string(const aws::Target& target) {
  return target.port ? target.id + ":" + std::to_string(*target.port) : target.id;
}

}  // namespace spotkeeper::ecs
