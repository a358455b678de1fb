// SPDX-License-Identifier: Apache-2.0
// Writes the History: from what the API shows, and from what only kubelets and machines know.
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

class Scribe {
 public:
  explicit Scribe(Context& context) : context_(context) {}
  void on(const Event& event);

  void processes_ended(Uid pod, bool killed);
  void cut_off(Uid pod);
  void host_ended(const std::string& node);

 private:
  PodStory* story(Uid uid);
  void on_pod(const Event& event);
  void on_slice(const EndpointSlice& slice, bool deleted);

  Context& context_;
};

}  // namespace spotkeeper::world
