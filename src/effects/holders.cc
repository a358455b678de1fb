// SPDX-License-Identifier: Apache-2.0
#include "effects/holders.h"

#include <fmt/format.h>

#include <algorithm>

#include "effects/mark.h"

namespace spotkeeper::effects {

std::optional<Error> Holders::obstacle(const kube::Node& node, Time now) {
  if (self_.empty()) return std::nullopt;
  const std::optional<Holder> holder = recorded_holder(node);
  if (!holder || holder->id == self_ || (ended_ && ended_(holder->id))) {
    others_.erase(node.name);
    return std::nullopt;
  }
  Seen& seen = others_[node.name];
  if (seen.id != holder->id || seen.renewed != holder->renewed) {
    seen = Seen{.id = holder->id, .renewed = holder->renewed, .since = now};
  }
  const auto left = std::chrono::ceil<Seconds>(seen.since + kHolderLease - now);
  if (left <= Seconds(0)) return std::nullopt;
  return Error{.kind = ErrorKind::kRetryable,
               .message = fmt::format(
                   "{} drains it; taken over when that does not renew its record for {} s",
                   holder->id, kHolderLease.count()),
               .retry_after_s = static_cast<int>(std::min(left, kHolderLook).count()),
               .held = true};
}

}  // namespace spotkeeper::effects
