// SPDX-License-Identifier: Apache-2.0
#include "demo/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>

#include "app/agent.h"
#include "async/timing.h"
#include "demo/live_view.h"
#include "demo/stage.h"
#include "demo/verdict.h"
#include "demo/world_clock.h"
#include "observe/post_mortem.h"
#include "observe/table.h"

namespace spotkeeper::demo {

namespace asio = boost::asio;
using observe::Colour;

namespace {

constexpr Seconds kBeforeNotice{3};
constexpr Seconds kPatience{20};  // beyond the deadline
constexpr Seconds kQuiet{10};     // a longer silence is explained, where nothing is redrawn
constexpr double kFramesPerSecond = 10;
constexpr Millis kTooLate{2'000};  // of emulated time, for one turn of the loop

kube::Access access_of(const Stage& stage) {
  kube::Access access;
  access.server = stage.api_url();
  access.tls.use_environment_proxy = false;
  access.description = "emulated";
  return access;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

class Show {
 public:
  Show(asio::io_context& io, const Options& options, const Scenario& scenario);

  // Before and after io.run(). The Error is the emulator's: no port.
  Result<void> begin();
  int close();

 private:
  void introduce();
  void plan_lines();
  void add(Line line);
  void add_known(std::optional<Line> line) {
    if (line) add(std::move(*line));
  }
  void draw(Time now);
  void explain_silence();
  bool over() const;
  bool all_replaced() const;
  Outcome outcome() const;
  void fast_forward();
  std::string why_dark(const Outcome& outcome) const;
  void say_verdict();
  Task<> watch();
  Task<> wait_for_signals();
  Task<> live_of_agent();

  const Options& options_;
  const Scenario& scenario_;
  Screen screen_;
  Stage stage_;
  Words words_;
  WorldClock clock_;
  observe::Log log_;
  config::AgentOptions agent_options_;
  TaskGroup tasks_;
  TaskGroup agent_task_;
  std::unique_ptr<app::Agent> agent_;
  asio::signal_set signals_;
  Time shown_{};      // the last line's moment
  Millis latest_{0};  // turn of the loop
  bool interrupted_ = false;
};

Show::Show(asio::io_context& io, const Options& options, const Scenario& scenario)
    : options_(options),
      scenario_(scenario),
      screen_(options.screen),
      stage_(io.get_executor(), scenario, options.speed, kBeforeNotice),
      words_(stage_.notice_at(), stage_.deadline()),
      clock_(stage_.clock()),
      log_(clock_, {.silent = true}),
      tasks_(io.get_executor()),
      agent_task_(io.get_executor()),
      signals_(io, SIGINT, SIGTERM, SIGHUP) {}

Result<void> Show::begin() {
  if (auto listening = stage_.listen(); !listening) return listening;
  introduce();
  agent_options_.node_name = kDoomed;
  agent_options_.metadata_url = stage_.metadata_url();
  agent_ = std::make_unique<app::Agent>(
      tasks_.executor(), agent_options_, access_of(stage_), clock_, log_,
      [this](const core::Entry& entry) { add_known(words_.of(entry)); });
  plan_lines();
  stage_.start(tasks_);
  tasks_.spawn("signals", wait_for_signals());
  tasks_.spawn("watch", watch());
  agent_task_.spawn("agent", live_of_agent());
  return {};
}

void Show::introduce() {
  const observe::BoardStyle style = screen_.style();
  screen_.say(fmt::format("spotkeeper-demo: AWS takes a Spot host back; its pods have {} s",
                          scenario_.notice.count()),
              Colour::kBold);
  screen_.say(fmt::format(
      "Emulated in this process: a cluster of three hosts, and AWS's metadata service of host n1. "
      "Real: spotkeeper's agent, which talks to them over HTTP. Time runs {:g} times as fast. "
      "Ctrl-C ends it. On n1 run, in namespace {}:",
      options_.speed, kNamespace));
  screen_.say("");
  for (const App& app : scenario_.apps) {
    const std::string line = fmt::format("  {} x {:<11}{:<13}{}", app.replicas, app.name,
                                         world::kind_name(app.kind), app.what);
    screen_.say(std::vector<std::string>{observe::fit(line, style.width, style.unicode)});
  }
  screen_.say("");
  screen_.say(timeline_heading(style));
}

// What is known to come, and what changes.
void Show::plan_lines() {
  world::World& world = stage_.world();
  for (const auto& pod : world.list<world::Pod>()) words_.know(*pod);
  world.observe(
      [this](const world::Event& event) { add_known(words_.of(event, stage_.world().now())); });
  world.at(stage_.notice_at(), [this] { add(words_.notice()); });
  world.at(stage_.deadline(),
           [this] { add(words_.end(static_cast<int>(outcome().cut_off.size()))); });
  const Weather& weather = stage_.api_weather();
  if (scenario_.weather) {
    world.at(weather.from(), [this] { add(words_.storm(stage_.api_weather().from(), true)); });
    world.at(weather.to(), [this] { add(words_.storm(stage_.api_weather().to(), false)); });
  }
  add(words_.watching());
}

void Show::add(Line line) {
  line.at = shown_ = std::max(line.at, shown_);
  screen_.say(timeline_lines(line, stage_.notice_at(), screen_.style()));
}

void Show::draw(Time now) {
  const core::Drain* drain = agent_->drain();
  if (!screen_.live() || drain == nullptr) return;
  screen_.show(live_view(*drain, stage_.world(), now, screen_.rows() - 1, screen_.style()));
}

// Where nothing is redrawn.
void Show::explain_silence() {
  const Time now = clock_.now();
  const core::Drain* drain = agent_->drain();
  if (screen_.live() || drain == nullptr || now < shown_ + kQuiet || now > stage_.deadline()) {
    return;
  }
  int waiting = 0;
  int ending = 0;
  for (const core::Track* track : drain->tracks()) {
    if (track->gone || track->plan.mode == core::Mode::kNotOurs) continue;
    ++(track->told ? ending : waiting);
  }
  add({.at = now,
       .about = kDoomed,
       .text = fmt::format("... {} waiting, {} shutting down, {} are left", waiting, ending,
                           format_duration(stage_.deadline() - now)),
       .colour = Colour::kDim});
}

bool Show::all_replaced() const {
  const auto pods = stage_.world().list<world::Pod>(kNamespace);
  return std::ranges::all_of(scenario_.apps, [&](const App& app) {
    const auto ready = std::ranges::count_if(pods, [&](const world::Ptr<world::Pod>& pod) {
      return pod->node != kDoomed && pod->meta.labels.has("app", app.name) && pod->ready() &&
             pod->active();
    });
    return !app.moves() || ready >= app.replicas;
  });
}

bool Show::over() const {
  const Time now = clock_.now();
  const core::Drain* drain = agent_->drain();
  const bool finished = drain != nullptr && drain->finished();
  return (finished && (all_replaced() || now >= stage_.deadline())) ||
         now >= stage_.deadline() + kPatience;
}

Task<> Show::watch() {
  const Millis frame(static_cast<int64_t>(1000.0 / kFramesPerSecond * options_.speed));
  while (!over()) {
    const Time before = clock_.now();
    draw(before);
    explain_silence();
    co_await sleep_for(frame);
    latest_ = std::max(latest_, clock_.now() - before - frame);
  }
  agent_->end_at_once();
}

Task<> Show::wait_for_signals() {
  co_await signals_.async_wait(asio::use_awaitable);
  interrupted_ = true;
  agent_->end_at_once();
}

Task<> Show::live_of_agent() {
  co_await agent_->run();
  tasks_.cancel();
}

Outcome Show::outcome() const {
  return judge(stage_.world().history(), scenario_, stage_.notice_at(), stage_.world().now());
}

// Nothing happens any more that needs the agent.
void Show::fast_forward() {
  world::World& world = stage_.world();
  if (world.now() < stage_.deadline()) {
    screen_.say(fmt::format("(n1 is empty and every pod runs elsewhere: on to second {})",
                            scenario_.notice.count()),
                Colour::kDim);
    world.advance_to(stage_.deadline());
  }
  world.advance_to(stage_.deadline() + kLookOn);
}

int Show::close() {
  if (interrupted_) {
    screen_.leave();
    screen_.say("stopped; nothing is left behind");
    return 130;
  }
  if (agent_->failed() || agent_->drain() == nullptr || !tasks_.first_failure().empty()) {
    screen_.leave();
    screen_.say(
        "The agent ended by itself or heard no notice, which is a bug. " + tasks_.first_failure(),
        Colour::kRed);
    return 1;
  }
  const Time ended = std::min(clock_.now(), stage_.deadline());
  fast_forward();
  draw(stage_.deadline());
  screen_.leave();
  const core::Drain& drain = *agent_->drain();
  screen_.say("");
  for (const std::string& line :
       lines_of(observe::to_table(observe::make_post_mortem(drain, ended), screen_.style().width)))
    screen_.say(std::vector<std::string>{line});
  say_verdict();
  return outcome().cut_off.empty() ? 0 : 1;
}

// The pods of a StatefulSet have names: a new one starts when the old one is gone.
std::string Show::why_dark(const Outcome& outcome) const {
  if (!outcome.worst) return {};
  const auto app = std::ranges::find(scenario_.apps, outcome.worst->app, &App::name);
  if (app == scenario_.apps.end() || app->kind != world::Kind::kStatefulSet) return {};
  return app->name + " is a StatefulSet: its new pod can start only when the old one is gone";
}

void Show::say_verdict() {
  const observe::BoardStyle style = screen_.style();
  const Outcome saved = outcome();
  screen_.say("");
  screen_.say(fmt::format("AWS took host {} back with {} s of notice. What became of its pods, by "
                          "the cluster's own history:",
                          kDoomed, scenario_.notice.count()),
              Colour::kBold);
  screen_.say(verdict_lines(saved, stage_.api_requests(), style));
  screen_.say(replaced_lines(*agent_->drain(), style));
  screen_.say(
      overruled_lines(stage_.world().history(), *agent_->drain(), stage_.notice_at(), style));
  if (scenario_.weather) {
    screen_.say(fmt::format("The API server answered {} of its requests badly.",
                            stage_.api_weather().spoilt()));
  }
  if (latest_ > kTooLate) {
    screen_.say(fmt::format("This machine was up to {} of emulated time late: a lower --speed is "
                            "more exact.",
                            format_duration(latest_)),
                Colour::kYellow);
  }
  const Outcome retried = without_spotkeeper(scenario_, Otherwise::kEvictRetry);
  const Outcome none = without_spotkeeper(scenario_, Otherwise::kNoAgent);
  screen_.say("");
  screen_.say(comparison(
      {{.name = "with spotkeeper", .outcome = saved, .why = why_dark(saved)},
       {.name = "plain eviction, retried every 5 s",
        .outcome = retried,
        .why = retried.cut_off.empty() ? "" : "its disruption budget refused every try to the end"},
       {.name = "no agent", .outcome = none, .why = "nobody tells the pods"}},
      style));
  screen_.say("");
  screen_.say("On your own cluster, changing nothing: spotkeeper plan NODE", Colour::kDim);
}

}  // namespace

int run_demo(const Options& options) {
  const std::optional<Scenario> scenario = make_scenario(options.scenario, options.notice);
  if (!scenario) return 2;  // not reached: the option was checked
  scale_time(options.speed);
  asio::io_context io(1);
  Show show(io, options, *scenario);
  if (const auto begun = show.begin(); !begun) {
    fmt::print(stderr, "spotkeeper-demo: {}\n", begun.error().message);
    return 1;
  }
  io.run();
  return show.close();
}

}  // namespace spotkeeper::demo
