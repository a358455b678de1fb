// SPDX-License-Identifier: Apache-2.0
#include "app/agent.h"

#include <memory>

#include "app/aws_time.h"
#include "app/engine.h"
#include "app/footprint.h"
#include "app/hearing.h"
#include "app/kubernetes_platform.h"
#include "app/outcome.h"
#include "app/policy_reload.h"
#include "app/telling.h"
#include "async/deadline.h"
#include "async/task_group.h"
#include "async/timing.h"
#include "aws/imds.h"
#include "base/counters.h"
#include "ecs/policy.h"
#include "effects/holders.h"
#include "observe/post_mortem.h"
#include "tell/words.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr Millis kLongWait = std::chrono::hours(1);
constexpr Millis kLastWorks{5'000};
constexpr Millis kSettled{20'000};  // after the start
constexpr Millis kSoon = std::chrono::minutes(10);

http::ClientOptions link_local() {
  http::ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

}  // namespace

// All parts of a running agent, in the order in which they need each other.
class Agent::Body {
 public:
  Body(const asio::any_io_executor& executor, const config::AgentOptions& options,
       const MakePlatform& platform, HostClock& clock, observe::Log& log,
       std::function<void(const core::Entry&)> journal)
      : options_(options),
        clock_(clock),
        log_(log),
        journal_(std::move(journal)),
        imds_http_(executor, link_local()),
        imds_(imds_http_, imds_options(options), clock_),
        sources_(executor, [this](const std::string& what) { task_failed(what); }),
        work_(executor, [this](const std::string& what) { task_failed(what); }),
        engine_(executor, clock_, policy_with(options, options.rules), engine_hooks()),
        platform_(platform({.sources = sources_,
                            .work = work_,
                            .clock = clock_,
                            .counters = counters_,
                            .log = log_,
                            .imds = imds_,
                            .hooks = platform_hooks()})),
        telling_(options, {.work = work_,
                           .clock = clock_,
                           .counters = counters_,
                           .log = log_,
                           .drain = [this](const core::HostId& host) { return engine_.find(host); },
                           .monitors = monitors_of(options),
                           .poll_at_most = longest_poll(options),
                           .imds = &imds_}),
        hearing_(sources_, options, imds_, clock_, counters_, log_, hearing_hooks()),
        policy_(options.policy_file, options.rules, log_,
                [this](const std::vector<core::Rule>& rules) {
                  engine_.rules(policy_with(options_, rules).rules);
                }),
        changed_(executor) {}

  Result<void> listen() { return telling_.prepare(); }
  Task<> run();
  void end();
  void end_at_once();
  bool busy() const { return engine_.busy(); }
  const core::Drain* drain() const { return engine_.find(platform_->host()); }
  bool failed() const { return failed_; }

 private:
  static aws::ImdsOptions imds_options(const config::AgentOptions& options);
  static core::Policy policy_with(const config::AgentOptions& options,
                                  const std::vector<core::Rule>& rules);
  Task<> shrink_when_idle();
  Engine::Hooks engine_hooks();
  PlatformHooks platform_hooks();
  Hearing::Hooks hearing_hooks();
  void announce();
  void hear(core::Notice notice);
  void drain(core::Notice notice);
  void over(const core::NoticeId& id, std::optional<core::Notice> instead);
  bool goes_on_later() const;
  void resume(core::Notice notice);
  void note(core::Entry entry);
  void anchor_clock();
  void correct_clock(Millis behind);
  void task_failed(const std::string& what);
  void drain_finished(const core::Drain& drain);

  const config::AgentOptions& options_;
  HostClock& clock_;
  Counters counters_;
  observe::Log& log_;
  std::function<void(const core::Entry&)> journal_;
  http::Client imds_http_;
  aws::ImdsClient imds_;
  TaskGroup sources_;  // stopped when no drain runs any more
  TaskGroup work_;     // stopped after it
  Engine engine_;
  std::unique_ptr<Platform> platform_;
  Telling telling_;
  Hearing hearing_;
  PolicyReload policy_;
  Event changed_;  // told to end, a drain has finished, or told to end at once
  bool told_to_end_ = false;
  bool stop_now_ = false;
  bool failed_ = false;
};

aws::ImdsOptions Agent::Body::imds_options(const config::AgentOptions& options) {
  aws::ImdsOptions imds;
  imds.base_url = options.metadata_url;
  imds.tries = options.metadata_tries;
  return imds;
}

// On ECS what an operator says nothing of has other habits.
core::Policy Agent::Body::policy_with(const config::AgentOptions& options,
                                      const std::vector<core::Rule>& rules) {
  core::Policy policy = config::policy_of(options);
  policy.rules = rules;
  if (options.platform == config::Platform::kEcs) return ecs::policy_on_ecs(std::move(policy));
  policy.renew_every = effects::kHolderRenews;  // a queue goes on where we end
  return policy;
}

Engine::Hooks Agent::Body::engine_hooks() {
  return {.act = [this](core::Action action) { platform_->carry_out(std::move(action)); },
          .journal = [this](const core::Entry& entry) { note(entry); },
          .finished = [this](const core::Drain& drain) { drain_finished(drain); }};
}

PlatformHooks Agent::Body::platform_hooks() {
  return {
      .tell = [this](const core::HostId& host,
                     core::Observation observation) { engine_.tell(host, std::move(observation)); },
      .resume = [this](core::Notice notice) { resume(std::move(notice)); },
      .known =
          [this](const core::NoticeId& been) {
            hearing_.node_known(been);
            if (!been.empty()) telling_.uncordoned(platform_->host(), been);
          },
      .able = [this](const core::Abilities& abilities) { engine_.able(abilities); }};
}

void Agent::Body::hear(core::Notice notice) {
  counters_.count("notices", {{"kind", core::to_string(notice.kind)}, {"source", notice.source}});
  anchor_clock();
  note_clock(clock_, notice);
  drain(std::move(notice));
}

void Agent::Body::drain(core::Notice notice) {
  const core::HostId host = platform_->host();
  core::NoticeHeard heard{.notice = std::move(notice)};
  // Maintenance may be put off.
  const core::Drain* running = engine_.find(host);
  heard.instead = heard.notice.kind == core::NoticeKind::kScheduledEvent && running != nullptr &&
                  running->notice().id == heard.notice.id &&
                  running->notice().deadline != heard.notice.deadline;
  engine_.tell(host, heard);
  // What counts is what the drain has made of it.
  const core::Drain* drain = engine_.find(host);
  platform_->watch(drain != nullptr ? drain->notice() : heard.notice);
}

// What an earlier life has begun goes on by the record on the host, whether or not its source says
// it again. What a person has begun is that person's.
void Agent::Body::resume(core::Notice notice) {
  if (!hearing_.hears(notice.kind) || engine_.busy() || !hearing_.resume(notice)) return;
  const Time now = clock_.now();
  if (core::is_hard(notice) && notice.deadline <= now) return;  // the host has outlived it
  notice.received = now;
  log_.info("going on with the drain that the host's record tells of",
            {{"notice", notice.id.value}, {"kind", core::to_string(notice.kind)}});
  drain(std::move(notice));
}

void Agent::Body::note(core::Entry entry) {
  platform_->noted(entry);
  entry.text = platform_->in_words(std::move(entry.text));
  counters_.count("journal_entries", {{"step", core::to_string(entry.what)}});
  observe::write_entry(log_, entry);
  telling_.noted(entry);
  if (journal_) journal_(entry);
}

Hearing::Hooks Agent::Body::hearing_hooks() {
  return {.notice = [this](core::Notice notice) { hear(std::move(notice)); },
          .over = [this](core::NoticeId id,
                         std::optional<core::Notice> instead) { over(id, std::move(instead)); },
          .clock = [this](Millis behind) { correct_clock(behind); },
          .failed =
              [this](core::NoticeKind kind, const Error& error, int in_a_row) {
                telling_.poll_failed(tell::nth_monitor(kind), error, in_a_row);
              },
          .polled = [this](bool well) { telling_.polled(well); }};
}

// What was announced will not be, or has been. Only of the notice that the host is drained for is
// there anything to take back.
void Agent::Body::over(const core::NoticeId& id, std::optional<core::Notice> instead) {
  const core::HostId host = platform_->host();
  const core::Drain* drain = engine_.find(host);
  log_.info("a notice is over", {{"notice", id.value}});
  if (drain == nullptr || drain->notice().id != id) return;
  if (instead) {
    engine_.tell(host, core::NoticeHeard{.notice = std::move(*instead), .instead = true});
  } else {
    engine_.tell(host, core::Withdrawn{.undo = true, .why = "AWS has cancelled it, or it is over"});
  }
}

// Told to end, we do not wait for what may last days: the next life goes on by the node's record.
bool Agent::Body::goes_on_later() const {
  const core::Drain* drain = engine_.find(platform_->host());
  return drain != nullptr && drain->notice().kind == core::NoticeKind::kScheduledEvent &&
         drain->notice().deadline > clock_.now() + kSoon && !drain->withdrawn();
}

void Agent::Body::announce() {
  const Seconds enough = config::policy_of(options_).enough_grace;
  observe::Fields fields = platform_->fields();
  for (auto&& field : observe::Fields{
           {"metadata_url", options_.metadata_url},
           {"poll_interval", format_duration(options_.imds_poll_interval)},
           {"enough_grace_s", enough == core::kFullGrace ? "full" : std::to_string(enough.count())},
           {"margin_s", std::to_string(options_.margin)},
           {"taint_node", options_.taint_node ? "true" : "false"},
           {"cordon_only", options_.cordon_only ? "true" : "false"},
           {"dry_run", options_.dry_run ? "true" : "false"}}) {
    fields.push_back(std::move(field));
  }
  log_.info("spotkeeper agent " SPOTKEEPER_VERSION " has started", fields);
  if (options_.taint_node && options_.taint_effect == "NoExecute") {
    log_.info(
        "TAINT_EFFECT=NoExecute: it would end every pod at the mark, so NoSchedule is used there, "
        "and NoExecute in the host's last seconds");
  }
  for (const std::string& warning : config::nth_warnings(options_.nth)) log_.warning(warning);
  if (!options_.enable_spot_interruption_draining) {
    log_.warning("ENABLE_SPOT_INTERRUPTION_DRAINING=false: no Spot notice is acted on");
  }
}

// The wall clock may have been set since we started (chrony on a fresh host). While a drain runs
// time must not jump.
void Agent::Body::anchor_clock() {
  if (engine_.busy()) return;
  const Millis off = clock_.anchor();
  if (std::chrono::abs(off) < Seconds(1)) return;
  log_.warning("the host's clock was set since the last look", {{"by", format_duration(off)}});
}

void Agent::Body::correct_clock(Millis behind) {
  if (engine_.busy()) return;
  app::correct_clock(clock_, behind, counters_, log_);
}

void Agent::Body::drain_finished(const core::Drain& drain) {
  platform_->finished(drain);
  telling_.finished(drain);
  if (!options_.dry_run) {
    log_outcome(log_, observe::make_post_mortem(drain, clock_.now()),
                [this](std::string text) { return platform_->in_words(std::move(text)); });
  }
  changed_.set();
}

void Agent::Body::task_failed(const std::string& what) {
  failed_ = true;
  log_.error("a task failed, which is a bug; the agent ends: " + what);
  told_to_end_ = stop_now_ = true;
  changed_.set();
}

Task<> Agent::Body::shrink_when_idle() {
  co_await sleep_for(kSettled);
  if (!engine_.busy()) forget_code();
}

Task<> Agent::Body::run() {
  announce();
  hearing_.start();
  platform_->start();
  work_.spawn("timer", engine_.keep_time());
  telling_.start(*platform_);
  if (!options_.policy_file.empty()) work_.spawn("policy file", policy_.run());

  work_.spawn("footprint", shrink_when_idle());

  while (!told_to_end_) co_await changed_.wait(kLongWait);
  // A drain that runs may yet become a harder one: a recommendation's, which makes ECS stop us, by
  // the interruption that follows. So we hear on until it is over.
  while (engine_.busy() && !stop_now_ && !goes_on_later()) co_await changed_.wait(kLongWait);
  sources_.cancel();
  co_await sources_.join();
  // Of a last notice.
  while (engine_.busy() && !stop_now_ && !goes_on_later()) co_await changed_.wait(kLongWait);
  if (!stop_now_) co_await finish_within(kLastWorks, telling_.settle());
  if (!stop_now_) co_await finish_within(kLastWorks, platform_->settle());
  work_.cancel();
  co_await work_.join();
  log_.info("spotkeeper agent has ended");
}

void Agent::Body::end() {
  told_to_end_ = true;
  changed_.set();
}

void Agent::Body::end_at_once() {
  told_to_end_ = stop_now_ = true;
  changed_.set();
}

Agent::Agent(asio::any_io_executor executor, const config::AgentOptions& options,
             const MakePlatform& platform, HostClock& clock, observe::Log& log,
             std::function<void(const core::Entry&)> journal)
    : body_(std::make_unique<Body>(executor, options, platform, clock, log, std::move(journal))) {}

Agent::Agent(asio::any_io_executor executor, const config::AgentOptions& options,
             kube::Access access, HostClock& clock, observe::Log& log,
             std::function<void(const core::Entry&)> journal)
    : Agent(std::move(executor), options, on_kubernetes(options, std::move(access)), clock, log,
            std::move(journal)) {}

Agent::~Agent() = default;

Result<void> Agent::listen() {
  return body_->listen();
}
Task<> Agent::run() {
  co_await body_->run();
}
void Agent::end() {
  body_->end();
}
void Agent::end_at_once() {
  body_->end_at_once();
}
bool Agent::busy() const {
  return body_->busy();
}
const core::Drain* Agent::drain() const {
  return body_->drain();
}
bool Agent::failed() const {
  return body_->failed();
}

}  // namespace spotkeeper::app
