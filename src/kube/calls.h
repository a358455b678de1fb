// SPDX-License-Identifier: Apache-2.0
// The few calls we make on nodes and pods. Every write on a pod carries its UID as a precondition:
// a pod of the same name that is another one now answers kGone and is left alone. Errors as in
// kube/api.h. The Api must outlive the call.
// Source: Kubernetes API reference, core/v1 and policy/v1 Eviction.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"
#include "kube/objects.h"

namespace spotkeeper::kube {

struct PodRef {
  std::string ns;
  std::string name;
  std::string uid;

  bool operator==(const PodRef&) const = default;
};
PodRef ref_of(const Pod& pod);

Task<Result<Node>> get_node(Api& api, std::string name);

// JSON merge patch; answers the node as it is now. With metadata.resourceVersion in the patch a
// node that changed meanwhile answers kRetryable, status 409.
Task<Result<Node>> patch_node(Api& api, std::string name, boost::json::value merge_patch);

// The Node object; kGone also when another Node has its name by now.
Task<Result<void>> delete_node(Api& api, std::string name, std::string uid);

// Asks: the server refuses where a PodDisruptionBudget allows nothing (kRetryable, `budget` true).
// `grace_s` absent: the pod's own. `timeout`: how long the answer is waited for.
Task<Result<void>> evict(Api& api, PodRef pod, std::optional<int64_t> grace_s,
                         Millis timeout = Seconds(10), bool dry_run = false);

// Tells: budgets are not asked. `grace_s` absent: the pod's own.
Task<Result<void>> delete_pod(Api& api, PodRef pod, std::optional<int64_t> grace_s,
                              Millis timeout = Seconds(10));

// JSON merge patch of the pod's own metadata; its UID is added as a precondition.
Task<Result<void>> patch_pod(Api& api, PodRef pod, boost::json::object metadata, Millis timeout);

// A core/v1 Event, and counting one on by a JSON merge patch. For what may as well be lost.
Task<Result<void>> create_event(Api& api, std::string ns, boost::json::object event);
Task<Result<void>> patch_event(Api& api, std::string ns, std::string name,
                               boost::json::object merge_patch);

// Sets condition DisruptionTarget=True, reason SpotInterruption, in pods/status: a Job then does
// not count the end of this pod as its own failure. An eviction does this by itself.
Task<Result<void>> set_disruption_target(Api& api, PodRef pod, std::string message, Time now,
                                         Millis timeout = Seconds(10));

}  // namespace spotkeeper::kube
