// SPDX-License-Identifier: Apache-2.0
#include "core/outages.h"

#include <algorithm>

namespace spotkeeper::core {

Outages::Change Outages::seen(const Service& service, Time now) {
  auto found = lines_.find(service.id);
  if (found == lines_.end()) {
    if (!service.here) return Change::kNone;
    found = lines_.try_emplace(service.id).first;
  }
  Line& line = found->second;
  line.service = service;
  if (service.ready == 0 && !line.dark_since) {
    line.dark_since = now;
    return Change::kDark;
  }
  if (service.ready > 0 && line.dark_since) {
    line.dark = line.dark_until(now);
    line.dark_since.reset();
    return Change::kBright;
  }
  return Change::kNone;
}

bool Outages::any_dark() const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [](const auto& entry) { return entry.second.dark_since.has_value(); });
}

const Outages::Line* Outages::find(const ServiceId& id) const {
  const auto found = lines_.find(id);
  return found == lines_.end() ? nullptr : &found->second;
}

std::vector<Outages::Line> Outages::lines() const {
  std::vector<Line> all;
  all.reserve(lines_.size());
  for (const auto& [id, line] : lines_) all.push_back(line);
  return all;
}

bool Outages::needs_host() const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [](const auto& entry) { return entry.second.service.only_here; });
}

}  // namespace spotkeeper::core
