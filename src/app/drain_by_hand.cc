// SPDX-License-Identifier: Apache-2.0
// A drain at a person's word: the agent's engine and effects, a board instead of a log, and a
// question at Ctrl-C.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <csignal>
#include <cstdlib>
#include <map>

#include "app/by_hand.h"
#include "app/documents.h"
#include "app/engine.h"
#include "app/holder.h"
#include "app/hosts.h"
#include "app/progress.h"
#include "app/question.h"
#include "async/deadline.h"
#include "async/task_group.h"
#include "effects/kubernetes.h"
#include "effects/node_writes.h"
#include "effects/released.h"
#include "effects/rights.h"
#include "observe/post_mortem.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr int kInterrupted = 130;
constexpr Millis kFrame{250};
constexpr Millis kRightsTime{3'000};  // that they are known is worth so much time
constexpr Millis kLongWait = std::chrono::hours(1);

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
        signals_(signals),
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
        changed_(io.get_executor()) {
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
            .finished = [this](const core::Drain&) { changed_.set(); }};
  }
  void task_failed(const std::string& what) {
    error_ = "a task failed, which is a bug: " + what;
    changed_.set();
  }
  Task<> undo(std::vector<kube::Node> nodes);
  Task<> say_rights();
  void begin(const std::vector<kube::Node>& nodes);
  Task<> draw();
  Task<> watch_signals();
  Task<> watch_timeout();
  void withdraw(bool undo, const std::string& why);
  void end();
  std::vector<const core::Drain*> drains() const;

  const config::DrainOptions& options_;
  asio::signal_set& signals_;
  SteadyClock clock_;
  kube::Api api_;
  TaskGroup tasks_;
  Progress progress_;
  Engine engine_;
  effects::Kubernetes kubernetes_;
  Event changed_;
  Time started_{};
  std::vector<core::HostId> hosts_;
  std::string error_;
  int status_ = 1;
  bool interrupted_ = false;
  bool asking_ = false;
  bool timed_out_ = false;
};

Task<> DrainByHand::run() {
  tasks_.spawn("signals", watch_signals());
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
  while (engine_.busy() && error_.empty()) co_await changed_.wait(kLongWait);
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
        co_await effects::take_back_mark(api_, node.name, core::NoticeId(), clock_.now());
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
  if (nodes.size() > 1) progress_.name_hosts();
  core::Notice notice;
  notice.id = core::NoticeId(fmt::format("manual-{}", started_.time_since_epoch().count()));
  notice.kind = core::NoticeKind::kManual;
  notice.deadline = options_.deadline.from(started_);
  notice.source = "spotkeeper drain";
  notice.received = started_;
  for (const kube::Node& node : nodes) {
    notice.instance = core::InstanceId(instance_of(node));
    hosts_.emplace_back(node.name);
    kubernetes_.seen(node);
    engine_.tell(hosts_.back(), core::NoticeHeard{.notice = notice});
  }
  for (const core::HostId& host : hosts_) kubernetes_.watch(host);
  tasks_.spawn("timer", engine_.keep_time());
  if (progress_.live()) tasks_.spawn("board", draw());
  if (options_.timeout > Millis(0)) tasks_.spawn("timeout", watch_timeout());
}

Task<> DrainByHand::draw() {
  for (;;) {
    if (!asking_) progress_.show(drains(), clock_.now());
    co_await sleep_for(kFrame);
  }
}

Task<> DrainByHand::watch_timeout() {
  co_await sleep_for(options_.timeout);
  timed_out_ = true;
  withdraw(false, "--timeout is over");
}

// The first Ctrl-C asks, and nothing new is begun meanwhile; a second one means "leave". Once that
// is answered another one ends the command at once.
Task<> DrainByHand::watch_signals() {
  for (;;) {
    const int number = co_await signals_.async_wait(asio::use_awaitable);
    // Nothing was done yet, or the reader has seen enough.
    if (hosts_.empty() || interrupted_ || timed_out_) std::_Exit(kInterrupted);
    std::string answer = options_.on_interrupt;
    const bool can_ask = number == SIGINT && observe::is_terminal(STDIN_FILENO) &&
                         observe::is_terminal(STDERR_FILENO);
    if (answer == "ask" && can_ask) {
      engine_.pause();
      asking_ = true;
      progress_.leave();
      answer = co_await ask_at_interrupt(signals_);
      asking_ = false;
    }
    if (answer == "continue") {
      engine_.resume();
      continue;
    }
    interrupted_ = true;
    withdraw(answer == "undo", "interrupted");
    engine_.resume();
  }
}

void DrainByHand::withdraw(bool undo, const std::string& why) {
  for (const core::HostId& host : hosts_) {
    engine_.tell_first(host, core::Withdrawn{.undo = undo, .why = why});
  }
}

std::vector<const core::Drain*> DrainByHand::drains() const {
  std::vector<const core::Drain*> all;
  for (const core::HostId& host : hosts_) {
    if (const core::Drain* drain = engine_.find(host)) all.push_back(drain);
  }
  return all;
}

void DrainByHand::end() {
  progress_.show(drains(), clock_.now());
  progress_.leave();
  if (!error_.empty()) {
    fail("drain", Error{.message = error_}, 1);
    return;
  }
  bool all_well = true;
  std::vector<boost::json::object> documents;
  const bool table = options_.output == "table";
  const int width = progress_.live() ? observe::style_of(progress_.fd()).width : 0;
  for (const core::Drain* drain : drains()) {
    const observe::PostMortem result = observe::make_post_mortem(*drain, clock_.now());
    all_well = all_well && result.listed && result.untold == 0 && result.ending == 0;
    if (table) {
      observe::write_text(STDOUT_FILENO, "\n" + observe::to_table(result, width));
    } else {
      documents.push_back(observe::to_json(result));
    }
  }
  if (!table) print_documents(std::move(documents), options_.output);
  status_ = interrupted_ ? kInterrupted : all_well && !timed_out_ ? 0 : 1;
}

}  // namespace

int run_drain(const config::DrainOptions& options, const config::Environment& environment) {
  if (options.dry_run) return run_plan(options, environment);
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);
  if (const auto ahead = check_deadline(options); !ahead) return fail("drain", ahead.error(), 2);
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
