// SPDX-License-Identifier: Apache-2.0
// What Auto Scaling wants of the own host: autoscaling/target-lifecycle-state. "Terminated" is one
// notice for as long as it stands there. Nobody says when the host will end, so its deadline is
// what the operator grants, from when it was first seen.
// Source: AWS EC2 Auto Scaling User Guide, "Retrieve the target lifecycle state through instance
// metadata".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sources/poller.h"

namespace spotkeeper::sources {

class AsgDocument final : public Page {
 public:
  using Hook = std::function<void(core::Notice)>;

  // The clock must outlive it. `granted`: from the first sight to the end.
  AsgDocument(const Clock& clock, Seconds granted, Hook notice);

 private:
  Outcome read(const std::optional<std::string>& body) override;

  const Clock& clock_;
  Seconds granted_;
  Hook notice_;
  bool told_ = false;
};

}  // namespace spotkeeper::sources
