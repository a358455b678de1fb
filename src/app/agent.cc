// SPDX-License-Identifier: Apache-2.0
#include "app/agent.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>

#include "app/engine.h"
#include "app/policy_reload.h"
#include "app/rights_check.h"
#include "async/task_group.h"
#include "async/timing.h"
#include "aws/imds.h"
#include "base/backoff.h"
#include "base/counters.h"
#include "effects/kubernetes.h"
#include "effects/mark.h"
#include "effects/rights.h"
#include "http/server.h"
#include "kube/api.h"
#include "kube/calls.h"
#include "observe/metrics.h"
#include "observe/post_mortem.h"
#include "sources/spot_poller.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr Millis kLongWait = std::chrono::hours(1);
constexpr Millis kClockNearEnough{2'000};  // the wall clock's to ours

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
       kube::Access access, HostClock& clock, observe::Log& log,
       std::function<void(const core::Entry&)> journal)
      : options_(options),
        host_(options.node_name),
        clock_(clock),
        log_(log),
        journal_(std::move(journal)),
        api_(executor, std::move(access)),
        imds_http_(executor, link_local()),
        imds_(imds_http_, imds_options(options), clock_),
        sources_(executor, [this](const std::string& what) { task_failed(what); }),
        work_(executor, [this](const std::string& what) { task_failed(what); }),
        engine_(executor, clock_, config::policy_of(options), engine_hooks()),
        kubernetes_(api_, work_, clock_, effect_options(options),
                    [this](const core::HostId& host, core::Observation observation) {
                      engine_.tell(host, std::move(observation));
                    }),
        rights_(api_, log_, [this](const RightsCheck::Found& found) { rights_found(found); }),
        policy_(options.policy_file, options.rules, log_,
                [this](const std::vector<core::Rule>& rules) { engine_.rules(rules); }),
        changed_(executor) {
    api_.renew_in(work_, [this](const Error& error) {
      log_.warning("the cluster's credential is not renewed yet; the last one is still valid: " +
                   error.message);
    });
    api_.on_answer = [this](const std::string& verb, const std::string& resource, int status) {
      counters_.count("api_requests",
                      {{"verb", verb}, {"resource", resource}, {"code", std::to_string(status)}});
    };
  }

  Result<void> listen();
  Task<> run();
  void end();
  void end_at_once();
  bool busy() const { return engine_.busy(); }
  const core::Drain* drain() const { return engine_.find(host_); }
  bool failed() const { return failed_; }

 private:
  static aws::ImdsOptions imds_options(const config::AgentOptions& options);
  static effects::Kubernetes::Options effect_options(const config::AgentOptions& options);
  Engine::Hooks engine_hooks();
  sources::SpotPoller::Hooks poller_hooks();
  void announce();
  void hear(core::Notice notice);
  void resume(const kube::Node& node);
  void note(const core::Entry& entry);
  void anchor_clock();
  void correct_clock(Millis behind);
  void rights_found(const RightsCheck::Found& found);
  void task_failed(const std::string& what);
  void drain_finished(const core::Drain& drain);
  Task<> check_node();
  Task<http::ServerResponse> answer(http::ServerRequest request);

  const config::AgentOptions& options_;
  core::HostId host_;
  HostClock& clock_;
  Counters counters_;
  observe::Log& log_;
  std::function<void(const core::Entry&)> journal_;
  kube::Api api_;
  http::Client imds_http_;
  aws::ImdsClient imds_;
  TaskGroup sources_;  // stopped first
  TaskGroup work_;     // stopped when no drain runs any more
  Engine engine_;
  effects::Kubernetes kubernetes_;
  RightsCheck rights_;
  PolicyReload policy_;
  std::unique_ptr<sources::SpotPoller> poller_;
  std::unique_ptr<http::Server> server_;
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

effects::Kubernetes::Options Agent::Body::effect_options(const config::AgentOptions& options) {
  effects::Kubernetes::Options effects;
  effects.pods.ignore_daemon_sets = options.ignore_daemon_sets;
  effects.pods.own_pod = options.pod_name;
  effects.pods.own_namespace = options.pod_namespace;
  const core::Policy policy = config::policy_of(options);
  effects.taint = policy.taint;
  effects.taint_effect = policy.taint_effect;
  effects.local_services = policy.exclude_from_load_balancers;
  effects.hand_over = core::may_hand_over(policy);
  effects.requests = {.per_s = policy.requests_per_s, .burst = policy.request_burst};
  return effects;
}

Engine::Hooks Agent::Body::engine_hooks() {
  return {.act = [this](core::Action action) { kubernetes_.carry_out(std::move(action)); },
          .journal = [this](const core::Entry& entry) { note(entry); },
          .finished = [this](const core::Drain& drain) { drain_finished(drain); }};
}

void Agent::Body::hear(core::Notice notice) {
  counters_.count("notices", {{"kind", core::to_string(notice.kind)}, {"source", notice.source}});
  anchor_clock();
  const Millis off = clock_.host_behind();
  if (std::chrono::abs(off) > kClockNearEnough) notice.clock_off = off;
  engine_.tell(host_, core::NoticeHeard{.notice = std::move(notice)});
  kubernetes_.watch(host_);
}

// What an earlier life has begun goes on by the record on the node, whether or not its source says
// it again. What a person has begun is that person's.
void Agent::Body::resume(const kube::Node& node) {
  std::optional<core::Notice> notice = effects::recorded_notice(node);
  if (!notice || !options_.enable_spot_interruption_draining || engine_.busy()) return;
  if (notice->kind == core::NoticeKind::kManual) return;
  const Time now = clock_.now();
  if (core::is_hard(*notice) && notice->deadline <= now) return;  // the host has outlived it
  notice->received = now;
  log_.info("going on with the drain that the node's record tells of",
            {{"notice", notice->id.value}, {"kind", core::to_string(notice->kind)}});
  engine_.tell(host_, core::NoticeHeard{.notice = std::move(*notice)});
  kubernetes_.watch(host_);
}

void Agent::Body::note(const core::Entry& entry) {
  counters_.count("journal_entries", {{"step", core::to_string(entry.what)}});
  observe::write_entry(log_, entry);
  if (journal_) journal_(entry);
  if (entry.what == core::What::kDenied && entry.level > core::Level::kDebug) rights_.denied();
}

void Agent::Body::rights_found(const RightsCheck::Found& found) {
  kubernetes_.lacks(found.lacking);
  engine_.able(effects::abilities_of(found.held));
}

sources::SpotPoller::Hooks Agent::Body::poller_hooks() {
  return {.notice = [this](core::Notice notice) { hear(std::move(notice)); },
          .clock = [this](Millis behind) { correct_clock(behind); },
          .failure =
              [this](const Error& error, int in_a_row) {
                // The first of a row, then ever more rarely: 1, 2, 4, 8 …
                if ((in_a_row & (in_a_row - 1)) != 0) return;
                log_.warning("instance metadata: " + error.message,
                             {{"failures", std::to_string(in_a_row)}});
              },
          .recovery =
              [this](int failures) {
                log_.info("instance metadata answers again",
                          {{"failures", std::to_string(failures)}});
              }};
}

Result<void> Agent::Body::listen() {
  if (!options_.enable_prometheus_server) return {};
  http::ServerOptions server;
  server.port = static_cast<uint16_t>(options_.prometheus_server_port);
  auto listening = http::Server::listen(
      work_.executor(), server,
      [this](http::ServerRequest request) { return answer(std::move(request)); });
  if (!listening) return std::unexpected(listening.error().within("--prometheus-server-port"));
  server_ = std::move(*listening);
  return {};
}

Task<http::ServerResponse> Agent::Body::answer(http::ServerRequest request) {
  http::ServerResponse response;
  if (request.path == "/metrics" && request.method == "GET") {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = observe::metrics_text(counters_);
  } else {
    response.status = 404;
    response.body = "only GET /metrics is served here\n";
  }
  co_return response;
}

void Agent::Body::announce() {
  log_.info("spotkeeper agent " SPOTKEEPER_VERSION " has started",
            {{"node", options_.node_name},
             {"cluster", api_.access().description},
             {"metadata_url", options_.metadata_url},
             {"poll_interval", format_duration(options_.imds_poll_interval)},
             {"enough_grace_s", std::to_string(options_.enough_grace)},
             {"margin_s", std::to_string(options_.margin)},
             {"taint_node", options_.taint_node ? "true" : "false"},
             {"cordon_only", options_.cordon_only ? "true" : "false"},
             {"dry_run", options_.dry_run ? "true" : "false"}});
  if (options_.taint_node && options_.taint_effect == "NoExecute") {
    log_.info(
        "TAINT_EFFECT=NoExecute: it would end every pod at the mark, so NoSchedule is used there, "
        "and NoExecute in the host's last seconds");
  }
  if (!options_.enable_spot_interruption_draining) {
    log_.warning("ENABLE_SPOT_INTERRUPTION_DRAINING=false: no notice is acted on");
  }
  if (server_) log_.info("metrics are served", {{"port", std::to_string(server_->port())}});
}

// The wall clock may have been set since we started (chrony on a fresh host). While a drain runs
// time must not jump.
void Agent::Body::anchor_clock() {
  if (engine_.busy()) return;
  const Millis off = clock_.anchor();
  if (std::chrono::abs(off) < Seconds(1)) return;
  log_.warning("the host's clock was set since the last look", {{"by", format_duration(off)}});
}

// Deadlines are AWS's time, and so is ours from its first answer on.
void Agent::Body::correct_clock(Millis behind) {
  if (engine_.busy()) return;
  clock_.correct(behind);
  if (behind == Millis(0)) return;
  counters_.count("clock_corrections");
  const Millis host = clock_.host_behind();
  const std::string whose = std::chrono::abs(host) > kClockNearEnough ? "the host's" : "our";
  const Millis off = whose == "our" ? behind : host;
  log_.warning(fmt::format("{} clock {} {} {} AWS's; AWS's is used", whose,
                           whose == "our" ? "was" : "is", format_duration(std::chrono::abs(off)),
                           off > Millis(0) ? "behind" : "ahead of"));
}

// Says early, once, whether the node can be read; until it can, tries again.
Task<> Agent::Body::check_node() {
  for (int attempt = 1;; ++attempt) {
    const Result<kube::Node> node = co_await kube::get_node(api_, options_.node_name);
    if (node) {
      log_.info("node found", {{"node", node->name},
                               {"provider_id", node->provider_id},
                               {"marked", node->annotations.contains(effects::kStateAnnotation)
                                              ? "by an earlier notice"
                                              : "no"}});
      resume(*node);
      co_return;
    }
    const Error& error = node.error();
    const core::Level level =
        error.kind == ErrorKind::kRetryable ? core::Level::kWarning : core::Level::kError;
    if ((attempt & (attempt - 1)) == 0) {
      log_.write(level, "the node cannot be read: " + error.message,
                 {{"node", options_.node_name}, {"attempt", std::to_string(attempt)}});
    }
    const Backoff backoff{
        .attempt = attempt, .base = Millis(1'000), .cap = Millis(60'000), .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
  }
}

void Agent::Body::drain_finished(const core::Drain& drain) {
  if (!options_.dry_run) {
    const observe::PostMortem post_mortem = observe::make_post_mortem(drain, clock_.now());
    if (log_.json()) {
      log_.write_json("post-mortem", boost::json::serialize(observe::to_json(post_mortem)));
    } else {
      log_.print(observe::to_table(post_mortem));
    }
  }
  changed_.set();
}

void Agent::Body::task_failed(const std::string& what) {
  failed_ = true;
  log_.error("a task failed, which is a bug; the agent ends: " + what);
  told_to_end_ = stop_now_ = true;
  changed_.set();
}

Task<> Agent::Body::run() {
  announce();
  sources::SpotPoller::Options poll;
  poll.period = options_.imds_poll_interval;
  poller_ = std::make_unique<sources::SpotPoller>(imds_, clock_, counters_, poll, poller_hooks());
  if (options_.enable_spot_interruption_draining) sources_.spawn("imds poller", poller_->run());
  sources_.spawn("node check", check_node());
  work_.spawn("timer", engine_.keep_time());
  if (server_) work_.spawn("metrics server", server_->run());
  work_.spawn("rights", rights_.run());
  if (!options_.policy_file.empty()) work_.spawn("policy file", policy_.run());

  while (!told_to_end_) co_await changed_.wait(kLongWait);
  sources_.cancel();
  co_await sources_.join();
  while (engine_.busy() && !stop_now_) co_await changed_.wait(kLongWait);
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
             kube::Access access, HostClock& clock, observe::Log& log,
             std::function<void(const core::Entry&)> journal)
    : body_(std::make_unique<Body>(executor, options, std::move(access), clock, log,
                                   std::move(journal))) {}

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
