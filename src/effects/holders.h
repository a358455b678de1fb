// SPDX-License-Identifier: Apache-2.0
// Who drains a host, where several processes may: the one that the Node's record names, as long as
// it renews its name there. A holder is judged by whether its record changes, within our own time:
// no two clocks are compared. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

// A holder that has not renewed its record for so long is taken for dead. Holders renew twice
// as often: core::Policy::renew_every.
inline constexpr Seconds kHolderLease{45};
inline constexpr Seconds kHolderRenews{20};
// Who waits looks again so often: a holder may have ended, or not renew any more, at any moment.
inline constexpr Seconds kHolderLook{5};

struct Holder {
  std::string id;       // "queue-7d9f/abc", "laptop.local/4711"
  std::string renewed;  // when, by its own clock
};

class Holders {
 public:
  // Whether the holder of this id is known to have ended.
  using Ended = std::function<bool(const std::string& id)>;

  // `self` empty: we share the host with nobody, and heed no holder. `ended` may be empty.
  explicit Holders(std::string self, Ended ended = {})
      : self_(std::move(self)), ended_(std::move(ended)) {}

  const std::string& self() const { return self_; }

  // Why the node is not ours (Error::held), or nothing: it is free, ours, or its holder is dead.
  std::optional<Error> obstacle(const kube::Node& node, Time now);

  void forget(const std::string& node) { others_.erase(node); }

 private:
  struct Seen {
    std::string id;
    std::string renewed;
    Time since{};  // the record is unchanged
  };
  std::string self_;
  Ended ended_;
  std::map<std::string, Seen> others_;  // by node
};

}  // namespace spotkeeper::effects
