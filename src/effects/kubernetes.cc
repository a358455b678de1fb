// SPDX-License-Identifier: Apache-2.0
#include "effects/kubernetes.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "async/timing.h"
#include "effects/node_writes.h"
#include "effects/release.h"
#include "effects/rights.h"
#include "kube/calls.h"

namespace spotkeeper::effects {
namespace {

// A mark that takes longer than this does not hold up the watches.
constexpr Millis kMarkAlone{100};

std::optional<int64_t> seconds(const std::optional<Seconds>& grace) {
  if (!grace) return std::nullopt;
  return grace->count();
}

}  // namespace

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
                .extras = action.extras,
                .started = clock_.now()};
    result = co_await write_mark(api_, host.value, std::move(wanted));
    const auto watched = watched_.find(host);
    if (watched != watched_.end()) watched->second->mark_answered.set();
  } else if (action.kind == core::ActionKind::kUndo) {
    result = co_await take_back_mark(api_, host.value, action.notice.id, clock_.now());
  } else {
    result = co_await on_pod(std::move(action));
  }
  report_(host, core::ActionDone{.number = number, .result = std::move(result)});
}

Task<Result<std::string>> Kubernetes::on_pod(core::Action action) {
  const auto watched = watched_.find(action.host);
  const kube::Pod* found = watched == watched_.end() ? nullptr : watched->second->find(action.unit);
  if (found == nullptr) {
    co_return std::unexpected(
        Error{.kind = ErrorKind::kGone, .message = action.unit_name + " is not here any more"});
  }
  const kube::PodRef pod = kube::ref_of(*found);
  Result<void> done;
  switch (action.kind) {
    case core::ActionKind::kAsk:
      done = co_await kube::evict(api_, pod, seconds(action.grace), action.patience);
      break;
    case core::ActionKind::kStop:
      done = co_await kube::delete_pod(api_, pod, seconds(action.grace), action.patience);
      break;
    case core::ActionKind::kExplain:
      done = co_await kube::set_disruption_target(api_, pod, action.reason, clock_.now(),
                                                  action.patience);
      break;
    case core::ActionKind::kForewarn:
    case core::ActionKind::kRelease:
    case core::ActionKind::kPutBack:
      done = co_await relabel(std::move(action), *found);
      break;
    case core::ActionKind::kMark:
    case core::ActionKind::kUndo:
      break;
  }
  if (!done) co_return std::unexpected(done.error());
  co_return std::string();
}

// Changes labels and annotations of the pod, and nothing else.
Task<Result<void>> Kubernetes::relabel(core::Action action, kube::Pod pod) {
  boost::json::object metadata;
  if (action.kind == core::ActionKind::kForewarn) {
    metadata["annotations"] = boost::json::object{{kNoticeAnnotation, notice_word(action.notice)}};
  } else {
    const std::optional<Place> place = place_of(pod);
    if (!place) {
      co_return std::unexpected(
          Error{.kind = ErrorKind::kGone, .message = action.unit_name + " is no Deployment's"});
    }
    metadata = action.kind == core::ActionKind::kRelease
                   ? release_metadata(pod, *place, action.notice)
                   : put_back_metadata(pod, *place);
  }
  co_return co_await kube::patch_pod(api_, kube::ref_of(pod), std::move(metadata), action.patience);
}

void Kubernetes::tell_all(const core::Observation& observation) {
  for (const auto& [host, watched] : watched_) report_(host, observation);
}

std::shared_ptr<WorkloadWatch> Kubernetes::workloads() {
  if (!workloads_) {
    workloads_ = std::make_shared<WorkloadWatch>(
        api_, group_,
        [this](const std::string& node) { return watched_.contains(core::HostId(node)); },
        [this](const core::Observation& observation) { tell_all(observation); },
        [this](const std::string& ns, const std::set<std::string>& shared) {
          for (const auto& [host, watched] : watched_) watched->claims_known(ns, shared);
        });
  }
  return workloads_;
}

void Kubernetes::watch(const core::HostId& host) {
  auto& watched = watched_[host];
  if (watched) {
    watched->tell_again();
    if (workloads_) workloads_->tell_again();
    return;
  }
  watched = std::make_shared<HostWatch>(api_, group_, clock_, options_.pods, host, report_);
  watched->on_deployments = [this](const std::vector<kube::Pod>& pods) {
    if (pods.empty() || !options_.hand_over || !hands_over_without(lacking_)) return;
    workloads()->need(pods);
    workloads()->tell_again();
  };
  // What is Ready on it is no replacement for anybody any more.
  if (workloads_) workloads_->tell_again();
  group_.spawn("watches of " + host.value, begin_watch(watched));
}

Task<> Kubernetes::begin_watch(std::shared_ptr<HostWatch> watched) {
  co_await watched->mark_answered.wait(kMarkAlone);
  watched->begin(lacking_, options_.local_services);
}

void Kubernetes::lacks(std::set<kube::Right> rights) {
  lacking_ = std::move(rights);
}

}  // namespace spotkeeper::effects
