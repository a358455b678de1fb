// SPDX-License-Identifier: Apache-2.0
#include "app/engine.h"

#include <algorithm>

namespace spotkeeper::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Millis kLongestSleep{60'000};

}  // namespace

Engine::Engine(boost::asio::any_io_executor executor, const Clock& clock, core::Policy policy,
               Hooks hooks)
    : clock_(clock), desk_(std::move(policy)), hooks_(std::move(hooks)), wake_(executor) {}

void Engine::tell(const core::HostId& host, core::Observation observation) {
  waiting_.push_back({.host = host, .observation = std::move(observation), .at = clock_.now()});
  begin_turns();
}

void Engine::tell_first(const core::HostId& host, core::Observation observation) {
  waiting_.push_front({.host = host, .observation = std::move(observation), .at = clock_.now()});
  begin_turns();
}

void Engine::resume() {
  paused_ = false;
  begin_turns();
}

void Engine::begin_turns() {
  if (turning_ || paused_) return;
  turning_ = true;
  take_turns();
  turning_ = false;
  if (desk_.wake() - clock_.now() < sleeps_on()) wake_.set();
}

// In the clock's time, of which it knows nothing else: the clock may have been set since, and the
// machine suspended, during which timers stand still.
Millis Engine::sleeps_on() const {
  const std::chrono::duration<double, std::milli> slept = Steady::now() - asleep_since_;
  return asleep_for_ - Millis(static_cast<int64_t>(slept.count() * time_scale()));
}

void Engine::take_turns() {
  for (;;) {
    if (waiting_.empty()) tell_news();
    if (waiting_.empty()) return;
    const auto [host, observation, now] = std::move(waiting_.front());
    waiting_.pop_front();
    if (const auto* heard = std::get_if<core::NoticeHeard>(&observation)) {
      hosts_.insert(host);
      publish(desk_.hear(host, heard->notice, now), host);
    } else {
      publish(desk_.on(host, observation, now), host);
    }
  }
}

// What the hosts are to know of each other.
void Engine::tell_news() {
  const Time now = clock_.now();
  for (auto& [host, observation] : desk_.news(now)) {
    waiting_.push_back({.host = host, .observation = std::move(observation), .at = now});
  }
}

void Engine::publish(core::Output output, const core::HostId& host) {
  for (const core::Entry& entry : output.entries) hooks_.journal(entry);
  for (core::Action& action : output.actions) hooks_.act(std::move(action));
  const core::Drain* drain = desk_.find(host);
  if (drain == nullptr) return;
  if (!drain->finished()) {
    finished_.erase(host);
  } else if (finished_.insert(host).second) {
    hooks_.finished(*drain);
  }
}

Task<> Engine::keep_time() {
  for (;;) {
    const Millis until = paused_ ? kLongestSleep : desk_.wake() - clock_.now();
    asleep_for_ = std::clamp(until, Millis(0), kLongestSleep);
    asleep_since_ = Steady::now();
    const bool told = co_await wake_.wait(asleep_for_);
    if (told || paused_) continue;
    const Time now = clock_.now();
    begin_turns();
    for (const core::HostId& host : desk_.due(now)) tell(host, core::Tick{});
  }
}

void Engine::able(const core::Abilities& abilities) {
  desk_.able(abilities);
  for (const core::HostId& host : std::set<core::HostId>(hosts_)) {
    tell(host, core::AbilitiesFound{.abilities = abilities});
  }
}

void Engine::rules(const std::vector<core::Rule>& rules) {
  desk_.rules(rules);
  for (const core::HostId& host : std::set<core::HostId>(hosts_)) {
    tell(host, core::PolicyChanged{.rules = rules});
  }
}

std::vector<const core::Drain*> Engine::find(const std::vector<core::HostId>& hosts) const {
  std::vector<const core::Drain*> all;
  for (const core::HostId& host : hosts) {
    if (const core::Drain* drain = find(host)) all.push_back(drain);
  }
  return all;
}

void Engine::forget(const core::HostId& host) {
  if (!finished_.contains(host)) return;
  desk_.forget(host, clock_.now());
  hosts_.erase(host);
  finished_.erase(host);
}

bool Engine::busy() const {
  return finished_.size() < hosts_.size();
}

}  // namespace spotkeeper::app
