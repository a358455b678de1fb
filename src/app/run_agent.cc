// SPDX-License-Identifier: Apache-2.0
// The agent as a process: its cluster, its signals, its exit status.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "app/agent.h"
#include "app/ecs_platform.h"
#include "app/kubernetes_platform.h"
#include "app/process.h"
#include "async/task_group.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

// Two signals end a drain in mid-flight; the node's mark and the notice let the next start go on.
Task<> wait_for_signals(asio::signal_set& signals, Agent& agent, observe::Log& log) {
  const int first = co_await signals.async_wait(asio::use_awaitable);
  if (agent.busy()) {
    log.warning("told to end while a drain runs: it is finished first; a second signal ends it");
  } else {
    log.info("told to end", {{"signal", std::to_string(first)}});
  }
  agent.end();
  const int second = co_await signals.async_wait(asio::use_awaitable);
  log.warning("told to end at once", {{"signal", std::to_string(second)}});
  agent.end_at_once();
}

Task<> run_to_the_end(Agent& agent, TaskGroup& signals) {
  co_await agent.run();
  signals.cancel();
  co_await signals.join();
}

// What manages this host, where nobody says so: in a pod and with a kubeconfig Kubernetes does.
config::Platform platform_of(const config::AgentOptions& options) {
  if (options.platform != config::Platform::kAuto) return options.platform;
  const bool kubernetes = !options.kubernetes_service_host.empty() || !options.kubeconfig.empty();
  if (kubernetes) return config::Platform::kKubernetes;
  return is_ecs_host(options) ? config::Platform::kEcs : config::Platform::kKubernetes;
}

Result<MakePlatform> make_platform(const config::AgentOptions& options) {
  if (options.platform == config::Platform::kEcs) return on_ecs(options);
  if (options.node_name.empty()) return std::unexpected(config::no_node_name());
  Result<kube::Access> access = find_cluster(options);
  if (!access) return std::unexpected(access.error());
  return on_kubernetes(options, std::move(*access));
}

}  // namespace

int run_agent(const config::AgentOptions& given) {
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads must not end the agent
  asio::io_context io(1);
  // From the first moment on: a signal that comes before somebody waits for it is kept.
  asio::signal_set signals(io, SIGTERM, SIGINT);
  config::AgentOptions options = given;
  options.platform = platform_of(given);
  const Result<MakePlatform> platform = make_platform(options);
  if (!platform) {
    fmt::print(stderr, "spotkeeper agent: {}\n", platform.error().message);
    return 2;
  }
  SteadyClock clock;
  observe::Log log(clock, {.json = options.json_logging, .level = options.log_level});
  say_configuration(log, "spotkeeper agent", config::agent_flags(options));
  Agent agent(io.get_executor(), options, *platform, clock, log);
  if (const auto listening = agent.listen(); !listening) {
    fmt::print(stderr, "spotkeeper agent: {}\n", listening.error().message);
    return 2;
  }
  TaskGroup signal_task(io.get_executor());
  TaskGroup main_task(io.get_executor());
  signal_task.spawn("signals", wait_for_signals(signals, agent, log));
  main_task.spawn("agent", run_to_the_end(agent, signal_task));
  io.run();
  return agent.failed() || !main_task.first_failure().empty() ? 1 : 0;
}

}  // namespace spotkeeper::app
