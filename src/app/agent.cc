// SPDX-License-Identifier: Apache-2.0
#include "app/agent.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <memory>

#include "app/engine.h"
#include "async/task_group.h"
#include "async/timing.h"
#include "aws/imds.h"
#include "base/backoff.h"
#include "base/counters.h"
#include "effects/kubernetes.h"
#include "effects/mark.h"
#include "http/server.h"
#include "kube/access.h"
#include "kube/api.h"
#include "kube/calls.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "observe/post_mortem.h"
#include "sources/spot_poller.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

constexpr Millis kLongWait = std::chrono::hours(1);

Result<kube::Access> find_cluster(const config::AgentOptions& options) {
  if (!options.kubeconfig.empty()) {
    const auto files = kube::kubeconfig_files("", options.kubeconfig, "");
    return kube::from_kubeconfig(files, options.kube_context);
  }
  return kube::in_cluster(options.service_account_dir, options.kubernetes_service_host,
                          options.kubernetes_service_port);
}

http::ClientOptions link_local() {
  http::ClientOptions options;
  options.use_environment_proxy = false;
  return options;
}

// All parts of a running agent, in the order in which they need each other.
class Agent {
 public:
  Agent(asio::io_context& io, asio::signal_set& signals, const config::AgentOptions& options,
        kube::Access access)
      : options_(options),
        host_(options.node_name),
        log_(clock_, {.json = options.json_logging, .level = options.log_level}),
        api_(io.get_executor(), std::move(access)),
        imds_http_(io.get_executor(), link_local()),
        imds_(imds_http_, imds_options(options), clock_),
        sources_(io.get_executor(), [this](const std::string& what) { task_failed(what); }),
        work_(io.get_executor(), [this](const std::string& what) { task_failed(what); }),
        engine_(io.get_executor(), clock_, config::policy_of(options), engine_hooks()),
        kubernetes_(api_, work_, clock_, effect_options(options),
                    [this](const core::HostId& host, core::Observation observation) {
                      engine_.tell(host, std::move(observation));
                    }),
        changed_(io.get_executor()),
        signals_(signals) {
    api_.on_answer = [this](const std::string& verb, const std::string& resource, int status) {
      counters_.count("api_requests",
                      {{"verb", verb}, {"resource", resource}, {"code", std::to_string(status)}});
    };
  }

  // A metrics port that cannot be had is the only failure.
  Result<void> listen(asio::io_context& io);
  Task<> run();
  int exit_status() const { return failed_ ? 1 : 0; }
  observe::Log& log() { return log_; }

 private:
  static aws::ImdsOptions imds_options(const config::AgentOptions& options);
  static effects::Kubernetes::Options effect_options(const config::AgentOptions& options);
  Engine::Hooks engine_hooks();
  sources::SpotPoller::Hooks poller_hooks();
  void announce();
  void anchor_clock();
  void task_failed(const std::string& what);
  void drain_finished(const core::Drain& drain);
  Task<> check_node();
  Task<> wait_for_signals();
  Task<http::ServerResponse> answer(http::ServerRequest request);

  const config::AgentOptions& options_;
  core::HostId host_;
  SteadyClock clock_;
  Counters counters_;
  observe::Log log_;
  kube::Api api_;
  http::Client imds_http_;
  aws::ImdsClient imds_;
  TaskGroup sources_;  // stopped first
  TaskGroup work_;     // stopped when no drain runs any more
  Engine engine_;
  effects::Kubernetes kubernetes_;
  std::unique_ptr<sources::SpotPoller> poller_;
  std::unique_ptr<http::Server> server_;
  Event changed_;  // told to end, a drain has finished, or told to end at once
  asio::signal_set& signals_;
  bool told_to_end_ = false;
  bool stop_now_ = false;
  bool failed_ = false;
};

aws::ImdsOptions Agent::imds_options(const config::AgentOptions& options) {
  aws::ImdsOptions imds;
  imds.base_url = options.metadata_url;
  imds.tries = options.metadata_tries;
  return imds;
}

effects::Kubernetes::Options Agent::effect_options(const config::AgentOptions& options) {
  effects::Kubernetes::Options effects;
  effects.pods.ignore_daemon_sets = options.ignore_daemon_sets;
  effects.pods.own_pod = options.pod_name;
  effects.pods.own_namespace = options.pod_namespace;
  effects.taint = options.taint_node;
  // NoExecute would kill every pod at the mark.
  effects.taint_effect = options.taint_effect == "NoExecute" ? "NoSchedule" : options.taint_effect;
  return effects;
}

Engine::Hooks Agent::engine_hooks() {
  return {.act = [this](core::Action action) { kubernetes_.carry_out(std::move(action)); },
          .journal =
              [this](const core::Entry& entry) {
                counters_.count("journal_entries", {{"step", core::to_string(entry.what)}});
                observe::write_entry(log_, entry);
              },
          .finished = [this](const core::Drain& drain) { drain_finished(drain); }};
}

sources::SpotPoller::Hooks Agent::poller_hooks() {
  return {.notice =
              [this](core::Notice notice) {
                counters_.count(
                    "notices", {{"kind", core::to_string(notice.kind)}, {"source", notice.source}});
                anchor_clock();
                engine_.tell(host_, core::NoticeHeard{.notice = std::move(notice)});
                kubernetes_.watch(host_);
              },
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

Result<void> Agent::listen(asio::io_context& io) {
  if (!options_.enable_prometheus_server) return {};
  http::ServerOptions server;
  server.port = static_cast<uint16_t>(options_.prometheus_server_port);
  auto listening = http::Server::listen(
      io.get_executor(), server,
      [this](http::ServerRequest request) { return answer(std::move(request)); });
  if (!listening) return std::unexpected(listening.error().within("--prometheus-server-port"));
  server_ = std::move(*listening);
  return {};
}

Task<http::ServerResponse> Agent::answer(http::ServerRequest request) {
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

void Agent::announce() {
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
    log_.warning("TAINT_EFFECT=NoExecute would end every pod at the mark: NoSchedule is used");
  }
  if (!options_.enable_spot_interruption_draining) {
    log_.warning("ENABLE_SPOT_INTERRUPTION_DRAINING=false: no notice is acted on");
  }
  if (server_) log_.info("metrics are served", {{"port", std::to_string(server_->port())}});
}

// The wall clock may have been set since we started (chrony on a fresh host). While a drain runs
// time must not jump.
void Agent::anchor_clock() {
  if (engine_.busy()) return;
  const Millis off = clock_.anchor();
  if (std::chrono::abs(off) < Seconds(1)) return;
  log_.warning("the host's clock was set since the last look", {{"by", format_duration(off)}});
}

// Says early, once, whether the node can be read; until it can, tries again.
Task<> Agent::check_node() {
  for (int attempt = 1;; ++attempt) {
    const Result<kube::Node> node = co_await kube::get_node(api_, options_.node_name);
    if (node) {
      log_.info("node found", {{"node", node->name},
                               {"provider_id", node->provider_id},
                               {"marked", node->annotations.contains(effects::kStateAnnotation)
                                              ? "by an earlier notice"
                                              : "no"}});
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

void Agent::drain_finished(const core::Drain& drain) {
  if (!options_.dry_run) {
    const observe::PostMortem post_mortem = observe::make_post_mortem(drain);
    if (log_.json()) {
      log_.write_json("post-mortem", observe::to_json(post_mortem));
    } else {
      log_.print(observe::to_table(post_mortem));
    }
  }
  changed_.set();
}

void Agent::task_failed(const std::string& what) {
  failed_ = true;
  log_.error("a task failed, which is a bug; the agent ends: " + what);
  told_to_end_ = stop_now_ = true;
  changed_.set();
}

// Two signals end a drain in mid-flight; the node's mark and the notice let the next start go on.
Task<> Agent::wait_for_signals() {
  const int first = co_await signals_.async_wait(asio::use_awaitable);
  if (engine_.busy()) {
    log_.warning("told to end while a drain runs: it is finished first; a second signal ends it");
  } else {
    log_.info("told to end", {{"signal", std::to_string(first)}});
  }
  told_to_end_ = true;
  changed_.set();
  const int second = co_await signals_.async_wait(asio::use_awaitable);
  log_.warning("told to end at once", {{"signal", std::to_string(second)}});
  stop_now_ = true;
  changed_.set();
}

Task<> Agent::run() {
  announce();
  sources::SpotPoller::Options poll;
  poll.period = options_.imds_poll_interval;
  poller_ = std::make_unique<sources::SpotPoller>(imds_, clock_, counters_, poll, poller_hooks());
  if (options_.enable_spot_interruption_draining) sources_.spawn("imds poller", poller_->run());
  sources_.spawn("node check", check_node());
  work_.spawn("timer", engine_.keep_time());
  if (server_) work_.spawn("metrics server", server_->run());
  work_.spawn("signals", wait_for_signals());

  while (!told_to_end_) co_await changed_.wait(kLongWait);
  sources_.cancel();
  co_await sources_.join();
  while (engine_.busy() && !stop_now_) co_await changed_.wait(kLongWait);
  work_.cancel();
  co_await work_.join();
  log_.info("spotkeeper agent has ended");
}

}  // namespace

int run_agent(const config::AgentOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads must not end the agent
  asio::io_context io(1);
  // From the first moment on: a signal that comes before somebody waits for it is kept.
  asio::signal_set signals(io, SIGTERM, SIGINT);
  Result<kube::Access> access = find_cluster(options);
  if (!access) {
    fmt::print(stderr, "spotkeeper agent: {}\n", access.error().message);
    return 2;
  }
  Agent agent(io, signals, options, std::move(*access));
  if (const auto listening = agent.listen(io); !listening) {
    fmt::print(stderr, "spotkeeper agent: {}\n", listening.error().message);
    return 2;
  }
  TaskGroup main_task(io.get_executor());
  main_task.spawn("agent", agent.run());
  io.run();
  return main_task.first_failure().empty() ? agent.exit_status() : 1;
}

}  // namespace spotkeeper::app
