// SPDX-License-Identifier: Apache-2.0
// Whom the agent tells what it does, beside its log: a webhook, Prometheus, the kubelet's probes,
// Kubernetes events. NTH's names where NTH has the option.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "config/flags.h"

namespace spotkeeper::config {

using WebhookHeaders = std::vector<std::pair<std::string, std::string>>;

enum class WebhookFormat {
  kNth,  // NTH's default body, or the template
  kSlack,
  kTeams,
  kPagerDuty,
};

struct Telling {
  Secret webhook_url;  // empty: no webhook
  Secret webhook_proxy;
  WebhookHeaders webhook_headers = {{"Content-type", "application/json"}};  // values are secrets
  std::string webhook_template;
  std::string webhook_template_file;  // wins
  WebhookFormat webhook_format = WebhookFormat::kNth;
  Secret webhook_routing_key;  // PagerDuty's

  bool prometheus_server = false;
  int prometheus_server_port = 9092;
  bool node_actions = false;  // the metric actions_node_total

  bool probes_server = false;
  int probes_server_port = 8080;
  std::string probes_server_endpoint = "/healthz";

  bool kubernetes_events = false;
  std::map<std::string, std::string> extra_annotations;

  int log_format_version = 1;  // as given: what is not 1 or 2 is said, and taken for the nearer
};

// They must be outlived by the options.
Flags telling_flags(const char* group, Telling& options);

// What no flag alone shows to be wrong.
Result<void> check_telling(const Telling& options);

// A JSON object of texts: what NTH's WEBHOOK_HEADERS is. An Error says what was expected, and no
// value. Headers that Go's client sets by itself (Host, Content-Length …) are left out, as there.
Result<WebhookHeaders> parse_headers(const std::string& text);

}  // namespace spotkeeper::config
