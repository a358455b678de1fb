// SPDX-License-Identifier: Apache-2.0
#include "core/waves.h"

#include <algorithm>
#include <utility>

namespace spotkeeper::core {

size_t MaxUnavailable::of(size_t hosts) const {
  const auto wanted = static_cast<size_t>(std::max(value, 1));
  const size_t number = percent ? hosts * wanted / 100 : wanted;
  return std::clamp<size_t>(number, 1, std::max<size_t>(hosts, 1));
}

Waves::Waves(std::vector<Host> hosts, size_t at_once)
    : hosts_(std::move(hosts)),
      steps_(hosts_.size(), Step::kWaiting),
      at_once_(std::max<size_t>(at_once, 1)) {
  for (const bool unavailable : {true, false}) {
    for (size_t host = 0; host < hosts_.size(); ++host) {
      if (hosts_[host].unavailable == unavailable) order_.push_back(host);
    }
  }
}

std::vector<size_t> Waves::next() {
  std::vector<size_t> begun;
  for (const size_t host : order_) {
    if (stopped_ || draining() >= at_once_) break;
    if (steps_[host] != Step::kWaiting) continue;
    if (!hosts_[host].unavailable && unavailable() >= at_once_) break;
    steps_[host] = Step::kDraining;
    begun.push_back(host);
  }
  return begun;
}

void Waves::done(size_t host, bool well) {
  if (steps_[host] != Step::kDraining) return;
  steps_[host] = Step::kDone;
  if (!well) stopped_ = true;
}

bool Waves::over() const {
  return draining() == 0 && (stopped_ || count(Step::kWaiting) == 0);
}

std::vector<std::string> Waves::waiting() const {
  std::vector<std::string> names;
  for (const size_t host : order_) {
    if (steps_[host] == Step::kWaiting) names.push_back(hosts_[host].name);
  }
  return names;
}

size_t Waves::count(Step step) const {
  return static_cast<size_t>(std::ranges::count(steps_, step));
}

size_t Waves::unavailable() const {
  size_t count = 0;
  for (size_t host = 0; host < hosts_.size(); ++host) {
    const bool by_itself = hosts_[host].unavailable && steps_[host] == Step::kWaiting;
    count += by_itself || steps_[host] == Step::kDraining ? 1 : 0;
  }
  return count;
}

}  // namespace spotkeeper::core
