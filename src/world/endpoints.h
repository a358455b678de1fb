// SPDX-License-Identifier: Apache-2.0
// The EndpointSlice controller: which pods a Service sends traffic to.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class Endpoints {
 public:
  explicit Endpoints(Context& context);
  void on(const Event& event);

 private:
  void sync(const Key& key);

  Context& context_;
  WriteLimit limit_;
  WorkQueue queue_;  // keys of Services
};

}  // namespace spotkeeper::world
