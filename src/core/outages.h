// SPDX-License-Identifier: Apache-2.0
// For how long the Services that live on the host had nobody to answer. Only looks: what is dark
// holds up no pod. A Service counts when an endpoint of it was on the host since the notice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/strong.h"

namespace spotkeeper::core {

using ServiceId = Strong<struct ServiceIdTag>;  // "namespace/name"

struct Service {
  ServiceId id;
  int ready = 0;      // Ready endpoints, on any host
  bool here = false;  // one of its endpoints, Ready or ending, is on the host that goes
  // A load balancer sends its traffic only to hosts that have an endpoint of it (its
  // externalTrafficPolicy is Local), and none is Ready on another.
  bool only_here = false;

  bool operator==(const Service&) const = default;
};

class Outages {
 public:
  struct Line {
    Service service;
    std::optional<Time> dark_since;  // no Ready endpoint since then
    Millis dark{0};                  // without, in all, up to dark_since

    Millis dark_until(Time now) const { return dark_since ? dark + (now - *dark_since) : dark; }
  };
  enum class Change { kNone, kDark, kBright };

  Change seen(const Service& service, Time now);

  bool any_dark() const;
  bool needs_host() const;  // of some Service, a load balancer has no other host to send to
  const Line* find(const ServiceId& id) const;
  std::vector<Line> lines() const;  // by name, those that count

 private:
  std::map<ServiceId, Line> lines_;
};

}  // namespace spotkeeper::core
