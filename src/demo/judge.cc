// SPDX-License-Identifier: Apache-2.0
#include "demo/judge.h"

#include <algorithm>

namespace spotkeeper::demo {
namespace {

constexpr Seconds kHears{1};  // a handler that polls every 2 s, on average
constexpr Seconds kRetry{5};  // kubectl's drain helper, which handlers use

const std::string& app_of(const world::PodStory& pod) {
  return pod.labels.at("app");
}

Time first_of(const world::PodStory& pod) {
  Time end = kNever;
  for (const auto& at : {pod.told, pod.ended, pod.cut_off, pod.gone}) {
    if (at) end = std::min(end, *at);
  }
  return end;
}

// Evicts what is still there and was not told; calls itself until the host ends.
void evict_all(world::World& world, Time deadline) {
  for (const auto& pod : world.pods_on(kDoomed)) {
    const bool stays = pod->meta.owner && pod->meta.owner->kind == world::Kind::kDaemonSet;
    if (!stays && pod->active()) static_cast<void>(world.evict(pod->meta.key()));
  }
  const Time again = world.now() + kRetry;
  if (again < deadline) {
    world.at(again, [&world, deadline] { evict_all(world, deadline); });
  }
}

}  // namespace

bool should_leave(const world::PodStory& pod, Time notice) {
  const bool daemon = pod.owner && pod.owner->kind == world::Kind::kDaemonSet;
  const bool ended_before = pod.ended && *pod.ended <= notice;
  return pod.node == kDoomed && !daemon && !pod.mirror && !ended_before;
}

Outage outage_of(const std::vector<world::PodStory>& pods, const std::string& app, Time from,
                 Time to) {
  std::vector<std::pair<Time, Time>> serving;
  for (const world::PodStory& pod : pods) {
    if (app_of(pod) == app && pod.ready) serving.emplace_back(*pod.ready, first_of(pod));
  }
  std::ranges::sort(serving);
  Outage outage{.app = app};
  Time covered = from;
  const auto gap_until = [&](Time next) {
    if (next - covered <= outage.longest) return;
    outage.longest = next - covered;
    outage.still = next == to;
  };
  for (const auto& [ready, end] : serving) {
    if (covered < to && ready > covered) gap_until(std::min(ready, to));
    covered = std::max(covered, end);
  }
  if (covered < to) gap_until(to);
  return outage;
}

Outcome judge(const world::History& history, const Scenario& scenario, Time notice, Time until) {
  Outcome outcome;
  const Time deadline = notice + scenario.notice;
  Time last{};
  for (const world::PodStory& pod : history.pods()) {
    if (!should_leave(pod, notice)) continue;
    ++outcome.pods;
    if (pod.cut_off) outcome.cut_off.push_back(app_of(pod));
    outcome.killed += pod.killed;
    last = std::max(last, pod.ended.value_or(deadline));
  }
  std::ranges::sort(outcome.cut_off);
  if (outcome.cut_off.empty()) outcome.spare = deadline - last;
  for (const App& app : scenario.apps) {
    if (!app.service) continue;
    const Outage outage = outage_of(history.pods(), app.name, notice, until);
    if (outage.longest == Millis(0)) continue;
    if (!outcome.worst || outage.longest > outcome.worst->longest) outcome.worst = outage;
  }
  return outcome;
}

Outcome without_spotkeeper(const Scenario& scenario, Otherwise otherwise) {
  world::World world(world_options(), kSeed);
  build(world, scenario);
  const Time notice = world.now();
  const Time deadline = notice + scenario.notice;
  world.end_host(kDoomed, deadline);
  if (otherwise == Otherwise::kEvictRetry) {
    world.at(notice + kHears, [&world, deadline] {
      static_cast<void>(world.update<world::Node>(
          {.ns = {}, .name = kDoomed}, {}, [](world::Node& n) { n.spec.unschedulable = true; }));
      evict_all(world, deadline);
    });
  }
  world.advance_to(deadline + kLookOn);
  return judge(world.history(), scenario, notice, world.now());
}

}  // namespace spotkeeper::demo
