// SPDX-License-Identifier: Apache-2.0
#include "app/kubernetes_platform.h"

#include <utility>

#include "app/node_start.h"
#include "app/rights_check.h"
#include "async/timing.h"
#include "base/backoff.h"
#include "effects/kubernetes.h"
#include "effects/mark.h"
#include "effects/rights.h"
#include "kube/api.h"
#include "kube/calls.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kLookForEnd{50};

// A queue may hear of the same node: the record says whose it is. Another life of ours on this node
// is us.
effects::Kubernetes::Options held_options(const config::AgentOptions& options) {
  effects::Kubernetes::Options effects = effect_options(options);
  effects.holder = "agent/" + options.node_name;
  return effects;
}

class KubernetesPlatform final : public Platform {
 public:
  KubernetesPlatform(const config::AgentOptions& options, kube::Access access, PlatformPlace place)
      : options_(options),
        host_(options.node_name),
        place_(std::move(place)),
        api_(place_.work.executor(), std::move(access)),
        kubernetes_(api_, place_.work, place_.clock, held_options(options), place_.hooks.tell),
        rights_(api_, place_.log,
                [this](const RightsCheck::Found& found) { rights_found(found); }) {
    api_.renew_in(place_.work, [this](const Error& error) {
      place_.log.warning(
          "the cluster's credential is not renewed yet; the last one is still "
          "valid: " +
          error.message);
    });
    kubernetes_.on_node = [this](const kube::Node& node) { node_seen(node); };
    count_requests(api_, kubernetes_.events(), place_.counters, place_.log);
  }

  const core::HostId& host() const override { return host_; }
  observe::Fields fields() const override {
    return {{"node", options_.node_name}, {"cluster", api_.access().description}};
  }
  void start() override {
    place_.sources.spawn("node check", check_node());
    if (options_.lifecycle.wanted()) {
      place_.sources.spawn("lifecycle",
                           describe_lifecycle(api_, place_.imds, options_, place_.log));
    }
    place_.work.spawn("rights", rights_.run());
  }
  void carry_out(core::Action action) override { kubernetes_.carry_out(std::move(action)); }
  void watch(const core::Notice&) override { kubernetes_.watch(host_); }
  void noted(const core::Entry& entry) override {
    if (entry.what == core::What::kDenied && entry.level > core::Level::kDebug) rights_.denied();
  }
  Task<> settle() override {
    while (!kubernetes_.events().idle()) co_await sleep_for(kLookForEnd);
  }
  void publish(const core::HostId& host, const Tidings& tidings) override {
    kubernetes_.events().tell(event_of(host, tidings));
  }
  void publish_of(const core::HostId& host, const core::UnitId& unit,
                  const Tidings& tidings) override {
    const kube::Pod* pod = kubernetes_.find(host, unit);
    if (pod != nullptr) kubernetes_.events().tell(event_of(*pod, host, tidings));
  }
  HostFacts facts(const core::HostId&) const override { return facts_; }
  std::string unready() const override {
    return node_read_ ? "" : "the node has not been read yet";
  }

 private:
  void rights_found(const RightsCheck::Found& found) {
    kubernetes_.lacks(found.lacking);
    place_.hooks.able(effects::abilities_of(found.held));
  }
  Task<> check_node();
  void node_seen(const kube::Node& node) {
    facts_ = {.provider_id = node.provider_id, .labels = node.labels};
    node_read_ = true;
  }

  const config::AgentOptions& options_;
  core::HostId host_;
  PlatformPlace place_;
  kube::Api api_;
  effects::Kubernetes kubernetes_;
  RightsCheck rights_;
  HostFacts facts_;
  bool node_read_ = false;
};

// Says early, once, whether the node can be read; until it can, tries again.
Task<> KubernetesPlatform::check_node() {
  for (int attempt = 1;; ++attempt) {
    const Result<kube::Node> node = co_await kube::get_node(api_, options_.node_name);
    if (node) {
      node_seen(*node);
      place_.log.info(
          "node found",
          {{"node", node->name},
           {"provider_id", node->provider_id},
           {"marked", node->annotations.contains(effects::kStateAnnotation) ? "by an earlier notice"
                                                                            : "no"}});
      const core::NoticeId been =
          co_await undo_after_reboot(api_, *node, options_, place_.clock, place_.log);
      auto notice = effects::recorded_notice(*node);
      if (notice && notice->id != been) place_.hooks.resume(std::move(*notice));
      place_.hooks.known(been);
      co_return;
    }
    const Error& error = node.error();
    const core::Level level =
        error.kind == ErrorKind::kRetryable ? core::Level::kWarning : core::Level::kError;
    if (is_said(attempt)) {
      place_.log.write(level, "the node cannot be read: " + error.message,
                       {{"node", options_.node_name}, {"attempt", std::to_string(attempt)}});
    }
    const Backoff backoff{
        .attempt = attempt, .base = Millis(1'000), .cap = Millis(60'000), .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

}  // namespace

effects::Kubernetes::Options effect_options(const config::AgentOptions& options) {
  effects::Kubernetes::Options effects;
  effects.pods.ignore_daemon_sets = options.ignore_daemon_sets;
  effects.pods.own_pod = options.pod_name;
  effects.pods.own_namespace = options.pod_namespace;
  const core::Policy policy = config::policy_of(options);
  effects.taint = policy.taint;
  effects.taint_effect = policy.taint_effect;
  effects.local_services = policy.exclude_from_load_balancers;
  effects.hand_over = core::may_hand_over(policy);
  effects.reporter = options.node_name;
  effects.requests = {.per_s = policy.requests_per_s, .burst = policy.request_burst};
  return effects;
}

void count_requests(kube::Api& api, effects::Events& events, Counters& counters,
                    observe::Log& log) {
  api.on_answer = [&counters](const std::string& verb, const std::string& resource, int status) {
    counters.count("api_requests",
                   {{"verb", verb}, {"resource", resource}, {"code", std::to_string(status)}});
  };
  events.on_done = [&counters](bool written) {
    counters.count("kubernetes_events", {{"outcome", written ? "written" : "dropped"}});
  };
  events.on_denied = [&log](const Error& error) {
    log.warning(
        "missing right events create, patch: no Kubernetes events are written; add "
        "deploy/rbac/agent-events.yaml: " +
        error.message);
  };
}

effects::KubeEvent event_of(const core::HostId& host, const Scene::Tidings& tidings) {
  effects::KubeEvent event = effects::about_node(host.value, tidings.reason, tidings.message);
  event.warning = tidings.warning;
  event.annotations = tidings.annotations;
  return event;
}

effects::KubeEvent event_of(const kube::Pod& pod, const core::HostId& host,
                            const Scene::Tidings& tidings) {
  effects::KubeEvent event = effects::about_pod(pod, tidings.reason, tidings.message);
  event.annotations = tidings.annotations;
  // As NTH has them, so that events can be found by what their pods are.
  for (const auto& [key, value] : pod.labels) event.annotations.emplace(key, value);
  event.annotations.insert_or_assign("node", host.value);
  return event;
}

MakePlatform on_kubernetes(const config::AgentOptions& options, kube::Access access) {
  return [&options, access = std::move(access)](PlatformPlace place) -> std::unique_ptr<Platform> {
    return std::make_unique<KubernetesPlatform>(options, access, std::move(place));
  };
}

}  // namespace spotkeeper::app
