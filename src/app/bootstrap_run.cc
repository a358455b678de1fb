// SPDX-License-Identifier: Apache-2.0
#include "app/bootstrap_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "app/aws_access.h"
#include "app/bootstrap.h"
#include "app/bootstrap_create.h"
#include "app/bootstrap_look.h"
#include "app/documents.h"
#include "async/task_group.h"
#include "aws/endpoint.h"
#include "aws/iam.h"
#include "aws/sqs_admin.h"
#include "bootstrap/check.h"
#include "observe/table.h"
#include "observe/terminal.h"

namespace spotkeeper::app {
namespace {

struct Outcome {
  bootstrap::Findings findings;
  Error error{.message = "a bug"};
  bool failed = true;
};

Task<Result<bootstrap::Plan>> plan_here(aws::Client& client, config::BootstrapOptions options) {
  const auto account = co_await aws::own_account(client);
  if (!account) co_return std::unexpected(account.error());
  bootstrap::Place place{.partition = aws::partition_of(options.region).name,
                         .region = options.region,
                         .account = *account};
  co_return bootstrap::make_plan(wish_of(options), std::move(place));
}

void tell(const std::string& line) {
  observe::write_text(STDOUT_FILENO, line + "\n");
}

Task<Result<void>> create(aws::Client& client, aws::Client& iam, config::BootstrapOptions options) {
  auto plan = co_await plan_here(client, options);
  if (!plan) co_return std::unexpected(plan.error());
  Creating creating{.client = client,
                    .iam = iam,
                    .plan = *plan,
                    .dry_run = options.dry_run,
                    .step = [](const std::string& done, const std::string& what) {
                      tell(fmt::format("{:<13} {}", done, what));
                    }};
  auto done = co_await create_in_aws(std::move(creating));
  if (!done || options.dry_run) co_return done;
  if (plan->role && plan->wish.identity == bootstrap::Identity::kPodIdentity) {
    tell(fmt::format(
        "to do         aws eks create-pod-identity-association --cluster-name {} "
        "--namespace {} --service-account {} --role-arn {}",
        plan->wish.cluster, plan->wish.service_account_namespace, plan->wish.service_account,
        plan->place.global_arn("iam", "role/" + plan->role->name)));
  }
  if (plan->queue) {
    const auto url = co_await aws::queue_url_of(client, plan->queue->name);
    if (!url) co_return std::unexpected(url.error());
    tell("QUEUE_URL=" + *url);
  }
  co_return done;
}

Task<Result<bootstrap::Findings>> look(aws::Client& client, config::BootstrapOptions options) {
  auto plan = co_await plan_here(client, options);
  if (!plan) co_return std::unexpected(plan.error());
  auto seen = co_await look_at_aws(client, *plan);
  if (!seen) co_return std::unexpected(seen.error());
  seen->queue_url = options.queue_url;
  co_return bootstrap::check(*plan, *seen);
}

Task<> run_all(aws::Client& client, aws::Client& iam, config::BootstrapOptions options,
               Outcome& outcome, TaskGroup& background) {
  if (options.check) {
    auto findings = co_await look(client, options);
    outcome.failed = !findings;
    if (findings) {
      outcome.findings = std::move(*findings);
    } else {
      outcome.error = findings.error();
    }
  } else {
    const auto done = co_await create(client, iam, options);
    outcome.failed = !done;
    if (!done) outcome.error = done.error();
  }
  background.cancel();
  co_await background.join();
}

long wrong_in(const bootstrap::Findings& findings) {
  return std::ranges::count(findings, bootstrap::Level::kWrong, &bootstrap::Finding::level);
}

void print(const bootstrap::Findings& findings, const std::string& format) {
  if (format == "table") {
    std::vector<observe::Cells> rows{{"", "WHAT", "FOUND"}};
    for (const bootstrap::Finding& each : findings) {
      const std::string advice = each.advice.empty() ? "" : ". To do: " + each.advice;
      rows.push_back({to_string(each.level), each.subject, each.text + advice});
    }
    observe::write_text(STDOUT_FILENO, observe::format_table(rows));
    return;
  }
  boost::json::array all;
  for (const bootstrap::Finding& each : findings) {
    boost::json::object one{
        {"level", to_string(each.level)}, {"subject", each.subject}, {"text", each.text}};
    if (!each.advice.empty()) one["advice"] = each.advice;
    all.emplace_back(std::move(one));
  }
  boost::json::object document{{"wrong", wrong_in(findings)}, {"findings", std::move(all)}};
  print_documents({std::move(document)}, format);
}

}  // namespace

int run_bootstrap_in_aws(const config::BootstrapOptions& options) {
  boost::asio::io_context io(1);
  const SteadyClock clock;
  TaskGroup background(io.get_executor());
  auto here = AwsAccess::make(background, clock, options.region, {});
  if (!here) return fail("bootstrap", here.error(), 2);
  auto global = AwsAccess::make(background, clock, aws::global_region_of(options.region), {});
  if (!global) return fail("bootstrap", global.error(), 2);
  TaskGroup tasks(io.get_executor());
  Outcome outcome;
  tasks.spawn("bootstrap",
              run_all((*here)->client(), (*global)->client(), options, outcome, background));
  io.run();
  if (!tasks.first_failure().empty()) outcome.error.message = tasks.first_failure();
  if (outcome.failed || !tasks.first_failure().empty()) {
    return fail("bootstrap", outcome.error, 1);
  }
  if (!options.check) return 0;
  print(outcome.findings, options.output);
  return wrong_in(outcome.findings) == 0 ? 0 : 1;
}

}  // namespace spotkeeper::app
