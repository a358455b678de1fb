// SPDX-License-Identifier: Apache-2.0
// A plan without a drain, on ECS: the tasks are read once and told to a Drain that does nothing.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include "app/documents.h"
#include "app/ecs_by_hand.h"
#include "app/ecs_hosts.h"
#include "ecs/host_view.h"
#include "ecs/policy.h"
#include "ecs/words.h"
#include "observe/plan_view.h"
#include "observe/terminal.h"

namespace spotkeeper::app {
namespace {

struct Outcome {
  std::vector<observe::PlanView> plans;
  Error error{.message = "a bug"};
  bool failed = true;
};

// Here it is said what the services leave room for; in a drain DRAINING itself does the asking.
core::Drain make_drain(const core::HostId& host, const core::Notice& notice,
                       const core::Policy& policy, const ecs::TaskBook& book) {
  core::Drain drain(host, notice, policy, notice.received);
  const auto tell = [&](const core::Observation& seen) { drain.on(seen, notice.received); };
  tell(core::NoticeHeard{.notice = notice});
  for (const core::Observation& seen : book.everything()) tell(seen);
  for (const auto& [name, service] : book.services()) {
    const core::Budget budget{.id = ecs::budget_of(name, &service),
                              .allows = ecs::room_of(service)};
    tell(core::BudgetSeen{.budget = budget});
  }
  tell(core::BudgetsListed{.watched = true});
  tell(core::UnitsListed{});
  return drain;
}

std::string in_the_way(std::string text) {
  const std::string closed = " allows no disruption now";
  if (const size_t at = text.find(closed); at != std::string::npos) {
    text.replace(at, closed.size(), " leaves no room for it now");
  }
  return ecs::in_ecs_words(std::move(text));
}

Task<Result<observe::PlanView>> plan_of(aws::Client& client, const Clock& clock,
                                        ecs::Instance instance, core::Notice notice,
                                        config::DrainOptions options) {
  ecs::HostView::Options view_options;
  view_options.margin = Seconds(options.margin);
  ecs::HostView::Hooks hooks{
      .report =
          [](const core::Observation& seen) {
            const auto* trouble = std::get_if<core::Trouble>(&seen);
            if (trouble != nullptr) fail("plan", trouble->error, 0);
          },
      .say = [](core::Level, const std::string& text) { fail("plan", {.message = text}, 0); }};
  const core::HostId host = host_of(instance);
  const std::string id = ecs::short_id(instance.facts.arn);
  auto executor = co_await boost::asio::this_coro::executor;
  ecs::HostView view(client, clock, executor, std::move(view_options), std::move(instance),
                     std::move(hooks));
  view.begin(notice);
  const auto looked = co_await view.look_once();
  if (!looked) co_return std::unexpected(looked.error().within("host " + host.value));
  core::Policy policy = config::policy_of(options);
  policy.dry_run = true;
  const core::Drain drain =
      make_drain(host, notice, ecs::policy_on_ecs(std::move(policy)), view.book());
  observe::PlanView plan = observe::make_plan_view(drain, id, notice.received);
  for (observe::PlanRow& row : plan.rows) {
    row.why = ecs::in_ecs_words(std::move(row.why));
    for (std::string& text : row.in_the_way) text = in_the_way(std::move(text));
  }
  co_return plan;
}

Task<> collect(aws::Client& client, const Clock& clock, config::DrainOptions options,
               Outcome& outcome) {
  auto instances = co_await find_instances(client, options);
  if (!instances) {
    outcome.error = instances.error();
    co_return;
  }
  const Time now = clock.now();
  const core::Notice notice{.id = core::NoticeId("plan"),
                            .kind = options.notice,
                            .deadline = options.deadline.from(now),
                            .source = "manual",
                            .received = now};
  for (ecs::Instance& instance : *instances) {
    auto plan = co_await plan_of(client, clock, std::move(instance), notice, options);
    if (!plan) {
      outcome.error = plan.error();
      co_return;
    }
    outcome.plans.push_back(std::move(*plan));
  }
  outcome.failed = false;
}

Task<> collect_and_end(aws::Client& client, const Clock& clock, config::DrainOptions options,
                       Outcome& outcome, TaskGroup& background) {
  co_await collect(client, clock, std::move(options), outcome);
  background.cancel();
  co_await background.join();
}

void print(const std::vector<observe::PlanView>& plans, const std::string& format) {
  std::vector<boost::json::object> documents;
  const bool terminal = observe::is_terminal(STDOUT_FILENO);
  const int width = terminal ? observe::style_of(STDOUT_FILENO).width : 0;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (format == "table") {
      std::string table = ecs::in_ecs_words(observe::to_table(plans[i], width));
      observe::write_text(STDOUT_FILENO, (i > 0 ? "\n" : "") + std::move(table));
    } else {
      documents.push_back(observe::to_json(plans[i]));
    }
  }
  if (format != "table") print_documents(std::move(documents), format);
}

}  // namespace

int run_plan_on_ecs(const config::DrainOptions& options) {
  boost::asio::io_context io(1);
  const SteadyClock clock;
  TaskGroup background(io.get_executor());
  auto access = reach_aws(options, background, clock);
  if (!access) return fail("plan", access.error(), 2);
  TaskGroup tasks(io.get_executor());
  Outcome outcome;
  tasks.spawn("plan", collect_and_end((*access)->client(), clock, options, outcome, background));
  io.run();
  if (!tasks.first_failure().empty()) outcome.error.message = tasks.first_failure();
  if (outcome.failed) {
    return fail("plan", outcome.error, outcome.error.kind == ErrorKind::kGone ? 2 : 1);
  }
  print(outcome.plans, options.output);
  return 0;
}

}  // namespace spotkeeper::app
