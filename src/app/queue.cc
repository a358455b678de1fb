// SPDX-License-Identifier: Apache-2.0
#include "app/queue.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "app/asg.h"
#include "app/aws_time.h"
#include "app/engine.h"
#include "app/hearing.h"
#include "app/instances.h"
#include "app/lifecycle_hooks.h"
#include "app/outcome.h"
#include "app/ownership.h"
#include "app/policy_reload.h"
#include "app/queue_cluster.h"
#include "app/queue_region.h"
#include "app/telling.h"
#include "async/deadline.h"
#include "async/task_group.h"
#include "async/timing.h"
#include "aws/sqs.h"
#include "base/counters.h"
#include "effects/holders.h"
#include "observe/hosts_view.h"
#include "observe/post_mortem.h"
#include "sources/clock_check.h"
#include "sources/event_notice.h"
#include "sources/queue_message.h"
#include "sources/sqs_consumer.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr const char* kMonitor = "SQS_MONITOR";
constexpr Millis kLongWait = std::chrono::hours(1);
constexpr Millis kLastWorks{8'000};
constexpr Millis kTidyUp{30'000};
constexpr Millis kMoment{10};
constexpr Millis kFirstAnswer{1'500};                     // from SQS, is waited for so long at most
constexpr Millis kWholeStorm{10'000};                     // is waited for so long at most
constexpr Millis kRemembered = std::chrono::minutes(15);  // a drain, after its deadline
constexpr Seconds kLongestPoll{60};

core::Policy policy_of(const config::QueueOptions& options, const std::vector<core::Rule>& rules) {
  core::Policy policy = config::policy_of(options.agent);
  policy.rules = rules;
  policy.renew_every = effects::kHolderRenews;
  return policy;
}

LifecycleHooks::Options hook_options(const config::QueueOptions& options) {
  const config::NthOptions& nth = options.agent.nth;
  LifecycleHooks::Options hooks;
  hooks.interval = Seconds(std::max(nth.heartbeat_interval, 0));
  if (nth.heartbeat_until > 0) hooks.until = Seconds(nth.heartbeat_until);
  hooks.completion_delay = Seconds(std::max(options.completion_delay, 0));
  hooks.dry_run = options.agent.dry_run;
  return hooks;
}

}  // namespace

class Queue::Body {
 public:
  Body(const asio::any_io_executor& executor, const config::QueueOptions& options,
       kube::Access access, HostClock& clock, observe::Log& log)
      : options_(options),
        clock_(clock),
        log_(log),
        sources_(executor, [this](const std::string& what) { task_failed(what); }),
        work_(executor, [this](const std::string& what) { task_failed(what); }),
        engine_(executor, clock_, policy_of(options, options.agent.rules), engine_hooks()),
        cluster_(options, std::move(access),
                 {.work = work_,
                  .clock = clock_,
                  .counters = counters_,
                  .log = log_,
                  .hooks = cluster_hooks()}),
        telling_(options.agent,
                 {.work = work_,
                  .clock = clock_,
                  .counters = counters_,
                  .log = log_,
                  .drain = [this](const core::HostId& host) { return engine_.find(host); },
                  .monitors = {kMonitor},
                  .poll_at_most = kLongestPoll,
                  .hears_all = kMonitor,
                  .polled = "the queue",
                  .readings = [this] { return readings(); }}),
        policy_(options.agent.policy_file, options.agent.rules, log_,
                [this](const std::vector<core::Rule>& rules) { engine_.rules(rules); }),
        changed_(executor) {}

  Result<void> prepare();
  Task<> run();
  void end() {
    told_to_end_ = true;
    changed_.set();
  }
  bool failed() const { return failed_; }

 private:
  // What waits for the end of a host's drain.
  struct Work {
    std::string message;
    core::NoticeId notice;
    std::optional<aws::LifecycleAction> hook;
  };
  struct Host {
    std::vector<Work> works;
    std::optional<Time> over;  // its drain is
  };

  Engine::Hooks engine_hooks();
  QueueCluster::Hooks cluster_hooks();
  sources::SqsConsumer::Hooks consumer_hooks();
  void announce();
  void hear_time(const aws::ServerTime& time);
  Task<> hear_first_time();
  void received(const aws::SqsMessage& message);
  Task<> judge(std::string message, sources::QueueEvent event);
  Task<> not_here(std::string message, sources::QueueEvent event, Whose::Answer answer);
  void act(const std::string& message, const sources::QueueEvent& event, const Whose& whose);
  Task<> launched(std::string message, sources::QueueEvent event, bool known);
  Task<> refine(core::HostId host, core::Notice notice, aws::LifecycleAction action, Time began);
  void watch_soon(const core::HostId& host);
  Task<> watch_announced();
  void resume(const kube::Node& node, core::Notice notice);
  void note(const core::Entry& entry);
  void drain_finished(const core::Drain& drain);
  void works_done(const core::HostId& host);
  Task<> finish(core::HostId host, Work work, std::string result);
  void settled(const core::HostId& host, const Work& work);
  Task<> tidy_up();
  Task<> give_everything_back();
  std::vector<observe::Reading> readings() const;
  void task_failed(const std::string& what);

  const config::QueueOptions& options_;
  HostClock& clock_;
  observe::Log& log_;
  Counters counters_;
  TaskGroup sources_;  // stopped first
  TaskGroup work_;
  Engine engine_;
  QueueCluster cluster_;
  Telling telling_;
  PolicyReload policy_;
  std::unique_ptr<AwsAccess> aws_;
  std::unique_ptr<sources::SqsConsumer> consumer_;
  std::unique_ptr<Instances> instances_;
  std::unique_ptr<LifecycleHooks> hooks_;
  std::unique_ptr<Ownership> ownership_;
  std::unique_ptr<Asg> asg_;
  std::map<core::HostId, Host> hosts_;
  std::vector<core::HostId> announced_;  // marked, and not watched yet
  std::set<std::string> poison_;         // messages that were told of
  sources::ClockCheck clock_check_;
  Event changed_;
  bool answered_ = false;  // SQS has, or has failed
  bool told_to_end_ = false;
  bool failed_ = false;
};

Engine::Hooks Queue::Body::engine_hooks() {
  return {.act = [this](core::Action action) { cluster_.carry_out(std::move(action)); },
          .journal = [this](const core::Entry& entry) { note(entry); },
          .finished = [this](const core::Drain& drain) { drain_finished(drain); }};
}

QueueCluster::Hooks Queue::Body::cluster_hooks() {
  return {
      .tell = [this](const core::HostId& host,
                     core::Observation observation) { engine_.tell(host, std::move(observation)); },
      .able = [this](const core::Abilities& abilities) { engine_.able(abilities); },
      .resume = [this](const kube::Node& node,
                       core::Notice notice) { resume(node, std::move(notice)); },
      .busy = [this](const core::HostId& host) { return engine_.find(host) != nullptr; },
      .gone =
          [this](const core::HostId& host) {
            const auto known = hosts_.find(host);
            if (known != hosts_.end() && known->second.over) known->second.over = Time{};
          }};
}

sources::SqsConsumer::Hooks Queue::Body::consumer_hooks() {
  return {.message = [this](const aws::SqsMessage& message) { received(message); },
          .polled =
              [this](bool well) {
                if (!std::exchange(answered_, true)) changed_.set();
                telling_.polled(well);
              },
          .failed =
              [this](const Error& error, int in_a_row) {
                counters_.count("queue_failures");
                telling_.poll_failed(kMonitor, error, in_a_row);
              }};
}

Result<void> Queue::Body::prepare() {
  Result<std::string> region = region_of(options_);
  if (!region) return std::unexpected(region.error());
  AwsAccess::Way way{.metadata_url = options_.agent.metadata_url,
                     .warn = [this](const std::string& what) { log_.warning(what); },
                     .endpoint = options_.endpoint};
  auto access = AwsAccess::make(work_, clock_, std::move(*region), std::move(way));
  if (!access) return std::unexpected(access.error());
  aws_ = std::move(*access);
  aws_->client().on_answer = [this](const aws::Service& service, const std::string& action,
                                    int status) {
    counters_.count(
        "aws_requests",
        {{"service", service.name}, {"action", action}, {"code", std::to_string(status)}});
  };
  aws_->client().on_time = [this](const aws::ServerTime& time) { hear_time(time); };
  instances_ = std::make_unique<Instances>(work_, aws_->client(), clock_, options_.managed_tag);
  instances_->on_failure = [this](const Error& error, int in_a_row) {
    if (is_said(in_a_row)) {
      log_.warning("the tagged instances cannot be listed: " + error.message);
    }
  };
  hooks_ = std::make_unique<LifecycleHooks>(work_, aws_->client(), clock_, hook_options(options_),
                                            counters_, log_);
  ownership_ = std::make_unique<Ownership>(options_, cluster_.nodes(), *instances_, log_);
  asg_ = std::make_unique<Asg>(options_, aws_->client(), cluster_.api(), cluster_.nodes(),
                               *instances_, *hooks_, clock_, counters_, log_);
  consumer_ = std::make_unique<sources::SqsConsumer>(
      sources_, aws_->client(), clock_,
      sources::SqsConsumer::Options{.queue_url = options_.queue_url,
                                    .visibility = Seconds(options_.visibility),
                                    .read_only = options_.agent.dry_run},
      consumer_hooks());
  return telling_.prepare();
}

void Queue::Body::announce() {
  log_.info("spotkeeper queue " SPOTKEEPER_VERSION " has started",
            {{"cluster", cluster_.description()},
             {"queue_url", options_.queue_url},
             {"region", aws_->client().region()},
             {"credentials", aws_->credentials_from()},
             {"check_tag", options_.check_tag ? options_.managed_tag : "no"},
             {"taint_node", options_.agent.taint_node ? "true" : "false"},
             {"cordon_only", options_.agent.cordon_only ? "true" : "false"},
             {"dry_run", options_.agent.dry_run ? "true" : "false"}});
}

// The events' times are AWS's. Not while anything is planned by ours.
void Queue::Body::hear_time(const aws::ServerTime& time) {
  if (consumer_->in_hand() > 0 || engine_.busy()) return;
  const std::optional<Millis> behind = clock_check_.answered(time);
  if (!behind) return;
  correct_clock(clock_, *behind, counters_, log_);
  if (*behind == Millis(0)) return;
  aws_->client().clock_corrected();
  cluster_.clock_moved();
}

// Before anything is gone on with that a node's record tells of.
Task<> Queue::Body::hear_first_time() {
  if (!answered_ && !told_to_end_) co_await changed_.wait(kFirstAnswer);
}

void Queue::Body::received(const aws::SqsMessage& message) {
  auto read = sources::read_message(message.body, clock_.now());
  if (!read) {
    counters_.count("queue_messages", {{"outcome", "poison"}});
    constexpr size_t kMostTold = 10'000;
    if (poison_.size() >= kMostTold) poison_.clear();
    if (poison_.insert(message.id).second) {
      log_.warning("a message is not understood, and left to the queue's redrive policy: " +
                       read.error().message,
                   {{"message_id", message.id}});
    }
    consumer_->settle(message.id, sources::Fate::kPoison);
    return;
  }
  if (read->events.empty()) {
    counters_.count("queue_messages", {{"outcome", "ignored"}});
    log_.debug("a message is of no interest: " + read->ignored, {{"message_id", message.id}});
    consumer_->settle(message.id, sources::Fate::kDone);
    return;
  }
  consumer_->holds(message.id, static_cast<int>(read->events.size()));
  for (sources::QueueEvent& event : read->events) {
    std::string name = "event " + event.id.value;
    work_.spawn(std::move(name), judge(message.id, std::move(event)));
  }
}

Task<> Queue::Body::judge(std::string message, sources::QueueEvent event) {
  while (!cluster_.nodes_known()) co_await sleep_for(Millis(50));
  const Whose found = co_await ownership_->whose(event);
  if (event.kind == core::NoticeKind::kAsgLaunch && found.answer != Whose::Answer::kUnknown &&
      found.answer != Whose::Answer::kNotManaged) {
    const bool known = found.answer != Whose::Answer::kNobodys;
    co_await launched(std::move(message), std::move(event), known);
    co_return;
  }
  if (found.answer == Whose::Answer::kOurs) {
    act(message, event, found);
  } else {
    co_await not_here(std::move(message), std::move(event), found.answer);
  }
}

Task<> Queue::Body::not_here(std::string message, sources::QueueEvent event, Whose::Answer answer) {
  using Answer = Whose::Answer;
  const observe::Fields fields{{"event-id", event.id.value},
                               {"kind", core::to_string(event.kind)},
                               {"instance-id", event.instance.value}};
  sources::Fate fate = sources::Fate::kLeft;
  std::string outcome = "unknown";
  if (answer == Answer::kNobodys || answer == Answer::kNotManaged) {
    outcome = answer == Answer::kNobodys ? "nobodys" : "not_managed";
    fate = sources::Fate::kDone;
    log_.debug(answer == Answer::kNobodys ? "EC2 knows no such instance: the message is dropped"
                                          : "the instance lacks the tag: the message is dropped",
               fields);
  } else if (answer == Answer::kElsewhere) {
    outcome = "elsewhere";
    if (options_.delete_if_node_not_found) {
      fate = sources::Fate::kDone;
      log_.info("the instance is no node of this cluster: the message is deleted", fields);
      if (event.hook) {
        co_await hooks_->complete(hook_of(event), "CONTINUE");
      }
    } else {
      log_.debug("the instance is no node of this cluster: the message is left to others", fields);
    }
  }
  counters_.count("queue_messages", {{"outcome", outcome}});
  consumer_->settle(message, fate);
}

void Queue::Body::act(const std::string& message, const sources::QueueEvent& event,
                      const Whose& whose) {
  const core::HostId host(whose.node);
  if (event.kind == core::NoticeKind::kStateChange && event.detail == "terminated") {
    work_.spawn("terminated " + whose.node, cluster_.bury(host));
  }
  const config::AgentOptions& agent = options_.agent;
  const sources::EventRules rules{
      .grace = Seconds(std::max(agent.node_termination_grace_period, 1)),
      .rebalance_trust = agent.rebalance_trust};
  auto notice = sources::notice_of(event, rules, clock_.now());
  const bool unwanted = event.kind == core::NoticeKind::kRebalanceRecommendation &&
                        !agent.enable_rebalance_draining && !agent.enable_rebalance_monitoring &&
                        !agent.enable_rebalance_soft_signal;
  if (!notice || unwanted) {
    counters_.count("queue_messages", {{"outcome", unwanted ? "unwanted" : "stale"}});
    log_.info(
        unwanted ? "a recommendation is not acted on" : "a message is too old: " + notice.error(),
        {{"node", whose.node}, {"kind", core::to_string(event.kind)}});
    consumer_->settle(message, sources::Fate::kDone);
    return;
  }
  note_clock(clock_, *notice);
  counters_.count("queue_messages", {{"outcome", "acted_on"}});
  counters_.count("notices", {{"kind", core::to_string(notice->kind)}, {"source", notice->source}});
  cluster_.said(host, {.description = event.description,
                       .group = event.group,
                       .account = event.account,
                       .managed = whose.managed});
  Work work{.message = message, .notice = notice->id, .hook = std::nullopt};
  if (event.hook) {
    work.hook = hook_of(event);
    hooks_->begin(*work.hook);
    work_.spawn("patience of " + whose.node, refine(host, *notice, *work.hook, event.at));
  }
  hosts_[host].works.push_back(std::move(work));
  if (options_.detach && core::is_hard(*notice) && !event.hook) {
    work_.spawn("detach " + event.instance.value, asg_->detach(event.instance.value));
  }
  engine_.tell(host, core::NoticeHeard{.notice = std::move(*notice)});
  watch_soon(host);
  const core::Drain* drain = engine_.find(host);
  if (drain != nullptr && drain->finished()) works_done(host);
}

void Queue::Body::watch_soon(const core::HostId& host) {
  if (announced_.empty()) work_.spawn("announced hosts", watch_announced());
  announced_.push_back(host);
}

// All hosts of a storm are marked before any is drained: else replacements of the first would land
// on those whose message comes a moment later.
Task<> Queue::Body::watch_announced() {
  const Time until = clock_.now() + kWholeStorm;
  do {
    co_await sleep_for(kMoment);
  } while (consumer_->has_backlog() && clock_.now() < until);
  for (const core::HostId& host : std::exchange(announced_, {})) cluster_.watch(host);
}

// How long the hook really waits.
Task<> Queue::Body::refine(core::HostId host, core::Notice notice, aws::LifecycleAction action,
                           Time began) {
  const std::optional<Seconds> patience = co_await hooks_->patience(std::move(action));
  const core::Drain* drain = engine_.find(host);
  if (!patience || drain == nullptr || drain->finished() || drain->notice().id != notice.id) {
    co_return;
  }
  notice.deadline = began + *patience;
  if (notice.deadline <= clock_.now() || notice.deadline == drain->notice().deadline) co_return;
  engine_.tell(host, core::NoticeHeard{.notice = std::move(notice), .instead = true});
}

Task<> Queue::Body::launched(std::string message, sources::QueueEvent event, bool known) {
  const Launch launch = co_await asg_->launch(std::move(event), known);
  const bool waits = launch == Launch::kWaits;
  if (!waits) {
    counters_.count("queue_messages",
                    {{"outcome", launch == Launch::kOver ? "nobodys" : "launched"}});
  }
  consumer_->settle(message, waits ? sources::Fate::kLeft : sources::Fate::kDone);
}

void Queue::Body::resume(const kube::Node& node, core::Notice notice) {
  const core::HostId host(node.name);
  log_.info(
      "going on with the drain that the node's record tells of",
      {{"node", node.name}, {"notice", notice.id.value}, {"kind", core::to_string(notice.kind)}});
  hosts_[host];
  engine_.tell(host, core::NoticeHeard{.notice = std::move(notice)});
  watch_soon(host);
}

void Queue::Body::note(const core::Entry& entry) {
  if (entry.what == core::What::kDenied && entry.level > core::Level::kDebug) cluster_.denied();
  counters_.count("journal_entries", {{"step", core::to_string(entry.what)}});
  observe::write_entry(log_, entry);
  telling_.noted(entry);
}

void Queue::Body::drain_finished(const core::Drain& drain) {
  telling_.finished(drain);
  if (!options_.agent.dry_run) {
    log_outcome(log_, observe::make_post_mortem(drain, clock_.now()));
  }
  // Of a node that has gone before nobody will say so again.
  const bool here = cluster_.nodes().find(drain.host().value) != nullptr;
  hosts_[drain.host()].over = here ? clock_.now() : Time{};
  works_done(drain.host());
}

// The drain is over: its messages are done with, and its hooks need not wait any more.
void Queue::Body::works_done(const core::HostId& host) {
  const core::Drain* drain = engine_.find(host);
  const bool well =
      drain != nullptr && observe::is_well(observe::make_post_mortem(*drain, clock_.now()));
  for (Work& work : std::exchange(hosts_[host].works, {})) {
    if (!work.hook) {
      settled(host, work);
      continue;
    }
    std::string name = "completion of " + work.hook->instance;
    work_.spawn(std::move(name),
                finish(host, std::move(work), well ? "CONTINUE" : options_.failed_drain_result));
  }
}

Task<> Queue::Body::finish(core::HostId host, Work work, std::string result) {
  co_await hooks_->complete(*work.hook, std::move(result));
  settled(host, work);
}

void Queue::Body::settled(const core::HostId& host, const Work& work) {
  consumer_->settle(work.message, sources::Fate::kDone);
  telling_.post_drained(host, work.notice);
}

// Nothing is kept of hosts that are gone, or whose end is long past.
Task<> Queue::Body::tidy_up() {
  for (;;) {
    co_await sleep_for(kTidyUp);
    for (auto at = hosts_.begin(); at != hosts_.end();) {
      const auto& [id, host] = *at;
      const core::Drain* drain = engine_.find(id);
      const bool hard = drain != nullptr && core::is_hard(drain->notice());
      const bool long_ago = host.over && (*host.over == Time{} ||
                                          (hard && clock_.now() > *host.over + kRemembered &&
                                           clock_.now() > drain->notice().deadline + kRemembered));
      if (!long_ago || !host.works.empty() || (drain != nullptr && !drain->finished())) {
        ++at;
        continue;
      }
      engine_.forget(id);
      cluster_.forget(id);
      telling_.forget(id);
      at = hosts_.erase(at);
    }
  }
}

std::vector<observe::Reading> Queue::Body::readings() const {
  std::vector<observe::Reading> readings;
  readings.push_back({.name = "spotkeeper_messages_in_hand",
                      .help = "Messages of the queue that are ours for the moment.",
                      .value = static_cast<double>(consumer_->in_hand())});
  if (!instances_->listed()) return readings;
  double nodes = 0;
  for (const std::string& id : instances_->tagged()) {
    nodes += cluster_.nodes().by_instance(id) != nullptr ? 1 : 0;
  }
  readings.push_back({.name = "nth_tagged_instances",
                      .help = "Instances in the region that bear the managed tag.",
                      .value = static_cast<double>(instances_->tagged().size())});
  readings.push_back({.name = "nth_tagged_nodes",
                      .help = "Nodes of the cluster whose instance bears the managed tag.",
                      .value = nodes});
  return readings;
}

void Queue::Body::task_failed(const std::string& what) {
  failed_ = true;
  log_.error("a task failed, which is a bug; the process ends: " + what);
  end();
}

// Whoever comes next finds everything as we leave it: in the queue and on the nodes.
Task<> Queue::Body::give_everything_back() {
  co_await consumer_->give_back();
  for (const auto& [id, host] : hosts_) {
    const core::Drain* drain = engine_.find(id);
    if (drain != nullptr && !drain->finished()) co_await cluster_.give_up(id);
  }
}

Task<> Queue::Body::run() {
  announce();
  telling_.start(cluster_);
  consumer_->start();
  co_await hear_first_time();
  cluster_.start();
  work_.spawn("timer", engine_.keep_time());
  work_.spawn("credentials", aws_->keep_fresh());
  if (options_.check_tag || options_.agent.telling.prometheus_server) {
    work_.spawn("tagged instances", instances_->keep_listing());
  }
  if (!options_.agent.policy_file.empty()) work_.spawn("policy file", policy_.run());
  work_.spawn("tidy up", tidy_up());
  if (options_.detach) work_.spawn("leftovers", asg_->end_leftovers());
  while (!told_to_end_) co_await changed_.wait(kLongWait);
  consumer_->stop();
  engine_.pause();
  sources_.cancel();
  co_await sources_.join();
  co_await finish_within(kLastWorks, give_everything_back());
  co_await finish_within(kLastWorks, telling_.settle());
  co_await finish_within(kLastWorks, cluster_.settle());
  work_.cancel();
  co_await work_.join();
  log_.info("spotkeeper queue has ended");
}

Queue::Queue(asio::any_io_executor executor, const config::QueueOptions& options,
             kube::Access access, HostClock& clock, observe::Log& log)
    : body_(std::make_unique<Body>(executor, options, std::move(access), clock, log)) {}
Queue::~Queue() = default;
Result<void> Queue::prepare() {
  return body_->prepare();
}
Task<> Queue::run() {
  co_await body_->run();
}
void Queue::end() {
  body_->end();
}
bool Queue::failed() const {
  return body_->failed();
}

}  // namespace spotkeeper::app
