// SPDX-License-Identifier: Apache-2.0
#include "config/platform.h"

#include <algorithm>
#include <vector>

namespace spotkeeper::config {
namespace {

constexpr const char* kEcs = "ECS";
constexpr Millis kDefaultStopTimeout{30'000};

// As the ECS agent reads it: what is no duration is the default, less than a second is a second.
Setter agents_stop_timeout(Millis& target) {
  return [&target](const std::string& value) -> Expected {
    Millis read{0};
    target = kDefaultStopTimeout;
    if (!duration(read, Millis(0), std::chrono::hours(24))(value) && read > Millis(0)) {
      target = std::max(read, Millis(1'000));
    }
    return {};
  };
}

}  // namespace

const char* to_string(Platform platform) {
  switch (platform) {
    case Platform::kAuto:
      return "auto";
    case Platform::kKubernetes:
      return "kubernetes";
    case Platform::kEcs:
      return "ecs";
  }
  return "unknown";
}

Flag platform_flag(const char* env, const char* group, bool may_be_auto, Platform& target) {
  std::vector<std::string> words{"kubernetes", "ecs"};
  if (may_be_auto) words.emplace_back("auto");
  return {"platform",
          env,
          group,
          "WHERE",
          may_be_auto ? "kubernetes, ecs, or auto: ecs when the ECS agent of this host answers"
                      : "kubernetes or ecs (default kubernetes)",
          {[&target, words](const std::string& value) -> Expected {
             std::string word;
             Expected expected = choice(word, words)(value);
             if (expected) return expected;
             target = word == "ecs"    ? Platform::kEcs
                      : word == "auto" ? Platform::kAuto
                                       : Platform::kKubernetes;
             return {};
           },
           [&target] { return std::string(to_string(target)); }},
          '\0',
          words};
}

Flag cluster_flag(const char* group, EcsOptions& o) {
  return {"cluster",
          "ECS_CLUSTER",
          group,
          "NAME",
          "ECS cluster, by name or ARN; default: that of this host, or 'default'",
          text(o.cluster)};
}

Flags ecs_flags(EcsOptions& o) {
  return {
      cluster_flag(kEcs, o),
      {"ecs-introspection-url", "ECS_INTROSPECTION_URL", kEcs, "URL",
       "the ECS agent's introspection, which says which container instance this host is",
       url(o.introspection_url)},
      {"ecs-container-stop-timeout", "ECS_CONTAINER_STOP_TIMEOUT", kEcs, "DURATION",
       "what a container without a stopTimeout gets: as the ECS agent's own (default 30s)",
       agents_stop_timeout(o.stop_timeout)},
      {"ecs-deregister-targets", "ECS_DEREGISTER_TARGETS", kEcs, "",
       "take tasks out of their target groups at once (default true)",
       boolean(o.deregister_targets)},
      {"ecs-force-new-deployment", "ECS_FORCE_NEW_DEPLOYMENT", kEcs, "",
       "begin a new deployment of every service that is on the host: replacements first",
       boolean(o.force_new_deployment)},
      {"ecs-deregister", "ECS_DEREGISTER", kEcs, "",
       "take the container instance out of its cluster when its drain is over",
       boolean(o.deregister)},
  };
}

}  // namespace spotkeeper::config
