// SPDX-License-Identifier: Apache-2.0
// What is done with Auto Scaling beside the hooks of instances that end: launches are completed
// when their node is Ready, and a doomed instance may be detached so that its replacement starts at
// once. Owned by the Queue; what it is given must outlive it.
#pragma once

#include <string>

#include "app/instances.h"
#include "app/lifecycle_hooks.h"
#include "async/task.h"
#include "config/queue_options.h"
#include "effects/node_book.h"
#include "kube/api.h"
#include "sources/queue_message.h"

namespace spotkeeper::app {

// The hook that waits, as an event tells of it.
aws::LifecycleAction hook_of(const sources::QueueEvent& event);

// What a launch has come to.
enum class Launch {
  kAnswered,  // its hook is completed, or abandoned
  kOver,      // its hook waits no more, and there is no such instance
  kWaits,     // there is no such node yet: the message is to be given back meanwhile
};

class Asg {
 public:
  Asg(const config::QueueOptions& options, aws::Client& client, kube::Api& api,
      const effects::NodeBook& nodes, Instances& instances, LifecycleHooks& hooks,
      const Clock& clock, Counters& counters, observe::Log& log);

  // `known`: EC2 knows the instance; it shows what is new after a while. A hook that waits is never
  // forgotten: without a node it is abandoned by policy, or left to its own timeout.
  Task<Launch> launch(sources::QueueEvent event, bool known);

  // From its group, without making that smaller; an instance that is not InService, in no group, or
  // in a managed node group of EKS, stays. Remembered on its Node.
  Task<> detach(std::string instance);

  // Until cancelled: what was detached, and is there long after its interruption should have come,
  // is terminated, for no group does that any more.
  Task<> end_leftovers();

 private:
  Task<bool> waits_to_begin(std::string instance);
  Task<> end_leftover(std::string node, std::string instance);

  const config::QueueOptions& options_;
  aws::Client& client_;
  kube::Api& api_;
  const effects::NodeBook& nodes_;
  Instances& instances_;
  LifecycleHooks& hooks_;
  const Clock& clock_;
  Counters& counters_;
  observe::Log& log_;
};

}  // namespace spotkeeper::app
