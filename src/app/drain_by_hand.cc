// SPDX-License-Identifier: Apache-2.0
// A drain at a person's word: the agent's engine and effects, a board instead of a log, and a
// question at Ctrl-C.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "app/by_hand.h"
#include "app/documents.h"
#include "app/ecs_by_hand.h"
#include "app/engine.h"
#include "app/holder.h"
#include "app/hosts.h"
#include "app/interrupts.h"
#include "app/outcome.h"
#include "app/progress.h"
#include "app/replacements.h"
#include "async/deadline.h"
#include "async/task_group.h"
#include "core/waves.h"
#include "effects/kubernetes.h"
#include "effects/node_book.h"
#include "effects/node_writes.h"
#include "effects/released.h"
#include "effects/rights.h"
#include "observe/hosts_view.h"
#include "observe/post_mortem.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr Millis kFrame{250};
constexpr Millis kRightsTime{3'000};  // that they are known is worth so much time
constexpr Millis kLongWait = std::chrono::hours(1);
constexpr Millis kLookAgain{2'000};  // whether pods are replaced
constexpr size_t kFewHosts = 3;      // with a board each

// Another drain by hand leaves its hosts alone, until we end.
core::Policy shared_policy(const config::DrainOptions& options) {
  core::Policy policy = config::policy_of(options);
  policy.renew_every = effects::kHolderRenews;
  return policy;
}

class DrainByHand {
 public:
  DrainByHand(asio::io_context& io, asio::signal_set& signals, const config::DrainOptions& options,
              kube::Access access, effects::PodRules pods)
      : options_(options),
        api_(io.get_executor(), std::move(access)),
        tasks_(io.get_executor(), [this](const std::string& what) { task_failed(what); }),
        progress_(options.output != "table"),
        engine_(io.get_executor(), clock_, shared_policy(options), hooks()),
        kubernetes_(api_, tasks_, clock_,
                    {.pods = std::move(pods),
                     .taint = options.taint_node,
                     .hand_over = core::may_hand_over(config::policy_of(options)),
                     .requests = {.per_s = static_cast<double>(options.kube_api_qps),
                                  .burst = static_cast<double>(options.kube_api_burst)},
                     .holder = this_process(),
                     .holder_ended = has_ended},
                    [this](const core::HostId& host, core::Observation observation) {
                      engine_.tell(host, std::move(observation));
                    }),
        changed_(io.get_executor()),
        interrupts_(options, signals, hosts_, engine_, progress_, changed_,
                    [this] { waves_->stop(); }) {
    api_.renew_in(tasks_, [this](const Error& error) {
      progress_.leave();
      fail("drain", error.within("the credential is not renewed yet; the last is still valid"), 0);
    });
  }

  Task<> run();
  int status() const { return status_; }

 private:
  Engine::Hooks hooks() {
    return {.act = [this](core::Action action) { kubernetes_.carry_out(std::move(action)); },
            .journal = [this](const core::Entry& entry) { progress_.entry(entry, started_); },
            .finished = [this](const core::Drain& drain) { host_finished(drain); }};
  }
  void task_failed(const std::string& what) {
    error_ = "a task failed, which is a bug: " + what;
    changed_.set();
  }
  Task<> undo(std::vector<kube::Node> nodes);
  Task<> say_rights();
  void begin(const std::vector<kube::Node>& nodes);
  void begin_next();
  void begin_host(size_t place);
  Task<> begin_in_turn(size_t place);
  Task<> await_replacements(size_t place);
  void host_finished(const core::Drain& drain);
  void host_done(size_t place, bool well);
  bool in_waves() const { return options_.max_unavailable.has_value(); }
  bool is_over() const { return waves_->over() && !engine_.busy(); }
  bool are_many() const { return nodes_.size() > kFewHosts; }
  void show();
  Task<> draw();
  Task<> watch_host_timeout(size_t place);
  void say_who_is_left() const;
  void end();

  const config::DrainOptions& options_;
  SteadyClock clock_;
  kube::Api api_;
  TaskGroup tasks_;
  Progress progress_;
  Engine engine_;
  effects::Kubernetes kubernetes_;
  Event changed_;
  Time started_{};
  std::vector<kube::Node> nodes_;            // all that were chosen
  std::optional<core::Waves> waves_;         // places in nodes_; set when the drains begin
  std::vector<core::HostId> hosts_;          // whose drain has begun
  std::map<size_t, Replacements> replaced_;  // in waves: of hosts whose turn it is
  std::map<size_t, std::string> awaited_;    // what is missing of those that are empty
  std::set<size_t> drained_;                 // in waves: empty, and perhaps not replaced yet
  std::string stopped_by_;                   // the host that was not done in time
  std::string error_;
  Interrupts interrupts_;
  int status_ = 1;
  bool said_unread_ = false;  // that pods cannot be counted
};

Task<> DrainByHand::run() {
  tasks_.spawn("signals", interrupts_.watch_signals());
  auto nodes = co_await find_hosts(api_, options_);
  if (!nodes) {
    status_ = fail("drain", nodes.error(), nodes.error().kind == ErrorKind::kGone ? 2 : 1);
    tasks_.cancel();
    co_await tasks_.join();
    co_return;
  }
  if (options_.undo) {
    co_await undo(std::move(*nodes));
    tasks_.cancel();
    co_await tasks_.join();
    co_return;
  }
  co_await finish_within(kRightsTime, say_rights());
  begin(*nodes);
  while (!is_over() && error_.empty()) {
    co_await changed_.wait(kLongWait);
    if (!interrupts_.asking()) begin_next();
  }
  tasks_.cancel();
  co_await tasks_.join();
  end();
}

Task<> DrainByHand::undo(std::vector<kube::Node> nodes) {
  status_ = 0;
  for (const kube::Node& node : nodes) {
    // Before the mark, which says whose it is.
    const Result<std::string> back =
        co_await effects::put_back_released(api_, node.name, clock_.now());
    if (!back) status_ = fail("drain", back.error(), 1);
    const Result<std::string> done =
        co_await effects::take_back_mark(api_, node.name, {}, clock_.now());
    if (done) {
      const std::string and_pods = back && !back->empty() ? "; " + *back : std::string();
      observe::write_text(STDOUT_FILENO, node.name + ": " + *done + and_pods + "\n");
    } else {
      status_ = fail("drain", done.error(), 1);
    }
  }
}

// One line for each right that is missing, before anything is done.
Task<> DrainByHand::say_rights() {
  std::vector<kube::Right> wanted = effects::needed_rights();
  const auto held = co_await kube::held_rights(api_, std::move(wanted));
  if (!held) co_return;
  std::set<kube::Right> lacking;
  for (const effects::Need& need : effects::needs()) {
    if (held->contains(need.right)) continue;
    lacking.insert(need.right);
    const Error missing{.message = effects::missing_line(need)};
    fail("drain", missing, 0);
  }
  kubernetes_.lacks(std::move(lacking));
  engine_.able(effects::abilities_of(*held));
}

void DrainByHand::begin(const std::vector<kube::Node>& nodes) {
  started_ = clock_.now();
  nodes_ = nodes;
  if (nodes.size() > 1) progress_.name_hosts();
  if (are_many()) progress_.many_hosts();
  std::vector<core::Waves::Host> hosts;
  hosts.reserve(nodes.size());
  for (const kube::Node& node : nodes) {
    hosts.push_back({.name = node.name, .unavailable = node.unschedulable || !node.ready});
  }
  const size_t at_once =
      in_waves() ? options_.max_unavailable->of(nodes.size()) : std::max<size_t>(nodes.size(), 1);
  waves_.emplace(std::move(hosts), at_once);
  interrupts_.begin();
  tasks_.spawn("timer", engine_.keep_time());
  if (progress_.live()) tasks_.spawn("board", draw());
  if (options_.timeout > Millis(0) && !in_waves())
    tasks_.spawn("timeout", interrupts_.watch_timeout());
  begin_next();
}

// All hosts are told of before any of them is watched: their marks go first.
void DrainByHand::begin_next() {
  const std::vector<size_t> places = waves_->next();
  if (in_waves()) {
    for (const size_t place : places) {
      tasks_.spawn("turn of " + nodes_[place].name, begin_in_turn(place));
    }
    return;
  }
  for (const size_t place : places) begin_host(place);
  for (const size_t place : places) kubernetes_.watch(core::HostId(nodes_[place].name));
}

void DrainByHand::begin_host(size_t place) {
  const Time now = in_waves() ? clock_.now() : started_;
  const core::Notice notice{
      .id = core::NoticeId(fmt::format("manual-{}", started_.time_since_epoch().count())),
      .kind = core::NoticeKind::kManual,
      .instance = core::InstanceId(effects::instance_of(nodes_[place])),
      .deadline = options_.deadline.from(now),
      .source = "spotkeeper drain",
      .received = now};
  hosts_.emplace_back(nodes_[place].name);
  if (!in_waves()) kubernetes_.seen(nodes_[place]);  // later it is not as it was any more
  engine_.tell(hosts_.back(), core::NoticeHeard{.notice = notice});
}

Task<> DrainByHand::begin_in_turn(size_t place) {
  auto before = co_await owners_on(api_, nodes_[place].name);
  if (!before && !std::exchange(said_unread_, true)) {
    progress_.say(before.error().within("replacements are not waited for").message);
  }
  while (interrupts_.asking()) co_await sleep_for(kFrame);
  if (waves_->stopped()) {  // while it was asked
    waves_->done(place, false);
    changed_.set();
    co_return;
  }
  replaced_[place] = before ? Replacements(std::move(*before)) : Replacements();
  begin_host(place);
  kubernetes_.watch(hosts_.back());
  if (options_.timeout > Millis(0)) {
    tasks_.spawn("timeout of " + nodes_[place].name, watch_host_timeout(place));
  }
}

void DrainByHand::host_finished(const core::Drain& drain) {
  const auto at = std::ranges::find(nodes_, drain.host().value, &kube::Node::name);
  const auto place = static_cast<size_t>(at - nodes_.begin());
  const bool well = observe::is_well(observe::make_post_mortem(drain, clock_.now()));
  if (in_waves() && well && drained_.insert(place).second) {
    tasks_.spawn("replacements of " + drain.host().value, await_replacements(place));
  } else if (!in_waves() || !well) {
    if (in_waves() && !interrupts_.interrupted() && stopped_by_.empty()) {
      stopped_by_ = drain.host().value + ": not drained to its end";
    }
    host_done(place, well);
  }
  changed_.set();
}

void DrainByHand::host_done(size_t place, bool well) {
  waves_->done(place, well || !in_waves());
  awaited_.erase(place);
  changed_.set();
}

Task<> DrainByHand::await_replacements(size_t place) {
  for (;;) {
    const auto there = co_await owners_in(api_, replaced_[place].namespaces());
    if (there) {
      const std::vector<std::string> missing = replaced_[place].missing(*there, clock_.now());
      if (missing.empty() || waves_->stopped()) break;
      if (awaited_[place].empty() && !progress_.live()) {
        progress_.say(nodes_[place].name + ": waits for replacements: " + missing.front());
      }
      awaited_[place] = missing.front();
    } else if (awaited_[place].empty()) {
      awaited_[place] = there.error().message;
    }
    co_await sleep_for(kLookAgain);
  }
  host_done(place, true);
}

void DrainByHand::show() {
  if (!are_many()) return progress_.show(engine_.find(hosts_), clock_.now());
  observe::HostsState state{
      .hosts = nodes_.size(), .done = waves_->finished(), .waiting = waves_->waiting().size()};
  if (!awaited_.empty()) {
    const auto& [place, what] = *awaited_.begin();
    state.note = fmt::format("{}: waits for replacements: {}", nodes_[place].name, what);
  }
  progress_.show_hosts(engine_.find(hosts_), state, clock_.now());
}

Task<> DrainByHand::draw() {
  for (;;) {
    if (!interrupts_.asking()) show();
    co_await sleep_for(kFrame);
  }
}

// Those that drain go on: each has its own time. Nobody else's turn comes.
Task<> DrainByHand::watch_host_timeout(size_t place) {
  co_await sleep_for(options_.timeout);
  const core::HostId host(nodes_[place].name);
  const core::Drain* drain = engine_.find(host);
  const bool empty = drain != nullptr && drain->finished();
  if (empty && !awaited_.contains(place)) co_return;
  if (stopped_by_.empty()) {
    stopped_by_ = fmt::format("{}: not {} within --timeout {}", host.value,
                              empty ? "replaced (" + awaited_[place] + ")" : "drained",
                              format_duration(options_.timeout));
  }
  waves_->stop();
  if (empty) {
    host_done(place, false);
  } else {
    engine_.tell_first(host, core::Withdrawn{.undo = false, .why = "--timeout is over"});
  }
}

// Why the others' turn never came, and who they are: one line.
void DrainByHand::say_who_is_left() const {
  const std::vector<std::string> left = waves_->waiting();
  if (left.empty() && stopped_by_.empty()) return;
  const std::string why = !stopped_by_.empty() ? stopped_by_ : "interrupted";
  fail("drain", Error{.message = why + "; " + not_begun(left)}, 1);
}

void DrainByHand::end() {
  show();
  progress_.leave();
  if (!error_.empty()) {
    fail("drain", Error{.message = error_}, 1);
    return;
  }
  const int width = progress_.live() ? observe::style_of(progress_.fd()).width : 0;
  const bool all_well =
      print_outcome(engine_.find(hosts_), clock_.now(), options_.output, are_many(), width) &&
      stopped_by_.empty();
  say_who_is_left();
  status_ = interrupts_.status(all_well);
}

}  // namespace

int run_drain(const config::DrainOptions& options, const config::Environment& environment) {
  if (options.dry_run) return run_plan(options, environment);
  if (const auto ahead = check_deadline(options); !ahead) return fail("drain", ahead.error(), 2);
  if (options.platform == config::Platform::kEcs) return run_drain_on_ecs(options);
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  Result<kube::Access> access = find_access(options, environment);
  if (!access) return fail("drain", access.error(), 2);
  DrainByHand drain(io, signals, options, std::move(*access), rules_of_this_pod(environment));
  TaskGroup main_task(io.get_executor(), [](const std::string& what) {
    fail("drain", Error{.message = "a task failed, which is a bug: " + what}, 1);
    std::_Exit(1);
  });
  main_task.spawn("drain", drain.run());
  io.run();
  return main_task.first_failure().empty() ? drain.status() : 1;
}

}  // namespace spotkeeper::app
