// SPDX-License-Identifier: Apache-2.0
#include "app/queue_cluster.h"

#include <utility>

#include "app/holder.h"
#include "app/kubernetes_platform.h"
#include "async/timing.h"
#include "base/backoff.h"
#include "effects/mark.h"
#include "effects/node_writes.h"
#include "effects/rights.h"
#include "kube/calls.h"
#include "kube/follow.h"
#include "kube/list.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kLookForOrphans{2'000};
constexpr Millis kLookForEnd{50};
// Source: Kubernetes, "Well-Known Labels, Annotations and Taints".
constexpr const char* kZone = "topology.kubernetes.io/zone";
constexpr const char* kRegion = "topology.kubernetes.io/region";
constexpr const char* kType = "node.kubernetes.io/instance-type";

// Our own pod is moved like any other: another process goes on.
effects::Kubernetes::Options queue_effects(const config::QueueOptions& options) {
  effects::Kubernetes::Options effects = effect_options(options.agent);
  effects.pods.own_pod.clear();
  effects.holder = this_process();
  effects.holder_ended = has_ended;
  return effects;
}

}  // namespace

QueueCluster::QueueCluster(const config::QueueOptions& options, kube::Access access, Place place)
    : options_(options),
      place_(std::move(place)),
      api_(place_.work.executor(), std::move(access)),
      kubernetes_(api_, place_.work, place_.clock, queue_effects(options), place_.hooks.tell),
      rights_(api_, place_.log,
              [this](const RightsCheck::Found& found) {
                kubernetes_.lacks(found.lacking);
                place_.hooks.able(effects::abilities_of(found.held));
              }),
      holders_(this_process(), has_ended) {
  api_.renew_in(place_.work, [this](const Error& error) {
    place_.log.warning(
        "the cluster's credential is not renewed yet; the last one is still valid: " +
        error.message);
  });
  count_requests(api_, kubernetes_.events(), place_.counters, place_.log);
}

void QueueCluster::start() {
  kubernetes_.look_up = [this](const std::string& name) { return nodes_.find(name); };
  kube::Sink<kube::Node> sink;
  sink.changed = [this](const kube::Node& node) { node_changed(node); };
  sink.gone = [this](const kube::Node& node) {
    nodes_.erase(node.name);
    recorded_.erase(node.name);
    holders_.forget(node.name);
    place_.hooks.gone(core::HostId(node.name));
  };
  sink.synced = [this] {
    if (std::exchange(known_, true)) return;
    place_.log.info("nodes are known", {{"nodes", std::to_string(nodes_.all().size())}});
  };
  sink.failed = [this](const Error& error) { watch_failed(error); };
  kube::Listing listing = kube::listing_of("/api/v1/nodes");
  listing.urgent = true;
  place_.work.spawn("nodes", kube::follow<kube::Node>(api_, std::move(listing), kube::decode_node,
                                                      std::move(sink)));
  place_.work.spawn("rights", rights_.run());
  place_.work.spawn("orphans", look_for_orphans());
}

void QueueCluster::watch_failed(const Error& error) {
  place_.counters.count("node_watch_failures");
  if (!is_said(++failures_)) return;
  place_.log.warning("the nodes cannot be watched: " + error.message,
                     {{"failures", std::to_string(failures_)}});
}

void QueueCluster::node_changed(const kube::Node& node) {
  failures_ = 0;
  nodes_.put(node);
  if (effects::recorded_notice(node)) {
    recorded_.insert(node.name);
    // Given up by its holder: nobody need wait.
    if (known_ && !effects::recorded_holder(node)) consider(node);
  } else {
    recorded_.erase(node.name);
  }
}

// What a person has begun is that person's.
void QueueCluster::consider(const kube::Node& node) {
  const core::HostId host(node.name);
  if (place_.hooks.busy(host)) return;
  std::optional<core::Notice> notice = effects::recorded_notice(node);
  if (!notice || notice->kind == core::NoticeKind::kManual) return;
  const Time now = place_.clock.now();
  if (core::is_hard(*notice) && notice->deadline <= now) return;
  if (holders_.obstacle(node, now)) return;
  notice->received = now;
  place_.hooks.resume(node, std::move(*notice));
}

// A holder that has died is found out by its record, which does not change any more.
Task<> QueueCluster::look_for_orphans() {
  for (;;) {
    if (known_) {
      for (const std::string& name : std::set<std::string>(recorded_)) {
        if (const kube::Node* node = nodes_.find(name)) consider(*node);
      }
    }
    co_await sleep_for(kLookForOrphans);
  }
}

void QueueCluster::forget(const core::HostId& host) {
  kubernetes_.forget(host);
  said_.erase(host);
}

void QueueCluster::clock_moved() {
  holders_ = effects::Holders(this_process(), has_ended);
}

Task<> QueueCluster::give_up(core::HostId host) {
  const Result<std::string> done = co_await effects::give_up_node(api_, host.value, this_process());
  if (!done) {
    place_.log.warning("the node could not be given up; it is taken over when its record is old: " +
                           done.error().message,
                       {{"node", host.value}});
  } else if (!done->empty()) {
    place_.log.info("the node is given to another process", {{"node", host.value}});
  }
}

Task<> QueueCluster::bury(core::HostId host) {
  const std::string& how = options_.after_termination;
  const kube::Node* node = nodes_.find(host.value);
  if (how == "nothing" || node == nullptr) co_return;
  if (options_.agent.dry_run) {
    place_.log.info(
        "the instance is terminated: " + how + " would be done, but dry-run flag was set",
        {{"node", host.value}});
    co_return;
  }
  Error failed;
  if (how == "delete-node") {
    const Result<void> done = co_await kube::delete_node(api_, node->name, node->uid);
    if (!done && done.error().kind != ErrorKind::kGone) failed = done.error();
  } else {
    const std::vector<kube::Taint> taints{
        {.key = effects::kOutOfServiceTaint, .value = "nodeshutdown", .effect = "NoExecute"}};
    const auto done = co_await effects::describe_node(api_, node->name, {}, taints);
    if (!done && done.error().kind != ErrorKind::kGone) failed = done.error();
  }
  if (failed.message.empty()) {
    place_.log.info("the instance is terminated: " + how, {{"node", host.value}});
  } else {
    place_.log.warning("the instance is terminated, but " + how + " failed: " + failed.message,
                       {{"node", host.value}});
  }
}

Task<> QueueCluster::settle() {
  while (!kubernetes_.events().idle()) co_await sleep_for(kLookForEnd);
}

HostFacts QueueCluster::facts(const core::HostId& host) const {
  HostFacts facts;
  if (const auto said = said_.find(host); said != said_.end()) {
    facts.description = said->second.description;
    facts.group = said->second.group;
    facts.managed = said->second.managed;
    facts.instance.account_id = said->second.account;
  }
  const kube::Node* node = nodes_.find(host.value);
  if (node == nullptr) return facts;
  facts.provider_id = node->provider_id;
  facts.labels = node->labels;
  facts.instance.instance_id = effects::instance_of(*node);
  facts.instance.instance_type = effects::label_of(*node, kType);
  facts.instance.availability_zone = effects::label_of(*node, kZone);
  facts.instance.region = effects::label_of(*node, kRegion);
  facts.instance.local_hostname = node->name;
  return facts;
}

void QueueCluster::publish(const core::HostId& host, const Tidings& tidings) {
  kubernetes_.events().tell(event_of(host, tidings));
}

void QueueCluster::publish_of(const core::HostId& host, const core::UnitId& unit,
                              const Tidings& tidings) {
  const kube::Pod* pod = kubernetes_.find(host, unit);
  if (pod != nullptr) kubernetes_.events().tell(event_of(*pod, host, tidings));
}

}  // namespace spotkeeper::app
