// SPDX-License-Identifier: Apache-2.0
#include "effects/kubernetes.h"

#include <fmt/format.h>

#include "async/timing.h"
#include "effects/node_writes.h"
#include "kube/calls.h"
#include "kube/follow.h"

namespace spotkeeper::effects {
namespace {

// A mark that takes longer than this does not hold up the watches.
constexpr Millis kMarkAlone{100};

std::optional<int64_t> seconds(const std::optional<Seconds>& grace) {
  if (!grace) return std::nullopt;
  return grace->count();
}

}  // namespace

struct Kubernetes::Watched {
  Watched(boost::asio::any_io_executor executor, PodRules rules)
      : units(std::move(rules)), mark_answered(std::move(executor)) {}
  PodUnits units;
  Event mark_answered;
  bool pods_listed = false;
  bool budgets_listed = false;
};

Kubernetes::Kubernetes(kube::Api& api, TaskGroup& group, const Clock& clock, Options options,
                       Report report)
    : api_(api),
      group_(group),
      clock_(clock),
      options_(std::move(options)),
      report_(std::move(report)) {}

Kubernetes::~Kubernetes() = default;

void Kubernetes::carry_out(core::Action action) {
  std::string name =
      fmt::format("{} {} {}", core::to_string(action.kind), action.host.value, action.unit_name);
  group_.spawn(std::move(name), do_action(std::move(action)));
}

Task<> Kubernetes::do_action(core::Action action) {
  const core::HostId host = action.host;
  const uint64_t number = action.number;
  Result<std::string> result;
  if (action.kind == core::ActionKind::kMark) {
    Mark wanted{.notice = std::move(action.notice),
                .taint = options_.taint,
                .taint_effect = options_.taint_effect,
                .started = clock_.now()};
    result = co_await write_mark(api_, host.value, std::move(wanted));
    const auto watched = watched_.find(host);
    if (watched != watched_.end()) watched->second->mark_answered.set();
  } else if (action.kind == core::ActionKind::kUndo) {
    result = co_await take_back_mark(api_, host.value);
  } else {
    result = co_await on_pod(std::move(action));
  }
  report_(host, core::ActionDone{.number = number, .result = std::move(result)});
}

Task<Result<std::string>> Kubernetes::on_pod(core::Action action) {
  const auto watched = watched_.find(action.host);
  std::optional<kube::PodRef> pod;
  if (watched != watched_.end()) pod = watched->second->units.find(action.unit);
  if (!pod) {
    co_return std::unexpected(
        Error{.kind = ErrorKind::kGone, .message = action.unit_name + " is not here any more"});
  }
  Result<void> done;
  switch (action.kind) {
    case core::ActionKind::kAsk:
      done = co_await kube::evict(api_, *pod, seconds(action.grace), action.patience);
      break;
    case core::ActionKind::kStop:
      done = co_await kube::delete_pod(api_, *pod, seconds(action.grace), action.patience);
      break;
    case core::ActionKind::kExplain:
      done = co_await kube::set_disruption_target(api_, *pod, action.reason, clock_.now(),
                                                  action.patience);
      break;
    case core::ActionKind::kMark:
    case core::ActionKind::kUndo:
      break;
  }
  if (!done) co_return std::unexpected(done.error());
  co_return std::string();
}

void Kubernetes::watch(const core::HostId& host) {
  auto& watched = watched_[host];
  if (watched) {
    tell(host, watched->units.everything());
    if (watched->pods_listed) report_(host, core::UnitsListed{});
    if (watched->budgets_listed) report_(host, core::BudgetsListed{.watched = true});
    return;
  }
  watched = std::make_shared<Watched>(group_.executor(), options_.pods);
  group_.spawn("watches of " + host.value, begin_watch(host, watched));
}

Task<> Kubernetes::begin_watch(core::HostId host, std::shared_ptr<Watched> watched) {
  co_await watched->mark_answered.wait(kMarkAlone);
  watch_pods(host, watched);
  watch_budgets(host, watched);
}

void Kubernetes::tell(const core::HostId& host, PodUnits::Observations observations) {
  for (core::Observation& observation : observations) report_(host, std::move(observation));
}

void Kubernetes::watch_pods(const core::HostId& host, std::shared_ptr<Watched> watched) {
  kube::Sink<kube::Pod> sink;
  sink.changed = [this, host, watched](const kube::Pod& pod) {
    tell(host, watched->units.pod_changed(pod, clock_.now()));
  };
  sink.gone = [this, host, watched](const kube::Pod& pod) {
    tell(host, watched->units.pod_gone(pod));
  };
  sink.synced = [this, host, watched] {
    if (!watched->pods_listed) report_(host, core::UnitsListed{});
    watched->pods_listed = true;
  };
  sink.failed = [this, host](const Error& error) { report_(host, core::Trouble{.error = error}); };
  kube::Listing listing;
  listing.path = "/api/v1/pods";
  listing.field_selector = "spec.nodeName=" + host.value;
  listing.resource = "pods";
  group_.spawn("pods of " + host.value,
               kube::follow<kube::Pod>(api_, listing, kube::decode_pod, std::move(sink)));
}

void Kubernetes::watch_budgets(const core::HostId& host, std::shared_ptr<Watched> watched) {
  kube::Sink<kube::Budget> sink;
  sink.changed = [this, host, watched](const kube::Budget& budget) {
    tell(host, watched->units.budget_changed(budget));
  };
  sink.gone = [this, host, watched](const kube::Budget& budget) {
    tell(host, watched->units.budget_gone(budget));
  };
  sink.synced = [this, host, watched] {
    if (!watched->budgets_listed) report_(host, core::BudgetsListed{.watched = true});
    watched->budgets_listed = true;
  };
  sink.failed = [this, host, watched](const Error& error) {
    report_(host, core::Trouble{.error = error});
    if (error.kind == ErrorKind::kDenied && !watched->budgets_listed) {
      report_(host, core::BudgetsListed{.watched = false});
    }
  };
  kube::Listing listing;
  listing.path = "/apis/policy/v1/poddisruptionbudgets";
  listing.resource = "poddisruptionbudgets";
  group_.spawn("budgets around " + host.value,
               kube::follow<kube::Budget>(api_, listing, kube::decode_budget, std::move(sink)));
}

}  // namespace spotkeeper::effects
