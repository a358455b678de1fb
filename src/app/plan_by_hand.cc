// SPDX-License-Identifier: Apache-2.0
// A plan without a drain: everything on the hosts is read once and told to a Drain that does
// nothing.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "app/by_hand.h"
#include "app/documents.h"
#include "app/ecs_by_hand.h"
#include "app/hosts.h"
#include "async/task_group.h"
#include "effects/node_book.h"
#include "effects/pod_units.h"
#include "effects/workload_look.h"
#include "kube/list.h"
#include "observe/plan_view.h"
#include "observe/terminal.h"

namespace spotkeeper::app {
namespace {

struct Outcome {
  std::vector<observe::PlanView> plans;
  Error error;
  bool failed = false;
};

// All that is read for a plan.
struct Cluster {
  std::map<std::string, std::vector<kube::Pod>> pods;  // by node
  Result<std::vector<kube::Budget>> budgets;
  effects::WorkloadLook workloads;
};

// Without the right to read budgets or Deployments there is a plan all the same, which says so.
Task<Result<Cluster>> read_cluster(kube::Api& api, std::vector<kube::Node> nodes, bool hand_over) {
  Cluster cluster;
  cluster.budgets = co_await kube::list_all<kube::Budget>(
      api, kube::listing_of("/apis/policy/v1/poddisruptionbudgets"), kube::decode_budget);
  if (!cluster.budgets) {
    if (cluster.budgets.error().kind != ErrorKind::kDenied) {
      co_return std::unexpected(cluster.budgets.error());
    }
    fail("plan", cluster.budgets.error().within("budgets are not in the plan"), 0);
  }
  std::vector<kube::Pod> all;
  for (const kube::Node& node : nodes) {
    const auto pods =
        co_await kube::list_all<kube::Pod>(api, kube::pods_on(node.name), kube::decode_pod);
    if (!pods) co_return std::unexpected(pods.error());
    all.insert(all.end(), pods->begin(), pods->end());
    cluster.pods[node.name] = *pods;
  }
  if (!hand_over) co_return cluster;
  cluster.workloads = co_await effects::look_at_workloads(api, std::move(all));
  if (cluster.workloads.unread) {
    fail("plan", cluster.workloads.unread->within("hand-overs are not in the plan"), 0);
  }
  co_return cluster;
}

core::Drain make_drain(const core::HostId& host, const core::Notice& notice,
                       const core::Policy& policy, const Cluster& cluster) {
  const Time now = notice.received;
  effects::PodUnits units{effects::PodRules{}};
  core::Drain drain(host, notice, policy, now);
  const auto tell = [&](const std::vector<core::Observation>& observations) {
    for (const core::Observation& observation : observations) drain.on(observation, now);
  };
  drain.on(core::NoticeHeard{.notice = notice}, now);
  if (cluster.budgets) {
    for (const kube::Budget& budget : *cluster.budgets) tell(units.budget_changed(budget));
  }
  drain.on(core::BudgetsListed{.watched = cluster.budgets.has_value()}, now);
  for (const kube::Pod& pod : cluster.pods.at(host.value)) tell(units.pod_changed(pod, now));
  for (const auto& [ns, shared] : cluster.workloads.shared_claims) {
    tell(units.claims_known(ns, shared));
  }
  tell(cluster.workloads.groups);
  drain.on(core::UnitsListed{}, now);
  return drain;
}

Task<Result<std::vector<observe::PlanView>>> make_plans(kube::Api& api,
                                                        config::DrainOptions options) {
  const auto nodes = co_await find_hosts(api, options);
  if (!nodes) co_return std::unexpected(nodes.error());
  core::Policy policy = config::policy_of(options);
  policy.dry_run = true;
  const auto cluster = co_await read_cluster(api, *nodes, core::may_hand_over(policy));
  if (!cluster) co_return std::unexpected(cluster.error());
  const Time now = SteadyClock().now();
  const core::Notice notice{.id = core::NoticeId("plan"),
                            .kind = options.notice,
                            .deadline = options.deadline.from(now),
                            .source = "manual",
                            .received = now};
  std::vector<observe::PlanView> plans;
  for (const kube::Node& node : *nodes) {
    const core::Drain drain = make_drain(core::HostId(node.name), notice, policy, *cluster);
    plans.push_back(observe::make_plan_view(drain, effects::instance_of(node), now));
  }
  co_return plans;
}

Task<> collect(kube::Api& api, config::DrainOptions options, Outcome& outcome) {
  auto plans = co_await make_plans(api, std::move(options));
  outcome.failed = !plans;
  if (plans) {
    outcome.plans = std::move(*plans);
  } else {
    outcome.error = plans.error();
  }
}

void print(const std::vector<observe::PlanView>& plans, const std::string& format) {
  std::vector<boost::json::object> documents;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (format != "table") {
      documents.push_back(observe::to_json(plans[i]));
      continue;
    }
    const int width =
        observe::is_terminal(STDOUT_FILENO) ? observe::style_of(STDOUT_FILENO).width : 0;
    observe::write_text(STDOUT_FILENO, (i > 0 ? "\n" : "") + observe::to_table(plans[i], width));
  }
  if (format != "table") print_documents(std::move(documents), format);
}

}  // namespace

int run_plan(const config::DrainOptions& options, const config::Environment& environment) {
  if (const auto ahead = check_deadline(options); !ahead) return fail("plan", ahead.error(), 2);
  if (options.platform == config::Platform::kEcs) return run_plan_on_ecs(options);
  Result<kube::Access> access = find_access(options, environment);
  if (!access) return fail("plan", access.error(), 2);
  boost::asio::io_context io(1);
  kube::Api api(io.get_executor(), std::move(*access));
  TaskGroup tasks(io.get_executor());
  Outcome outcome;
  outcome.failed = true;
  outcome.error.message = "a bug";
  tasks.spawn("plan", collect(api, options, outcome));
  io.run();
  if (!tasks.first_failure().empty()) outcome.error.message = tasks.first_failure();
  if (outcome.failed) {
    return fail("plan", outcome.error, outcome.error.kind == ErrorKind::kGone ? 2 : 1);
  }
  print(outcome.plans, options.output);
  return 0;
}

}  // namespace spotkeeper::app
