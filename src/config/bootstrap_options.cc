// SPDX-License-Identifier: Apache-2.0
#include "config/bootstrap_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace spotkeeper::config {
namespace {

constexpr const char* kCommand = "spotkeeper bootstrap";
constexpr const char* kDo = "What to do";
constexpr const char* kWhat = "For what";
constexpr const char* kHooks = "Auto Scaling";
constexpr const char* kRights = "Rights of the queue's process";

// What is added to a name: "-terminate". The shortest limit is that of a rule and of a role, 64.
constexpr size_t kLongestName = 54;
constexpr size_t kLongestQueue = 75;  // 80, less "-dead"

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Letters, digits, "-" and "_": what EventBridge, SQS, SNS, IAM and EKS all allow.
Setter name(std::string& target, size_t longest, const char* otherwise = "") {
  return [&target, longest, otherwise](const std::string& value) -> Expected {
    if (value.empty() || value.size() > longest || !std::ranges::all_of(value, is_plain)) {
      return fmt::format("a name of letters, digits, '-' and '_', {} at most{}", longest,
                         otherwise);
    }
    target = value;
    return {};
  };
}

// Names of groups may hold blanks and more; not what would end a string or a reference.
Setter groups(std::vector<std::string>& target) {
  return [&target](const std::string& value) -> Expected {
    std::string_view rest = value;
    for (;;) {
      const size_t comma = rest.find(',');
      const std::string_view group = rest.substr(0, comma);
      const bool good = std::ranges::all_of(group, [](char c) {
        return c >= ' ' && c < 0x7f && std::string_view(":$%{}\"'\\`").find(c) == std::string::npos;
      });
      if (group.empty() || group.size() > 255 || !good || group.starts_with(' ')) {
        return "names of Auto Scaling groups, with commas between them";
      }
      if (std::ranges::find(target, group) == target.end()) target.emplace_back(group);
      if (comma == std::string_view::npos) return {};
      rest.remove_prefix(comma + 1);
    }
  };
}

// Source: EC2 user guide, "Tag restrictions".
Setter tag_key(std::string& target) {
  return [&target](const std::string& value) -> Expected {
    const bool good = std::ranges::all_of(value, [](char c) {
      return is_plain(c) || std::string_view("+=.:/@").find(c) != std::string_view::npos;
    });
    if (value.empty() || value.size() > 128 || !good) {
      return "a tag's key, of letters, digits and '+-=._:/@', 128 at most";
    }
    target = value;
    return {};
  };
}

Setter issuer(std::string& target) {
  return [&target](const std::string& value) -> Expected {
    const std::string plain = value.starts_with("https://") ? value.substr(8) : value;
    const bool good = std::ranges::all_of(
        plain, [](char c) { return is_plain(c) || c == '.' || c == '/' || c == ':'; });
    if (plain.empty() || !good || plain.starts_with("arn:")) {
      return "the cluster's OIDC issuer, such as https://oidc.eks.eu-west-1.amazonaws.com/id/1A2B";
    }
    target = plain;
    return {};
  };
}

Setter service_account(std::string& target) {
  return [&target](const std::string& value) -> Expected {
    const size_t slash = value.find('/');
    const bool good =
        slash != std::string::npos && slash > 0 && slash + 1 < value.size() &&
        std::ranges::all_of(value, [](char c) { return is_plain(c) || c == '.' || c == '/'; }) &&
        value.find('/', slash + 1) == std::string::npos;
    if (!good) return "NAMESPACE/NAME, such as kube-system/spotkeeper-queue";
    target = value;
    return {};
  };
}

std::vector<std::string> formats_of(BootstrapMode mode) {
  if (mode == BootstrapMode::kPrint) return {"cloudformation", "json", "terraform"};
  if (mode == BootstrapMode::kCheck) return {"table", "json", "yaml"};
  return {"table"};
}

// What cannot be together, or is missing.
std::string trouble_of(const BootstrapOptions& o) {
  if (o.create && o.check) return "--create: cannot be combined with --check";
  if (o.dry_run && !o.create) return "--dry-run: is of --create; nothing else changes anything";
  if (o.cluster.empty() && o.router.empty()) {
    return fmt::format(
        "--cluster: expected the cluster's name (or --router for the part that is "
        "once a region); see '{} --help'",
        kCommand);
  }
  if (o.cluster.empty() && !o.groups.empty()) return "--group: is of a cluster; expected --cluster";
  if (!o.router.empty() && o.router == o.name && !o.cluster.empty()) {
    return "--router: expected another name than the cluster's part has (--name)";
  }
  if (o.identity == "irsa" && o.oidc_issuer.empty()) {
    return "--identity irsa: expected --oidc-issuer, as 'aws eks describe-cluster --query "
           "cluster.identity.oidc.issuer' shows it";
  }
  if (o.name.size() > kLongestName) {
    return fmt::format(
        "--cluster {}: too long for names made of it; expected --name, of {} "
        "characters at most",
        o.cluster, kLongestName);
  }
  return {};
}

}  // namespace

Flags bootstrap_flags(BootstrapOptions& o) {
  const std::vector<std::string> identities{"none", "irsa", "pod-identity"};
  const std::vector<std::string> formats{"cloudformation", "json", "terraform", "table", "yaml"};
  return {
      {"create", "", kDo, "", "create what is missing, through AWS's API; twice is once",
       boolean(o.create)},
      {"dry-run", "", kDo, "", "with --create: say what would be done", boolean(o.dry_run)},
      {"check", "", kDo, "", "say what is missing or wrong; reads only", boolean(o.check)},
      {"output", "", kDo, "FORMAT",
       "printed: cloudformation (the default; json: the same as JSON) or terraform; of --check: "
       "table, json or yaml",
       choice(o.output, formats), 'o', formats},
      {"cluster", "", kWhat, "NAME", "the cluster, as EKS calls it", name(o.cluster, 100)},
      {"region", "AWS_REGION", kWhat, "REGION",
       "where its instances are: EventBridge tells of "
       "these in their own region only",
       text(o.region)},
      {"router", "", kWhat, "NAME",
       "one router for many clusters of a region. Alone: the router itself, rules and a topic; "
       "with "
       "--cluster: a queue that is subscribed to it",
       name(o.router, kLongestName)},
      {"name", "", kWhat, "NAME",
       "of all that is made (default spotkeeper-CLUSTER, or the "
       "router's)",
       name(o.name, kLongestName)},
      {"queue", "", kWhat, "NAME", "of the queue (default as --name)",
       name(o.queue, kLongestQueue, "; a URL is for --queue-url")},
      {"queue-url", "QUEUE_URL", kWhat, "URL",
       "with --check: what the queue's process is given, to be looked at too", text(o.queue_url)},
      {"group", "", kHooks, "ASG,...",
       "an Auto Scaling group whose instances are drained before it ends them: gets a terminate "
       "hook; may be given more than once",
       groups(o.groups)},
      {"launch-hook", "", kHooks, "", "a launch hook too: instances count once their node is Ready",
       boolean(o.launch_hooks)},
      {"hook-timeout", "", kHooks, "SECONDS",
       "how long a hook waits for an answer or a heartbeat (default 300)",
       number(o.hook_timeout_s, 30, 7200)},
      {"check-tag-before-draining", "CHECK_TAG_BEFORE_DRAINING", kHooks, "",
       "as the queue's process has it: only tagged instances are drained, so the groups must be "
       "(default true)",
       boolean(o.check_tag)},
      {"managed-tag", "MANAGED_TAG", kHooks, "KEY",
       "that tag (default aws-node-termination-handler/managed)", tag_key(o.managed_tag)},
      {"identity", "", kRights, "HOW",
       "make a role for it: irsa or pod-identity (default none: only the policy)",
       choice(o.identity, identities), '\0', identities},
      {"oidc-issuer", "", kRights, "URL", "of the cluster, for irsa", issuer(o.oidc_issuer)},
      {"service-account", "", kRights, "NS/NAME",
       "who may take the role (default "
       "kube-system/spotkeeper-queue)",
       service_account(o.service_account)},
      {"detach-from-asg", "DETACH_ASG", kRights, "", "it may detach instances from their groups",
       boolean(o.detach)},
  };
}

Result<BootstrapOptions> parse_bootstrap_options(const std::vector<std::string>& arguments,
                                                 const Environment& environment) {
  BootstrapOptions o;
  auto others = parse_flags(bootstrap_flags(o), kCommand, arguments, environment);
  if (!others) return std::unexpected(others.error());
  if (!others->empty()) {
    return permanent(fmt::format("'{}': expected options only; see '{} --help'",
                                 on_one_line(others->front()), kCommand));
  }
  if (o.name.empty()) o.name = o.cluster.empty() ? o.router : "spotkeeper-" + o.cluster;
  if (o.cluster.empty()) o.router = o.name;
  if (o.queue.empty()) o.queue = o.name;
  if (o.region.empty()) o.region = environment("AWS_DEFAULT_REGION").value_or("");
  if (const std::string trouble = trouble_of(o); !trouble.empty()) return permanent(trouble);
  const std::vector<std::string> formats = formats_of(o.mode());
  if (o.output.empty()) o.output = formats.front();
  if (std::ranges::find(formats, o.output) == formats.end()) {
    return permanent(
        fmt::format("--output: expected {} here, got '{}'", fmt::join(formats, ", "), o.output));
  }
  const bool anywhere =
      o.output == "cloudformation" || (o.mode() == BootstrapMode::kPrint && o.output == "json");
  if (o.region.empty() && !anywhere) {
    return permanent("--region: expected the region of the cluster, such as eu-west-1");
  }
  return o;
}

}  // namespace spotkeeper::config
