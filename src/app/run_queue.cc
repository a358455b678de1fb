// SPDX-License-Identifier: Apache-2.0
// The queue as a process: its cluster, its signals, its exit status.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "app/process.h"
#include "app/queue.h"
#include "async/task_group.h"

namespace spotkeeper::app {
namespace {

namespace asio = boost::asio;

int refuse(const Error& error) {
  fmt::print(stderr, "spotkeeper queue: {}\n", error.message);
  return 2;
}

Task<> wait_for_signal(asio::signal_set& signals, Queue& queue, observe::Log& log) {
  const int signal = co_await signals.async_wait(asio::use_awaitable);
  log.info("told to end: what is in hand is given to other processes",
           {{"signal", std::to_string(signal)}});
  queue.end();
}

Task<> run_to_the_end(Queue& queue, TaskGroup& signals) {
  co_await queue.run();
  signals.cancel();
  co_await signals.join();
}

}  // namespace

int run_queue(const config::QueueOptions& given) {
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads must not end it
  asio::io_context io(1);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  config::QueueOptions options = given;
  options.agent.platform = config::Platform::kKubernetes;
  Result<kube::Access> access = find_cluster(options.agent);
  if (!access) return refuse(access.error());
  SteadyClock clock;
  observe::Log log(clock, {.json = options.agent.json_logging, .level = options.agent.log_level});
  Queue queue(io.get_executor(), options, std::move(*access), clock, log);
  if (const auto prepared = queue.prepare(); !prepared) return refuse(prepared.error());
  say_configuration(log, "spotkeeper queue", config::queue_flags(options));
  TaskGroup signal_task(io.get_executor());
  TaskGroup main_task(io.get_executor());
  signal_task.spawn("signals", wait_for_signal(signals, queue, log));
  main_task.spawn("queue", run_to_the_end(queue, signal_task));
  io.run();
  return queue.failed() || !main_task.first_failure().empty() ? 1 : 0;
}

}  // namespace spotkeeper::app
