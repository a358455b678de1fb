// SPDX-License-Identifier: Apache-2.0
// The table of options: NTH's names where NTH has the option.
#include <charconv>
#include <string_view>

#include "config/agent_options.h"

namespace spotkeeper::config {
namespace {

using Expected = std::optional<std::string>;

// As Go's strconv.ParseBool reads it.
Expected set_bool(bool& target, const std::string& text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) {
      target = true;
      return {};
    }
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) {
      target = false;
      return {};
    }
  }
  return "true or false";
}

Expected set_int(int& target, const std::string& text, int least, int most) {
  const std::string expected =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return expected;
  if (value < least || value > most) return expected;
  target = value;
  return {};
}

// "500ms", "1s", "2m", or a number of seconds.
Expected set_duration(Millis& target, const std::string& text, Millis least, Millis most) {
  const std::string expected = "a duration from " + format_duration(least) + " to " +
                               format_duration(most) + ", such as 500ms or 2s";
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return expected;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  Millis value(0);
  if (unit == "ms") {
    value = Millis(number);
  } else if (unit.empty() || unit == "s") {
    value = Seconds(number);
  } else if (unit == "m") {
    value = std::chrono::minutes(number);
  } else {
    return expected;
  }
  if (value < least || value > most) return expected;
  target = value;
  return {};
}

Expected set_url(std::string& target, const std::string& text) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) return "an http or https URL";
  target = text;
  while (target.ends_with('/')) target.pop_back();
  return {};
}

Expected set_port(std::string& target, const std::string& text) {
  int port = 0;
  Expected expected = set_int(port, text, 1, 65535);
  if (!expected) target = text;
  return expected;
}

Expected set_level(core::Level& target, const std::string& text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
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

Expected set_effect(std::string& target, const std::string& text) {
  if (text != "NoSchedule" && text != "PreferNoSchedule" && text != "NoExecute") {
    return "NoSchedule, PreferNoSchedule or NoExecute";
  }
  target = text;
  return {};
}

template <std::string AgentOptions::* member>
Expected text(AgentOptions& options, const std::string& value) {
  options.*member = value;
  return {};
}

template <bool AgentOptions::* member>
Expected flag(AgentOptions& options, const std::string& value) {
  return set_bool(options.*member, value);
}

template <int AgentOptions::* member, int least, int most>
Expected number(AgentOptions& options, const std::string& value) {
  return set_int(options.*member, value, least, most);
}

constexpr const char* kNode = "Node and cluster";
constexpr const char* kNotices = "Notices";
constexpr const char* kDrain = "Drain";
constexpr const char* kOutput = "Log and metrics";

}  // namespace

const std::vector<Option>& agent_option_table() {
  using O = AgentOptions;
  static const std::vector<Option> table{
      {"node-name", "NODE_NAME", kNode, "NAME", "the node this agent runs on and drains (required)",
       text<&O::node_name>},
      {"pod-name", "POD_NAME", kNode, "NAME", "our own pod, which is not moved",
       text<&O::pod_name>},
      {"pod-namespace", "NAMESPACE", kNode, "NAME", "namespace of our own pod; empty matches any",
       text<&O::pod_namespace>},
      {"kubernetes-service-host", "KUBERNETES_SERVICE_HOST", kNode, "HOST",
       "API server, as the kubelet sets it", text<&O::kubernetes_service_host>},
      {"kubernetes-service-port", "KUBERNETES_SERVICE_PORT", kNode, "PORT",
       "API server's port, as the kubelet sets it",
       [](O& o, const std::string& v) { return set_port(o.kubernetes_service_port, v); }},
      {"service-account-dir", "SERVICE_ACCOUNT_DIR", kNode, "DIR",
       "folder with token and ca.crt; read again as they rotate", text<&O::service_account_dir>},
      {"kubeconfig", "KUBECONFIG", kNode, "FILE", "reach the cluster by this file instead",
       text<&O::kubeconfig>},
      {"context", "KUBE_CONTEXT", kNode, "NAME",
       "context of the kubeconfig; default: its current one", text<&O::kube_context>},
      {"metadata-url", "INSTANCE_METADATA_URL", kNotices, "URL", "instance metadata service",
       [](O& o, const std::string& v) { return set_url(o.metadata_url, v); }},
      {"metadata-tries", "METADATA_TRIES", kNotices, "N", "tries for each metadata request",
       number<&O::metadata_tries, 1, 100>},
      {"imds-poll-interval", "IMDS_POLL_INTERVAL", kNotices, "DURATION",
       "how often instance metadata is polled",
       [](O& o, const std::string& v) {
         return set_duration(o.imds_poll_interval, v, Millis(100), Millis(60'000));
       }},
      {"enable-spot-interruption-draining", "ENABLE_SPOT_INTERRUPTION_DRAINING", kNotices, "",
       "act on Spot interruption notices", flag<&O::enable_spot_interruption_draining>},
      {"taint-node", "TAINT_NODE", kDrain, "", "taint the node with the notice's taint",
       flag<&O::taint_node>},
      {"taint-effect", "TAINT_EFFECT", kDrain, "EFFECT",
       "NoSchedule, PreferNoSchedule or NoExecute (written as NoSchedule: it would kill every pod "
       "at the mark)",
       [](O& o, const std::string& v) { return set_effect(o.taint_effect, v); }},
      {"ignore-daemon-sets", "IGNORE_DAEMON_SETS", kDrain, "",
       "DaemonSet pods stay; they stay in any case, and never stop the drain of others",
       flag<&O::ignore_daemon_sets>},
      {"delete-local-data", "DELETE_LOCAL_DATA", kDrain, "",
       "move pods with emptyDir like others; false: tell them only at their last moment",
       flag<&O::delete_local_data>},
      {"pod-termination-grace-period", "POD_TERMINATION_GRACE_PERIOD", kDrain, "SECONDS",
       "grace for every pod; negative: each pod's own",
       number<&O::pod_termination_grace_period, -86400, 86400>},
      {"node-termination-grace-period", "NODE_TERMINATION_GRACE_PERIOD", kDrain, "SECONDS",
       "pods are left alone until this long before the host ends; 120 and more: at once",
       number<&O::node_termination_grace_period, 0, 86400>},
      {"enough-grace", "ENOUGH_GRACE", kDrain, "SECONDS",
       "a closed budget may hold a pod until this much of its grace is left",
       number<&O::enough_grace, 1, 86400>},
      {"margin", "DRAIN_MARGIN", kDrain, "SECONDS", "be done this long before the host ends",
       number<&O::margin, 0, 60>},
      {"cordon-only", "CORDON_ONLY", kDrain, "", "mark the node, never drain it",
       flag<&O::cordon_only>},
      {"dry-run", "DRY_RUN", kDrain, "", "say what would be done, change nothing",
       flag<&O::dry_run>},
      {"log-level", "LOG_LEVEL", kOutput, "LEVEL", "info, debug or error",
       [](O& o, const std::string& v) { return set_level(o.log_level, v); }},
      {"json-logging", "JSON_LOGGING", kOutput, "", "log as JSON, one object a line, to stderr",
       flag<&O::json_logging>},
      {"enable-prometheus-server", "ENABLE_PROMETHEUS_SERVER", kOutput, "", "serve /metrics",
       flag<&O::enable_prometheus_server>},
      {"prometheus-server-port", "PROMETHEUS_SERVER_PORT", kOutput, "PORT", "port of /metrics",
       number<&O::prometheus_server_port, 0, 65535>},
  };
  return table;
}

}  // namespace spotkeeper::config
