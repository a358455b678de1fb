// SPDX-License-Identifier: Apache-2.0
// The agent as a process: its cluster, its signals, its exit status.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "app/agent.h"
#include "async/task_group.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

Result<kube::Access> find_cluster(const config::AgentOptions& options) {
  if (!options.kubeconfig.empty()) {
    return kube::from_kubeconfig(kube::kubeconfig_files("", options.kubeconfig, ""),
                                 options.kube_context);
  }
  return kube::in_cluster(options.service_account_dir, options.kubernetes_service_host,
                          options.kubernetes_service_port);
}

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
  SteadyClock clock;
  observe::Log log(clock, {.json = options.json_logging, .level = options.log_level});
  Agent agent(io.get_executor(), options, std::move(*access), clock, log);
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
