// SPDX-License-Identifier: Apache-2.0
// Writes Kubernetes events when the API server is needed for nothing else: behind all that a drain
// has to send, one at a time, and never with more than half of the request rate. Bounded: of too
// many, and of those that cannot be written, some are lost, and counted. Owned by Kubernetes
// (effects/kubernetes.h); what is referred to must outlive it, and its task belongs to the group.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "async/task_group.h"
#include "effects/kube_event.h"
#include "effects/request_queue.h"
#include "kube/api.h"

namespace spotkeeper::effects {

class Events {
 public:
  Events(kube::Api& api, TaskGroup& group, const Clock& clock, RequestQueue& queue,
         std::string host);

  void tell(KubeEvent event);

  // Nothing waits, nothing is under way.
  bool idle() const { return !sending_; }

  // Whether it was written; and the first time in a row that we may not, why.
  std::function<void(bool written)> on_done;
  std::function<void(const Error&)> on_denied;

  static constexpr size_t kMostWaiting = 512;

 private:
  Task<> send();
  Task<Result<void>> write(const KubeEvent& event);
  void done(bool written) const {
    if (on_done) on_done(written);
  }

  kube::Api& api_;
  TaskGroup& group_;
  const Clock& clock_;
  RequestQueue& queue_;
  EventBook book_;
  std::deque<KubeEvent> waiting_;
  bool sending_ = false;
  bool denied_ = false;  // the last was
};

}  // namespace spotkeeper::effects
