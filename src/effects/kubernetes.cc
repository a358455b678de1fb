// SPDX-License-Identifier: Apache-2.0
#include "effects/kubernetes.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <utility>

#include "async/timing.h"
#include "effects/node_writes.h"
#include "effects/release.h"
#include "effects/rights.h"
#include "kube/calls.h"

namespace spotkeeper::effects {
namespace {

// Marks that take longer than this do not hold up the watches.
constexpr Millis kMarkAlone{100};
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

// The grace to send now; nothing: the pod's own. What had to wait has less time left.
std::optional<int64_t> grace_now(const core::Action& action, const kube::Pod& pod, Time now) {
  const Seconds granted = action.grace.value_or(Seconds(pod.grace_s));
  if (action.end != kNever) {
    const auto left = std::chrono::round<Seconds>(action.end - now);
    if (left >= Seconds(1) && left < granted) return left.count();
  }
  return action.grace ? std::optional(granted.count()) : std::nullopt;
}

// A server under load speaks for itself, not for one pod.
bool asks_for_pause(const Error& error) {
  return !error.budget && error.retry_after_s > 0 &&
         (error.status == kTooManyRequests || error.status == kUnavailable);
}

}  // namespace

Kubernetes::Kubernetes(kube::Api& api, TaskGroup& group, const Clock& clock, Options options,
                       Report report)
    : api_(api),
      group_(group),
      clock_(clock),
      options_(std::move(options)),
      report_(std::move(report)),
      view_(options_.pods, clock, report_),
      watches_(std::make_shared<Watches>(api, group, view_)),
      holders_(options_.holder, options_.holder_ended),
      queue_(options_.requests),
      events_(api, group, clock, queue_, options_.reporter),
      queue_changed_(group.executor()),
      mark_answered_(group.executor()) {
  watches_->on_pods = [this](const ClusterView::Nodes& nodes) { pods_listed(nodes); };
  watches_->on_node = [this](const kube::Node& node) { changed(node); };
  watches_->on_marked = [this] {
    if (workloads_) workloads_->tell_again();
  };
  watches_->on_marks_known = [this] {
    if (workloads_) workloads_->marks_known();
  };
  if (options_.local_services) watches_->want_local_services();
}

// The streams know whom to tell, and those the streams.
Kubernetes::~Kubernetes() {
  watches_->pods()->end_all();
}

void Kubernetes::seen(kube::Node node) {
  std::string name = node.name;
  nodes_.insert_or_assign(std::move(name), std::move(node));
}

std::optional<kube::Node> Kubernetes::take_known(const std::string& name) {
  if (look_up) {
    const kube::Node* node = look_up(name);
    return node == nullptr ? std::nullopt : std::optional(*node);
  }
  auto known = nodes_.extract(name);
  return known.empty() ? std::nullopt : std::optional(std::move(known.mapped()));
}

// Others write on a node that we have just marked (its taints, its status): the next mark would
// meet a conflict, and read it first.
void Kubernetes::changed(const kube::Node& node) {
  const auto known = nodes_.find(node.name);
  if (known == nodes_.end()) return;
  const uint64_t version = kube::version_number(node.resource_version);
  if (version > kube::version_number(known->second.resource_version)) known->second = node;
}

void Kubernetes::carry_out(core::Action action) {
  queue_.push(std::move(action), clock_.now());
  send_what_may();
  if (queue_.empty()) return;
  queue_changed_.set();
  if (!std::exchange(sending_, true)) group_.spawn("requests", send_in_turn());
}

void Kubernetes::send_what_may() {
  while (std::optional<core::Action> action = queue_.pop(clock_.now())) {
    std::string name = fmt::format("{} {} {}", core::to_string(action->kind), action->host.value,
                                   action->unit_name);
    group_.spawn(std::move(name), do_action(std::move(*action)));
  }
}

Task<> Kubernetes::send_in_turn() {
  while (!queue_.empty()) {
    co_await queue_changed_.wait(queue_.due(clock_.now()) - clock_.now());
    send_what_may();
  }
  sending_ = false;
}

Task<> Kubernetes::do_action(core::Action action) {
  const core::HostId host = action.host;
  const uint64_t number = action.number;
  const Time sent = clock_.now();
  Result<std::string> result;
  if (action.kind == core::ActionKind::kMark) {
    Mark wanted{.notice = std::move(action.notice),
                .taint = options_.taint,
                .taint_effect = options_.taint_effect,
                .extras = action.extras,
                .started = sent,
                .holder = options_.holder};
    std::optional<kube::Node> node = take_known(host.value);
    if (!node) queue_.charge(1, sent);  // it is read first
    result = co_await mark(std::move(wanted), host.value, std::move(node));
    mark_answered(host.value);
  } else if (action.kind == core::ActionKind::kUndo) {
    queue_.charge(1, sent);
    result = co_await take_back_mark(api_, host.value, std::move(action.takers), sent);
  } else {
    result = co_await on_pod(std::move(action));
  }
  if (!result && asks_for_pause(result.error())) {
    queue_.pause(clock_.now() + Seconds(result.error().retry_after_s));
  }
  queue_.answered(clock_.now());
  if (!queue_.empty()) queue_changed_.set();
  report_(host, core::ActionDone{.number = number, .result = std::move(result), .sent = sent});
}

Task<Result<std::string>> Kubernetes::mark(Mark wanted, std::string name,
                                           std::optional<kube::Node> known) {
  Result<Marked> done =
      co_await write_mark(api_, name, std::move(wanted), holders_, std::move(known));
  if (!done) co_return std::unexpected(std::move(done.error()));
  if (done->node && on_node) on_node(*done->node);
  // A mark that is to be renewed needs no second look.
  if (done->node && !look_up && !holders_.self().empty()) seen(std::move(*done->node));
  co_return std::move(done->remark);
}

Task<Result<std::string>> Kubernetes::on_pod(core::Action action) {
  const kube::Pod* found = view_.find(action.host, action.unit);
  if (found == nullptr) {
    co_return std::unexpected(
        Error{.kind = ErrorKind::kGone, .message = action.unit_name + " is not here any more"});
  }
  const kube::PodRef pod = kube::ref_of(*found);
  const std::optional<int64_t> grace = grace_now(action, *found, clock_.now());
  Result<void> done;
  switch (action.kind) {
    case core::ActionKind::kAsk:
      done = co_await kube::evict(api_, pod, grace, action.patience);
      break;
    case core::ActionKind::kStop:
      done = co_await kube::delete_pod(api_, pod, grace, action.patience);
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

std::shared_ptr<WorkloadWatch> Kubernetes::workloads() {
  if (!workloads_) {
    workloads_ = std::make_shared<WorkloadWatch>(
        api_, group_, watches_->pods(),
        [this](const std::string& node) { return view_.goes(node) || watches_->is_marked(node); },
        [this](const core::Observation& observation) { view_.tell_group(observation); },
        [this](const std::string& ns, const std::set<std::string>& shared) {
          view_.claims_known(ns, shared);
        });
    watches_->want_marked_nodes();
  }
  return workloads_;
}

void Kubernetes::watch(const core::HostId& host) {
  if (!view_.add(host)) {
    view_.tell_again(host);
    if (workloads_) workloads_->tell_again();
    return;
  }
  // What is Ready on it is no replacement for anybody any more.
  if (workloads_) workloads_->tell_again();
  unmarked_.insert(host.value);
  announced_.insert(host.value);
  if (!std::exchange(beginning_, true)) group_.spawn("watches", begin_watches());
}

void Kubernetes::forget(const core::HostId& host) {
  announced_.erase(host.value);
  unmarked_.erase(host.value);
  nodes_.erase(host.value);
  holders_.forget(host.value);
  watches_->end(host.value);
  if (workloads_) workloads_->end(host.value);
  view_.remove(host);
  if (!view_.empty()) return;
  watches_->end_all();
  workloads_ = nullptr;
  view_.forget_shared();
}

void Kubernetes::mark_answered(const std::string& node) {
  if (unmarked_.erase(node) != 0 && unmarked_.empty()) mark_answered_.set();
}

Task<> Kubernetes::begin_watches() {
  co_await mark_answered_.wait(kMarkAlone);
  beginning_ = false;
  unmarked_.clear();
  if (!announced_.empty()) watches_->begin(std::exchange(announced_, {}));
}

void Kubernetes::pods_listed(const ClusterView::Nodes& nodes) {
  const std::vector<kube::Pod> pods = view_.of_deployments(nodes);
  if (pods.empty() || !options_.hand_over || !hands_over_without(lacking_)) return;
  workloads()->need(pods);
  workloads()->tell_again();
}

void Kubernetes::lacks(std::set<kube::Right> rights) {
  lacking_ = rights;
  watches_->lacks(std::move(rights));
}

}  // namespace spotkeeper::effects
