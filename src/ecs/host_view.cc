// SPDX-License-Identifier: Apache-2.0
#include "ecs/host_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/deadline.h"
#include "base/backoff.h"
#include "core/plan.h"

namespace spotkeeper::ecs {
namespace {

// ECS lets an account list and describe some 20 times a second in the long run, for all its hosts.
constexpr Millis kPeriod{2'000};
constexpr Millis kRestPeriod{10'000};
constexpr Millis kFirstPause{500};
constexpr Millis kLongestPause{5'000};
constexpr Millis kCallAtMost{5'000};
constexpr Millis kFactsAtMost{3'000};    // what is not waited for longer, where it only adds
constexpr Millis kDelaysAtMost{10'000};  // for a plan by hand
constexpr Millis kTargetsAtMost{5'000};  // of a look: load balancers that hang must not hide tasks
constexpr Millis kServicesAtMost{2'000};
constexpr int kServicesTries = 3;
constexpr Millis kSoon{300};

}  // namespace

Millis pause_between_looks(const core::Notice& notice, bool rests) {
  return core::is_hard(notice) && !rests ? kPeriod : kRestPeriod;
}

HostView::HostView(aws::Client& client, const Clock& clock, boost::asio::any_io_executor executor,
                   Options options, Instance instance, Hooks hooks)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      instance_(std::move(instance)),
      hooks_(std::move(hooks)),
      book_(options_.tasks),
      balancers_(client, clock, instance_.facts.ec2_instance_id,
                 {.tell = [this](const TaskBook::Observations& all) { tell(all); },
                  .trouble = [this](const Error& error, const std::string& what,
                                    const char* allow) { trouble(error, what, allow); },
                  .say = [this](core::Level level,
                                std::string text) { hooks_.say(level, std::move(text)); }}),
      wake_(std::move(executor)) {}

void HostView::begin(const core::Notice& notice) {
  notice_ = notice;
  rests_until_ = kNever;
  if (!running_) listed_ = false;  // what was known is of an earlier drain
  // Nobody is to wait for budgets: each comes before what it guards.
  hooks_.report(core::BudgetsListed{.watched = true});
  std::optional<Seconds> room;
  if (core::is_hard(notice)) {
    const Time end = core::end_of(notice, options_.margin);
    room = std::max(Seconds(0), std::chrono::floor<Seconds>(end - clock_.now()));
  }
  tell(book_.room(room));
  tell(book_.everything());
  if (listed_) hooks_.report(core::UnitsListed{});
  wake_.set();
}

void HostView::act() {
  rests_until_ = kNever;
  if (!std::exchange(acting_, true)) wake_.set();
}

void HostView::look_soon() {
  wake_.set();
}

void HostView::rest(Time until) {
  rests_until_ = until;
  wake_.set();
}

// Nothing is told in parts: a plan that is made of half the facts would be journalled.
void HostView::tell(const TaskBook::Observations& observations) {
  if (!listed_) return;
  for (const core::Observation& observation : observations) hooks_.report(observation);
}

// The same trouble is told once, by its text: it must not bear the request's id.
void HostView::trouble(const Error& error, const std::string& what, const char* allow) {
  Error told = error.within(what);
  if (const size_t id = told.message.rfind(" (request "); id != std::string::npos) {
    told.message.resize(id);
  }
  if (error.kind == ErrorKind::kDenied) told.message += fmt::format("; allow: {}", allow);
  hooks_.report(core::Trouble{.error = std::move(told)});
}

bool HostView::over() const {
  return clock_.now() >= rests_until_;
}

Millis HostView::pause() const {
  if (failures_ > 0) {
    const Backoff backoff{
        .attempt = failures_, .base = kFirstPause, .cap = kLongestPause, .jitter = random_unit()};
    return backoff_delay(backoff);
  }
  return pause_between_looks(notice_, rests_until_ != kNever);
}

Task<> HostView::run() {
  while (!over()) {
    co_await look();
    const bool asked = co_await wake_.wait(pause());
    // What was asked for together is looked at together.
    if (asked && listed_) co_await sleep_for(kSoon);
  }
  running_ = false;
  acting_ = false;
}

Task<> HostView::look() {
  const auto read = co_await read_tasks();
  if (!read) {
    ++failures_;
    trouble(read.error(), "the tasks of this host cannot be read",
            "ecs:ListTasks, ecs:DescribeTasks");
  } else {
    failures_ = 0;
  }
  co_await read_definitions();
  co_await read_services();
  std::optional<Time> end;
  if (core::is_hard(notice_)) end = core::end_of(notice_, options_.margin);
  co_await finish_within(kFactsAtMost, balancers_.read_delays(book_, end));
  if (read && !std::exchange(listed_, true)) {
    tell(book_.everything());
    hooks_.report(core::UnitsListed{});
  }
  if (!acting_) co_return;
  if (end && options_.deregister_targets) {
    co_await finish_within(kTargetsAtMost, balancers_.take_out(book_, *end));
  }
  if (options_.force_new_deployment) co_await deploy();
}

Task<Result<void>> HostView::look_once() {
  auto read = co_await read_tasks();
  if (!read) co_return read;
  co_await read_definitions();
  co_await read_services();
  std::optional<Time> end;
  if (core::is_hard(notice_)) end = core::end_of(notice_, options_.margin);
  co_await finish_within(kDelaysAtMost, balancers_.read_delays(book_, end));
  listed_ = true;
  co_return read;
}

// What is told to stop is listed apart: at the first look that may be of somebody else's drain.
Task<Result<void>> HostView::read_tasks() {
  std::vector<std::string> arns = book_.here();
  const std::vector<std::string> statuses = listed_
                                                ? std::vector<std::string>{"RUNNING"}
                                                : std::vector<std::string>{"RUNNING", "STOPPED"};
  for (const std::string& status : statuses) {
    const aws::TaskQuery query{.cluster = instance_.cluster,
                               .container_instance = instance_.facts.arn,
                               .service = {},
                               .desired_status = status};
    const auto listed = co_await aws::list_tasks(client_, query, kCallAtMost);
    if (!listed) co_return std::unexpected(listed.error());
    arns.insert(arns.end(), listed->begin(), listed->end());
  }
  std::ranges::sort(arns);
  const auto doubles = std::ranges::unique(arns);
  arns.erase(doubles.begin(), doubles.end());
  auto described =
      co_await aws::describe_tasks(client_, instance_.cluster, std::move(arns), kCallAtMost);
  if (!described) co_return std::unexpected(described.error());
  // A filter is not believed: a task of another host is none of ours.
  std::erase_if(described->found, [this](const aws::EcsTask& task) {
    return task.container_instance_arn != instance_.facts.arn;
  });
  std::set<std::string> missing;
  for (const aws::EcsFailure& failure : described->failures) {
    if (failure.reason == "MISSING") missing.insert(failure.arn);
  }
  tell(book_.seen(described->found, missing, clock_.now()));
  co_return Result<void>();
}

Task<> HostView::read_definitions() {
  const std::vector<std::string> unknown = book_.unknown_definitions();
  for (const std::string& arn : unknown) {
    auto read = co_await aws::describe_task_definition(client_, arn, kFactsAtMost);
    if (read) {
      tell(book_.definition(std::move(*read)));
      continue;
    }
    trouble(read.error(),
            fmt::format("a task definition cannot be read, and its stopTimeout is taken for {} s",
                        options_.tasks.stop_timeout.count()),
            "ecs:DescribeTaskDefinition");
    if (read.error().kind == ErrorKind::kRetryable) co_return;
  }
}

Task<> HostView::read_services() {
  const std::vector<std::string> unknown = book_.unknown_services();
  if (unknown.empty()) co_return;
  // Without them a daemon looks like any other, and may be stopped: at the first look, which says
  // who is there, one throttled call is not the last word.
  auto read = co_await aws::describe_services(client_, instance_.cluster, unknown, kServicesAtMost);
  for (int attempt = 1; attempt < kServicesTries && !listed_ && !read; ++attempt) {
    if (read.error().kind != ErrorKind::kRetryable) break;
    const Backoff backoff{.attempt = attempt, .cap = kFirstPause, .jitter = random_unit()};
    co_await sleep_for(backoff_delay(backoff));
    read = co_await aws::describe_services(client_, instance_.cluster, unknown, kServicesAtMost);
  }
  if (!read) {
    trouble(read.error(),
            "services cannot be read: their daemons and target groups are not known of",
            "ecs:DescribeServices");
    co_return;
  }
  for (aws::EcsService& service : read->found) tell(book_.service(std::move(service)));
}

Task<> HostView::deploy() {
  const std::map<std::string, aws::EcsService> services = book_.services();
  for (const auto& [name, service] : services) {
    if (service.scheduling == "DAEMON" || service.controller != "ECS") continue;
    if (!deployed_.insert(name).second) continue;
    const auto begun =
        co_await aws::force_new_deployment(client_, instance_.cluster, name, kCallAtMost);
    if (begun) {
      hooks_.say(core::Level::kInfo,
                 fmt::format("service {}: a new deployment is begun, for its replacements", name));
    } else {
      if (begun.error().kind == ErrorKind::kRetryable) deployed_.erase(name);
      trouble(begun.error(), fmt::format("service {}: no new deployment is begun", name),
              "ecs:UpdateService");
    }
  }
}

}  // namespace spotkeeper::ecs
