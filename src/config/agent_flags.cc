// SPDX-License-Identifier: Apache-2.0
// The agent's flags: NTH's names where NTH has the option.
#include <cctype>
#include <cstdint>
#include <utility>

#include "config/agent_options.h"
#include "config/policy_flags.h"

namespace spotkeeper::config {
namespace {

const std::vector<std::string> kEffects{"NoSchedule", "PreferNoSchedule", "NoExecute"};
const std::vector<std::string> kLevels{"info", "debug", "error"};

// Kept as text, as the kubelet gives it.
Setter port(std::string& target) {
  return {[&target](const std::string& value) {
            int port = 0;
            Expected expected = number(port, 1, 65535)(value);
            if (!expected) target = value;
            return expected;
          },
          [&target] { return target; }};
}

// The new name of --grace-period, which it wins over.
Setter pod_grace(AgentOptions& o) {
  const Setter read = number(o.pod_termination_grace_period, INT32_MIN, INT32_MAX);
  return {[read, &o](const std::string& value) {
            o.nth.pod_grace_given = true;
            return read(value);
          },
          [read] { return *read.shown(); }};
}

Expected read_level(core::Level& target, const std::string& value) {
  std::string lower;
  for (const char c : value) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (lower == "debug") {
    target = core::Level::kDebug;
  } else if (lower == "info") {
    target = core::Level::kInfo;
  } else if (lower == "error") {
    target = core::Level::kError;
  } else {
    return "info, debug or error";
  }
  return {};
}

Setter level(core::Level& target) {
  return {[&target](const std::string& value) { return read_level(target, value); },
          [&target]() -> std::string {
            if (target == core::Level::kDebug) return "debug";
            return target == core::Level::kError ? "error" : "info";
          }};
}

constexpr const char* kNode = "Node and cluster";
constexpr const char* kNotices = "Notices";
constexpr const char* kDrain = "Drain";
constexpr const char* kOutput = "Log";
constexpr const char* kTelling = "Webhook, metrics, probes, events";

}  // namespace

Flags agent_flags(AgentOptions& o) {
  Flags flags{
      platform_flag("SPOTKEEPER_PLATFORM", kNode, true, o.platform),
      {"node-name", "NODE_NAME", kNode, "NAME",
       "the node this agent runs on and drains (required on Kubernetes)", text(o.node_name)},
      {"pod-name", "POD_NAME", kNode, "NAME", "our own pod, which is not moved", text(o.pod_name)},
      {"pod-namespace", "NAMESPACE", kNode, "NAME", "namespace of our own pod; empty matches any",
       text(o.pod_namespace)},
      {"kubernetes-service-host", "KUBERNETES_SERVICE_HOST", kNode, "HOST",
       "API server, as the kubelet sets it", text(o.kubernetes_service_host)},
      {"kubernetes-service-port", "KUBERNETES_SERVICE_PORT", kNode, "PORT",
       "API server's port, as the kubelet sets it", port(o.kubernetes_service_port)},
      {"service-account-dir", "SERVICE_ACCOUNT_DIR", kNode, "DIR",
       "folder with token and ca.crt; read again as they rotate", text(o.service_account_dir)},
      {"kubeconfig", "KUBECONFIG", kNode, "FILE", "reach the cluster by this file instead",
       text(o.kubeconfig)},
      {"context", "KUBE_CONTEXT", kNode, "NAME",
       "context of the kubeconfig; default: its current one", text(o.kube_context)},
      {"metadata-url", "INSTANCE_METADATA_URL", kNotices, "URL", "instance metadata service",
       url(o.metadata_url)},
      {"metadata-tries", "METADATA_TRIES", kNotices, "N", "tries for each metadata request",
       number(o.metadata_tries, 1, 100)},
      {"imds-poll-interval", "IMDS_POLL_INTERVAL", kNotices, "DURATION",
       "how often instance metadata is polled",
       duration(o.imds_poll_interval, Millis(100), Millis(60'000))},
      {"enable-spot-interruption-draining", "ENABLE_SPOT_INTERRUPTION_DRAINING", kNotices, "",
       "act on Spot interruption notices", boolean(o.enable_spot_interruption_draining)},
      {"enable-scheduled-event-draining", "ENABLE_SCHEDULED_EVENT_DRAINING", kNotices, "",
       "act on scheduled maintenance, and uncordon after its reboot (default true)",
       boolean(o.enable_scheduled_event_draining)},
      {"enable-asg-lifecycle-draining", "ENABLE_ASG_LIFECYCLE_DRAINING", kNotices, "",
       "act when Auto Scaling is about to terminate the instance",
       boolean(o.enable_asg_lifecycle_draining)},
      {"enable-rebalance-monitoring", "ENABLE_REBALANCE_MONITORING", kNotices, "",
       "at a rebalance recommendation only cordon the node",
       boolean(o.enable_rebalance_monitoring)},
      {"enable-rebalance-draining", "ENABLE_REBALANCE_DRAINING", kNotices, "",
       "act on rebalance recommendations: soft, so no budget is overruled",
       boolean(o.enable_rebalance_draining)},
      {"enable-rebalance-soft-signal", "ENABLE_REBALANCE_SOFT_SIGNAL", kNotices, "",
       "at a rebalance recommendation do not cordon: taint the node PreferNoSchedule, and move "
       "only "
       "pods whose grace is longer than the two minutes of an interruption",
       boolean(o.enable_rebalance_soft_signal)},
      {"rebalance-trust", "REBALANCE_TRUST", kNotices, "DURATION",
       "when no interruption follows within this, what a recommendation did is taken back (default "
       "1h; 0: never)",
       duration(o.rebalance_trust, Millis(0), std::chrono::hours(24 * 30))},
      {"uptime-from-file", "UPTIME_FROM_FILE", kNotices, "FILE",
       "where the host's uptime is read (default /proc/uptime)", text(o.uptime_from_file)},
      {"taint-node", "TAINT_NODE", kDrain, "", "taint the node with the notice's taint",
       boolean(o.taint_node)},
      {"taint-effect", "TAINT_EFFECT", kDrain, "EFFECT",
       "NoSchedule, PreferNoSchedule or NoExecute (NoSchedule at the mark, NoExecute in the host's "
       "last seconds)",
       choice(o.taint_effect, kEffects), '\0', kEffects},
      {"ignore-daemon-sets", "IGNORE_DAEMON_SETS", kDrain, "",
       "DaemonSet pods stay; they stay in any case, and never stop the drain of others",
       boolean(o.ignore_daemon_sets)},
      {"daemon-set-signal", "DAEMON_SET_SIGNAL", kDrain, "",
       "tell DaemonSet pods in the host's last seconds; needs --taint-node",
       boolean(o.daemon_set_signal)},
      {"delete-local-data", "DELETE_LOCAL_DATA", kDrain, "",
       "move pods with emptyDir like others; false: tell them only at their last moment",
       boolean(o.delete_local_data)},
      {"pod-termination-grace-period", "POD_TERMINATION_GRACE_PERIOD", kDrain, "SECONDS",
       "grace for every pod; negative: each pod's own", pod_grace(o)},
      {"node-termination-grace-period", "NODE_TERMINATION_GRACE_PERIOD", kDrain, "SECONDS",
       "pods are left alone until this long before the host ends; 120 and more: at once",
       number(o.node_termination_grace_period, 0, 1'000'000'000)},
      {"enough-grace", "ENOUGH_GRACE", kDrain, "SECONDS",
       "a closed budget may hold a pod until this much of its grace is left (default 60; on ECS "
       "all "
       "of it)",
       number(o.enough_grace, 1, 86400)},
      {"margin", "DRAIN_MARGIN", kDrain, "SECONDS", "be done this long before the host ends",
       number(o.margin, 0, 60)},
      policy_file_flag("POLICY_FILE", kDrain, o.policy_file),
      hand_over_flag("HAND_OVER", kDrain, o.hand_over),
      qps_flag(kDrain, o.kube_api_qps),
      burst_flag(kDrain, o.kube_api_burst),
      {"early-word", "EARLY_WORD", kDrain, "",
       "annotate each pod that will go with spotkeeper.io/notice at once", boolean(o.early_word)},
      {"exclude-from-load-balancers", "EXCLUDE_FROM_LOAD_BALANCERS", kDrain, "",
       "label the node so that external load balancers leave it out, before its pods go",
       boolean(o.exclude_from_load_balancers)},
      {"enable-out-of-service-taint", "ENABLE_OUT_OF_SERVICE_TAINT", kDrain, "",
       "taint the node out-of-service when all pods have left: volumes are detached by force; only "
       "where the instance ends for certain",
       boolean(o.enable_out_of_service_taint)},
      {"cordon-only", "CORDON_ONLY", kDrain, "", "mark the node, never drain it",
       boolean(o.cordon_only)},
      {"dry-run", "DRY_RUN", kDrain, "", "say what would be done, change nothing",
       boolean(o.dry_run)},
      {"log-level", "LOG_LEVEL", kOutput, "LEVEL", "info, debug or error", level(o.log_level), '\0',
       kLevels},
      {"json-logging", "JSON_LOGGING", kOutput, "", "log as JSON, one object a line, to stderr",
       boolean(o.json_logging)},
  };
  for (Flag& flag : lifecycle_flags(o.lifecycle)) flags.push_back(std::move(flag));
  for (Flag& flag : telling_flags(kTelling, o.telling)) flags.push_back(std::move(flag));
  for (Flag& flag : ecs_flags(o.ecs)) flags.push_back(std::move(flag));
  for (Flag& flag : nth_flags(o.nth)) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace spotkeeper::config
