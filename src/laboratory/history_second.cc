// SPDX-License-Identifier: Apache-2.0
// What a History does where there is a second process.
#include "laboratory/history.h"

#include <algorithm>
#include <iterator>

namespace spotkeeper::laboratory {

std::vector<Driver*> History::drivers() {
  std::vector<Driver*> drivers{&driver_};
  if (second_) drivers.push_back(&second_->driver());
  return drivers;
}

core::Journal History::journal() const {
  if (!second_) return driver_.journal();
  core::Journal others = second_->driver().journal();
  for (core::Entry& entry : others) entry.host = core::HostId(entry.host.value + " (second)");
  core::Journal all;
  std::ranges::merge(driver_.journal(), others, std::back_inserter(all), {}, &core::Entry::at,
                     &core::Entry::at);
  return all;
}

// As far as all who act were told.
bool History::goes(const std::string& node) const {
  if (!second_) return heard_.contains(node);
  return (driver_.killed() || heard_.contains(node)) && second_->all_know(node);
}

const Driver* History::who_drained(const std::string& node) const {
  if (!second_ || !driver_.killed()) return &driver_;
  const Driver& other = second_->driver();
  return other.desk().find(core::HostId(node)) != nullptr ? &other : &driver_;
}

void History::plan_second() {
  if (!second_) return;
  second_->driver().set_weather(setup_.weather);
  std::map<std::string, Second::Host> hosts;
  for (const auto& [node, doomed] : doomed_) {
    hosts[node] = {.notice = doomed.notice, .withdrawn = doomed.withdrawn};
  }
  second_->plan(hosts, begin_, [this] { ledger_.recount(); });
}

}  // namespace spotkeeper::laboratory
