// SPDX-License-Identifier: Apache-2.0
// A drain of container instances at a person's word: the agent's engine and effects, a board
// instead of a log, and a question at Ctrl-C.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>

#include "app/documents.h"
#include "app/ecs_by_hand.h"
#include "app/ecs_hosts.h"
#include "app/engine.h"
#include "app/interrupts.h"
#include "app/outcome.h"
#include "app/progress.h"
#include "ecs/ecs.h"
#include "ecs/policy.h"
#include "ecs/words.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr Millis kFrame{250};
constexpr Millis kLongWait = std::chrono::hours(1);
constexpr size_t kFewHosts = 3;  // with a board each

class EcsDrainByHand {
 public:
  EcsDrainByHand(asio::io_context& io, asio::signal_set& signals,
                 const config::DrainOptions& options, aws::Client& client, TaskGroup& tasks,
                 const Clock& clock)
      : options_(options),
        client_(client),
        tasks_(tasks),
        clock_(clock),
        progress_(options.output != "table", ecs::in_ecs_words),
        engine_(io.get_executor(), clock, ecs::policy_on_ecs(config::policy_of(options)), hooks()),
        ecs_(
            client, tasks, clock, effect_options(options),
            [this](const core::HostId& host, core::Observation seen) {
              engine_.tell(host, std::move(seen));
            },
            [this](const core::HostId& host, core::Level, const std::string& text) {
              progress_.say(host.value + ": " + text);
            }),
        changed_(io.get_executor()),
        interrupts_(options, signals, hosts_, engine_, progress_, changed_, [] {}) {
    engine_.able(ecs::abilities());
  }

  Task<> run();
  int status() const { return status_; }

  // A task has failed: a bug.
  void failed(const std::string& what) {
    error_ = "a task failed, which is a bug: " + what;
    changed_.set();
  }

 private:
  static ecs::Ecs::Options effect_options(const config::DrainOptions& options) {
    ecs::Ecs::Options effects;
    effects.view.margin = Seconds(options.margin);
    return effects;
  }
  Engine::Hooks hooks() {
    return {.act = [this](core::Action action) { ecs_.carry_out(std::move(action)); },
            .journal = [this](const core::Entry& entry) { progress_.entry(entry, started_); },
            .finished =
                [this](const core::Drain& drain) {
                  ecs_.finished(drain);
                  changed_.set();
                }};
  }
  Task<> undo(std::vector<ecs::Instance> instances);
  void begin(std::vector<ecs::Instance> instances);
  Task<> drain_all();
  Task<> draw();
  void end();

  const config::DrainOptions& options_;
  aws::Client& client_;
  TaskGroup& tasks_;
  const Clock& clock_;
  Progress progress_;
  Engine engine_;
  ecs::Ecs ecs_;
  Event changed_;
  Time started_{};
  std::vector<core::HostId> hosts_;
  std::string error_;
  Interrupts interrupts_;
  int status_ = 1;
};

Task<> EcsDrainByHand::run() {
  tasks_.spawn("signals", interrupts_.watch_signals());
  auto instances = co_await find_instances(client_, options_);
  if (!instances) {
    const Error& error = instances.error();
    status_ = fail("drain", error, error.kind == ErrorKind::kGone ? 2 : 1);
  } else if (options_.undo) {
    co_await undo(std::move(*instances));
  } else {
    begin(std::move(*instances));
    co_await drain_all();
  }
  tasks_.cancel();
  co_await tasks_.join();
}

Task<> EcsDrainByHand::undo(std::vector<ecs::Instance> instances) {
  status_ = 0;
  for (const ecs::Instance& instance : instances) {
    const Result<std::string> done = co_await ecs::set_active(client_, instance);
    if (done) {
      observe::write_text(STDOUT_FILENO, host_of(instance).value + ": " + *done + "\n");
    } else {
      status_ = fail("drain", done.error(), 1);
    }
  }
}

void EcsDrainByHand::begin(std::vector<ecs::Instance> instances) {
  interrupts_.begin();
  started_ = clock_.now();
  if (instances.size() > 1) progress_.name_hosts();
  if (instances.size() > kFewHosts) progress_.many_hosts();
  core::Notice notice{
      .id = core::NoticeId(fmt::format("manual-{}", started_.time_since_epoch().count())),
      .kind = core::NoticeKind::kManual,
      .deadline = options_.deadline.from(started_),
      .source = "spotkeeper drain",
      .received = started_};
  for (ecs::Instance& instance : instances) {
    hosts_.push_back(host_of(instance));
    notice.instance = core::InstanceId(instance.facts.ec2_instance_id);
    ecs_.know(hosts_.back(), std::move(instance));
    engine_.tell(hosts_.back(), core::NoticeHeard{.notice = notice});
    ecs_.watch(hosts_.back(), notice);
  }
  tasks_.spawn("timer", engine_.keep_time());
  if (progress_.live()) tasks_.spawn("board", draw());
  if (options_.timeout > Millis(0)) tasks_.spawn("timeout", interrupts_.watch_timeout());
}

Task<> EcsDrainByHand::drain_all() {
  while ((engine_.busy() || interrupts_.asking()) && error_.empty())
    co_await changed_.wait(kLongWait);
  end();
}

Task<> EcsDrainByHand::draw() {
  for (;;) {
    if (!interrupts_.asking()) {
      const std::vector<const core::Drain*> drains = engine_.find(hosts_);
      if (hosts_.size() > kFewHosts) {
        const auto done = std::ranges::count_if(drains, &core::Drain::finished);
        const observe::HostsState state{.hosts = hosts_.size(), .done = static_cast<size_t>(done)};
        progress_.show_hosts(drains, state, clock_.now());
      } else {
        progress_.show(drains, clock_.now());
      }
    }
    co_await sleep_for(kFrame);
  }
}

void EcsDrainByHand::end() {
  progress_.leave();
  if (!error_.empty()) {
    fail("drain", Error{.message = error_}, 1);
    return;
  }
  const int width = progress_.live() ? observe::style_of(progress_.fd()).width : 0;
  const bool many = hosts_.size() > kFewHosts;
  const bool all_well = print_outcome(engine_.find(hosts_), clock_.now(), options_.output, many,
                                      width, ecs::in_ecs_words);
  status_ = interrupts_.status(all_well);
}

}  // namespace

int run_drain_on_ecs(const config::DrainOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  const SteadyClock clock;
  EcsDrainByHand* running = nullptr;
  TaskGroup tasks(io.get_executor(), [&running](const std::string& what) {
    if (running != nullptr) running->failed(what);
  });
  auto access = reach_aws(options, tasks, clock);
  if (!access) return fail("drain", access.error(), 2);
  EcsDrainByHand drain(io, signals, options, (*access)->client(), tasks, clock);
  running = &drain;
  TaskGroup main_task(io.get_executor(), [](const std::string& what) {
    fail("drain", Error{.message = "a task failed, which is a bug: " + what}, 1);
    std::_Exit(1);
  });
  main_task.spawn("drain", drain.run());
  io.run();
  return main_task.first_failure().empty() ? drain.status() : 1;
}

}  // namespace spotkeeper::app
