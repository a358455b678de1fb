// SPDX-License-Identifier: Apache-2.0
#include "config/drain_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/host_file.h"
#include "config/notice_kinds.h"
#include "config/policy_flags.h"

namespace spotkeeper::config {
namespace {

constexpr Millis kLongest = std::chrono::hours(24);
constexpr Millis kSpotNotice{120'000};
constexpr int kMostHosts = 100'000;

constexpr const char* kWhich = "Which hosts";
constexpr const char* kHow = "How they are drained";
constexpr const char* kCluster = "Cluster";
constexpr const char* kOutput = "Output";

// "2m", "2026-11-21T10:02:00Z" or "none".
Setter deadline(Deadline& target) {
  return [&target](const std::string& value) -> Expected {
    Deadline deadline;
    Millis in{0};
    Time at{};
    if (value != "none") {
      if (parse_time(value, at)) {
        deadline.at = at;
      } else if (!duration(in, Millis(1'000), kLongest)(value)) {
        deadline.in = in;
      } else {
        return "a duration such as 2m, a moment such as 2026-11-21T10:02:00Z, or none";
      }
    }
    target = deadline;
    return {};
  };
}

Setter notice(core::NoticeKind& target) {
  return [&target](const std::string& value) -> Expected {
    const auto kind = core::parse_kind(value);
    if (!kind) return fmt::format("{}", fmt::join(notice_kinds(), ", "));
    target = *kind;
    return {};
  };
}

// "3" or "10%".
Setter max_unavailable(std::optional<core::MaxUnavailable>& target) {
  return [&target](const std::string& value) -> Expected {
    core::MaxUnavailable limit{.value = 0, .percent = value.ends_with('%')};
    const std::string digits = value.substr(0, value.size() - (limit.percent ? 1 : 0));
    if (number(limit.value, 1, limit.percent ? 100 : kMostHosts)(digits)) {
      return "a number of hosts such as 3, or a share of them from 1% to 100%";
    }
    target = limit;
    return {};
  };
}

// What AWS says will happen happens at a time.
bool wants_deadline(const DrainOptions& options) {
  return options.notice != core::NoticeKind::kManual && !options.deadline.in &&
         !options.deadline.at && core::is_hard(core::Notice{.kind = options.notice});
}

// What there is no such thing of on ECS, or not yet.
Result<void> check_for_ecs(const DrainOptions& options) {
  const char* alien = nullptr;
  if (!options.selector.empty()) alien = "--selector";
  if (options.max_unavailable) alien = "--max-unavailable";
  if (options.grace_period >= 0) alien = "--grace-period";
  if (options.taint_node) alien = "--taint-node";
  if (alien == nullptr) return {};
  return permanent(fmt::format("{}: is for Kubernetes only, and --platform is ecs", alien));
}

std::string named(HandCommand command) {
  return command == HandCommand::kPlan ? "spotkeeper plan" : "spotkeeper drain";
}

}  // namespace

Time Deadline::from(Time now) const {
  if (at) return *at;
  return in ? now + *in : kNever;
}

Flags hand_flags(HandCommand command, DrainOptions& o) {
  const std::vector<std::string> formats{"table", "json", "yaml"};
  const std::vector<std::string> answers{"ask", "undo", "leave"};
  const bool drains = command == HandCommand::kDrain;
  Flags flags{
      {"selector", "", kWhich, "LABELS", "nodes with these labels, such as lifecycle=Ec2Spot",
       text(o.selector), 'l'},
      {"filename", "", kWhich, "FILE", "a file with one host a line, # for comments; - is stdin",
       text(o.host_file), 'f'},
      {"deadline", "", kHow, "WHEN",
       drains
           ? "the host ends then: in 2m, or at 2026-11-21T10:02:00Z. From a pod's last moment on "
             "no budget holds it. Default: none, and every budget is respected"
           : "when the host ends: in so long, at a moment, or none (default: 2m, as a Spot notice)",
       deadline(o.deadline)},
      {"enough-grace", "", kHow, "SECONDS",
       "a closed budget may hold a pod until this much of its grace is left (default 60; on ECS "
       "all "
       "of it)",
       number(o.enough_grace, 1, 86400)},
      {"margin", "", kHow, "SECONDS", "be done this long before the deadline (default 3)",
       number(o.margin, 0, 60)},
      {"grace-period", "", kHow, "SECONDS", "grace for every pod; negative: each pod's own",
       number(o.grace_period, -1, 86400)},
      policy_file_flag("", kHow, o.policy_file),
      hand_over_flag("", kHow, o.hand_over),
      qps_flag(kHow, o.kube_api_qps),
      burst_flag(kHow, o.kube_api_burst),
  };
  if (!drains) {
    flags.push_back({"notice", "", kHow, "KIND",
                     "as if this kind of notice had come, by its rules and habits: "
                     "SpotInterruption, RebalanceRecommendation and so on, as in a policy file "
                     "(default Manual, which is what 'spotkeeper drain' is)",
                     notice(o.notice), '\0', notice_kinds()});
  }
  if (drains) {
    flags.insert(
        flags.end(),
        {{"taint-node", "", kHow, "", "taint the node too", boolean(o.taint_node)},
         {"max-unavailable", "", kHow, "N|P%",
          "planned work: drain at most so many hosts at once, or this share of them (rounded down, "
          "at least 1); a host that is cordoned or not Ready already counts. Default: all at once",
          max_unavailable(o.max_unavailable)},
         {"timeout", "", kHow, "DURATION",
          "give up after so long (with --max-unavailable: on a host, and no other begins); what is "
          "marked stays marked (default: wait)",
          duration(o.timeout, Millis(1'000), kLongest)},
         {"on-interrupt", "", kHow, "WHAT",
          "at Ctrl-C: ask, undo the mark, or leave it (default: ask; without a terminal: leave)",
          choice(o.on_interrupt, answers), '\0', answers},
         {"dry-run", "", kHow, "", "say what would be done, change nothing", boolean(o.dry_run)},
         {"undo", "", kHow, "", "take back the mark of an earlier drain, and do nothing else",
          boolean(o.undo)}});
  }
  flags.insert(
      flags.end(),
      {platform_flag("", kCluster, false, o.platform),
       cluster_flag(kCluster, o.ecs),
       {"kubeconfig", "", kCluster, "FILE",
        "default: those that KUBECONFIG names, ~/.kube/config, or in a pod its service account",
        text(o.kubeconfig)},
       {"context", "KUBE_CONTEXT", kCluster, "NAME",
        "context of the kubeconfig; default: its current one", text(o.context)},
       {"output", "", kOutput, "FORMAT", "table, json or yaml", choice(o.output, formats), 'o',
        formats}});
  return flags;
}

Result<DrainOptions> parse_drain_options(HandCommand command,
                                         const std::vector<std::string>& arguments,
                                         const Environment& environment) {
  DrainOptions options;
  if (command == HandCommand::kPlan) options.deadline.in = kSpotNotice;
  auto hosts = parse_flags(hand_flags(command, options), named(command), arguments, environment);
  if (!hosts) return std::unexpected(hosts.error());
  options.hosts = std::move(*hosts);
  for (std::string& host : options.hosts) {
    if (host.starts_with("node/")) host.erase(0, 5);  // as kubectl takes it
  }
  const int ways = !options.hosts.empty() + !options.selector.empty() + !options.host_file.empty();
  if (ways != 1) {
    return permanent(fmt::format(
        "{}: expected either hosts (node names or instance ids) or --selector or -f FILE; see "
        "'{} --help'",
        named(command), named(command)));
  }
  if (options.platform == Platform::kEcs) {
    if (auto fits = check_for_ecs(options); !fits) return std::unexpected(fits.error());
  }
  if (wants_deadline(options)) {
    return permanent(fmt::format("--notice {}: such a host ends at a time; expected a --deadline",
                                 core::to_string(options.notice)));
  }
  const bool ends = options.deadline.in || options.deadline.at;
  if (options.max_unavailable && ends) {
    return permanent(
        "--max-unavailable: cannot be combined with --deadline; hosts that end at a moment are "
        "drained at once, all of them");
  }
  if (options.max_unavailable && options.undo) {
    return permanent("--max-unavailable: cannot be combined with --undo, which drains nothing");
  }
  if (options.undo && options.dry_run) {
    return permanent(
        "--undo: cannot be combined with --dry-run; 'spotkeeper plan' changes nothing");
  }
  return options;
}

Result<void> read_hosts(DrainOptions& options) {
  if (options.host_file.empty()) return {};
  auto lines = read_host_file(options.host_file);
  if (!lines) return std::unexpected(lines.error());
  for (HostLine& line : *lines) {
    options.hosts.push_back(std::move(line.host));
    options.host_lines.push_back(line.line);
  }
  return {};
}

core::Policy policy_of(const DrainOptions& options) {
  core::Policy policy;
  policy.margin = Seconds(options.margin);
  if (options.enough_grace > 0) {
    policy.enough_grace = Seconds(options.enough_grace);
  } else if (options.platform == Platform::kEcs) {
    policy.enough_grace = core::kFullGrace;
  }
  if (options.grace_period >= 0) policy.grace_override = Seconds(std::max(1, options.grace_period));
  policy.dry_run = options.dry_run;
  policy.taint = options.taint_node;
  policy.rules = options.rules;
  policy.hand_over = options.hand_over;
  policy.requests_per_s = options.kube_api_qps;
  policy.request_burst = options.kube_api_burst;
  return policy;
}

}  // namespace spotkeeper::config
