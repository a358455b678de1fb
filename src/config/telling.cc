// SPDX-License-Identifier: Apache-2.0
#include "config/telling.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cctype>
#include <string_view>

#include "config/kube_names.h"

namespace spotkeeper::config {
namespace {

constexpr size_t kMostHeaders = 100;

bool is_url_of(std::string_view text, std::initializer_list<std::string_view> schemes) {
  for (const std::string_view scheme : schemes) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    return !text.empty() && text.front() != '/' && text.front() != ':' && text.front() != '?' &&
           std::ranges::none_of(
               text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
  }
  return false;
}

Setter webhook_url(Secret& target) {
  return [&target](const std::string& value) -> Expected {
    if (!is_url_of(value, {"http://", "https://"})) return "an http or https URL";
    target = Secret(value);
    return {};
  };
}

Setter proxy(Secret& target) {
  return [&target](const std::string& value) -> Expected {
    if (!is_url_of(value, {"http://", "https://", "tcp://"})) {
      return "a proxy's URL: http://, https:// or tcp:// with host and port";
    }
    // What NTH's users write for a proxy that speaks plain HTTP.
    target = Secret(value.starts_with("tcp://") ? "http://" + value.substr(6) : value);
    return {};
  };
}

Setter headers(WebhookHeaders& target) {
  return [&target](const std::string& value) -> Expected {
    Result<WebhookHeaders> parsed = parse_headers(value);
    if (!parsed) return parsed.error().message;
    target = std::move(*parsed);
    return {};
  };
}

Setter secret(Secret& target) {
  return [&target](const std::string& value) -> Expected {
    target = Secret(value);
    return {};
  };
}

Setter format(WebhookFormat& target) {
  return [&target](const std::string& value) -> Expected {
    if (value == "slack") {
      target = WebhookFormat::kSlack;
    } else if (value == "teams") {
      target = WebhookFormat::kTeams;
    } else if (value == "pagerduty") {
      target = WebhookFormat::kPagerDuty;
    } else if (value == "nth") {
      target = WebhookFormat::kNth;
    } else {
      return "nth, slack, teams or pagerduty";
    }
    return {};
  };
}

// Served as it is asked for: no query, nothing percent-encoded.
Setter endpoint(std::string& target) {
  return [&target](const std::string& value) -> Expected {
    const bool fine = value.starts_with('/') && std::ranges::all_of(value, [](char c) {
                        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                               std::string_view("/-_.~").find(c) != std::string_view::npos;
                      });
    if (!fine || value == "/metrics" || value == "/readyz") {
      return "a path such as /healthz, and neither /metrics nor /readyz";
    }
    target = value;
    return {};
  };
}

Setter annotations(std::map<std::string, std::string>& target) {
  return [&target](const std::string& value) -> Expected {
    std::map<std::string, std::string> read;
    std::string_view rest = value;
    while (true) {
      const size_t comma = rest.find(',');
      const std::string_view item = rest.substr(0, comma);
      const size_t equals = item.find('=');
      if (equals == std::string_view::npos || item.find('=', equals + 1) != item.npos) {
        return fmt::format("KEY=VALUE,KEY=VALUE with one '=' in each, not '{}'",
                           on_one_line(std::string(item)));
      }
      if (!is_label_key(item.substr(0, equals))) {
        return fmt::format("annotation keys such as example.com/team, not '{}'",
                           on_one_line(std::string(item.substr(0, equals))));
      }
      read.insert_or_assign(std::string(item.substr(0, equals)),
                            std::string(item.substr(equals + 1)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
    target = std::move(read);
    return {};
  };
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

Result<WebhookHeaders> parse_headers(const std::string& text) {
  boost::system::error_code wrong;
  const boost::json::value root = boost::json::parse(text, wrong);
  const boost::json::object* object = wrong ? nullptr : root.if_object();
  if (object == nullptr) {
    return permanent(R"(a JSON object of texts, such as {"Content-type":"application/json"})");
  }
  if (object->size() > kMostHeaders) {
    return permanent(fmt::format("at most {} headers", kMostHeaders));
  }
  WebhookHeaders headers;
  for (const auto& [key, value] : *object) {
    const std::string name(key);
    if (!is_token(name)) {
      return permanent(fmt::format("names of HTTP headers, not '{}'", on_one_line(name)));
    }
    const boost::json::string* content = value.if_string();
    if (content == nullptr) {
      return permanent(fmt::format("a text for each header, and '{}' has none", name));
    }
    const bool one_line = std::ranges::none_of(
        *content, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
    if (!one_line) {
      return permanent(fmt::format("one line for each header, and '{}' has more", name));
    }
    const bool by_client =
        std::ranges::any_of(std::initializer_list<std::string_view>{"Host", "Content-Length",
                                                                    "Transfer-Encoding", "Trailer"},
                            [&name](std::string_view other) { return same_name(name, other); });
    if (!by_client) headers.emplace_back(name, std::string(*content));
  }
  return headers;
}

Result<void> check_telling(const Telling& o) {
  const bool own_body = !o.webhook_template.empty() || !o.webhook_template_file.empty();
  if (own_body && o.webhook_format != WebhookFormat::kNth) {
    return permanent(
        "--webhook-format (WEBHOOK_FORMAT): a template is set, too; leave one of them out");
  }
  if (o.webhook_format == WebhookFormat::kPagerDuty && o.webhook_routing_key.empty()) {
    return permanent(
        "--webhook-format=pagerduty: needs --webhook-routing-key (WEBHOOK_ROUTING_KEY), the "
        "integration key of the service");
  }
  return {};
}

Flags telling_flags(const char* group, Telling& o) {
  Flags flags{
      {"webhook-url", "WEBHOOK_URL", group, "URL", "post a message there at each notice",
       webhook_url(o.webhook_url)},
      {"webhook-proxy", "WEBHOOK_PROXY", group, "URL",
       "by this proxy (http://, https://, tcp://), and by no other", proxy(o.webhook_proxy)},
      {"webhook-headers", "WEBHOOK_HEADERS", group, "JSON",
       R"(its headers, all of them (default {"Content-type":"application/json"}))",
       headers(o.webhook_headers)},
      {"webhook-template", "WEBHOOK_TEMPLATE", group, "TEXT", "its body: docs/templates.md",
       text(o.webhook_template)},
      {"webhook-template-file", "WEBHOOK_TEMPLATE_FILE", group, "FILE",
       "the same from a file, read again for each message; wins over --webhook-template",
       text(o.webhook_template_file)},
      {"webhook-format",
       "WEBHOOK_FORMAT",
       group,
       "WHOSE",
       "its body without a template: nth, slack, teams or pagerduty (default nth)",
       format(o.webhook_format),
       '\0',
       {"nth", "slack", "teams", "pagerduty"}},
      {"webhook-routing-key", "WEBHOOK_ROUTING_KEY", group, "KEY",
       "PagerDuty's integration key; better by the environment", secret(o.webhook_routing_key)},
      {"enable-prometheus-server", "ENABLE_PROMETHEUS_SERVER", group, "", "serve /metrics",
       boolean(o.prometheus_server)},
      {"prometheus-server-port", "PROMETHEUS_SERVER_PORT", group, "PORT", "port of /metrics",
       number(o.prometheus_server_port, 0, 65535)},
      {"enable-node-actions-metric", "ENABLE_NODE_ACTIONS_METRIC", group, "",
       "also the metric actions_node_total, which grows by a series with each notice",
       boolean(o.node_actions)},
      {"enable-probes-server", "ENABLE_PROBES_SERVER", group, "",
       "answer the kubelet's probes: alive, and /readyz", boolean(o.probes_server)},
      {"probes-server-port", "PROBES_SERVER_PORT", group, "PORT", "their port (default 8080)",
       number(o.probes_server_port, 0, 65535)},
      {"probes-server-endpoint", "PROBES_SERVER_ENDPOINT", group, "PATH",
       "path of the liveness probe (default /healthz)", endpoint(o.probes_server_endpoint)},
      {"emit-kubernetes-events", "EMIT_KUBERNETES_EVENTS", group, "",
       "write Kubernetes events about the node and its pods; needs "
       "deploy/rbac/agent-events.yaml",
       boolean(o.kubernetes_events)},
      {"kubernetes-events-extra-annotations", "KUBERNETES_EVENTS_EXTRA_ANNOTATIONS", group,
       "K=V,K=V", "more annotations for those of the node", annotations(o.extra_annotations)},
      {"log-format-version", "LOG_FORMAT_VERSION", group, "N",
       "1 or 2: how NTH's own log lines name the monitor (default 1)",
       number(o.log_format_version, -1000000, 1000000)},
  };
  for (Flag& flag : flags) {
    flag.secret = flag.name == "webhook-url" || flag.name == "webhook-proxy" ||
                  flag.name == "webhook-headers" || flag.name == "webhook-routing-key";
  }
  return flags;
}

}  // namespace spotkeeper::config
