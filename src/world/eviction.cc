// SPDX-License-Identifier: Apache-2.0
// pods/eviction, in the real server's order. Tried on a Kubernetes 1.34 API server: the budget is
// charged before the UID is looked at; a closed budget comes without Retry-After, one that its
// controller has not caught up with asks for 10 s.
#include <fmt/format.h>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

Refusal too_many(std::string cause, int retry_after_s) {
  Refusal refusal{.code = 429,
                  .reason = "TooManyRequests",
                  .message = "Cannot evict pod as it would violate the pod's disruption budget.",
                  .causes = {},
                  .retry_after_s = retry_after_s,
                  .name = {}};
  refusal.causes.push_back({"DisruptionBudget", std::move(cause), {}});
  return refusal;
}

// Pods that serve nobody yet or any more pass by every budget.
bool ignores_budgets(const Pod& pod) {
  return pod.finished() || pod.deleting() || pod.status.phase == Phase::kPending;
}

bool unhealthy_may_go(const Budget& budget) {
  return budget.spec.always_allow_unhealthy ||
         (budget.status.current_healthy >= budget.status.desired_healthy &&
          budget.status.desired_healthy > 0);
}

}  // namespace

Answer<void> Api::evict(const Key& key, const DeleteOptions& options) {
  const Ptr<Namespace> ns = context_.store.find<Namespace>({{}, key.ns});
  if (ns && ns->terminating()) return Refused(namespace_terminates(Kind::kPod, key));
  Ptr<Pod> pod = context_.store.find<Pod>(key);
  if (!pod) return Refused(not_found(Kind::kPod, key));
  if (!ignores_budgets(*pod)) {
    if (std::optional<Refusal> refusal = charge_budget(pod, options.dry_run)) {
      return Refused(std::move(*refusal));
    }
  }
  if (std::optional<Refusal> refusal = check_preconditions(*pod, options.only_if)) {
    return Refused(std::move(*refusal));
  }
  if (options.dry_run) return {};
  pod = context_.store.change(pod, [&](Pod& each) {
    set_condition(each.status.conditions, {.type = "DisruptionTarget",
                                           .status = true,
                                           .reason = "EvictionByEvictionAPI",
                                           .message = "Eviction API: evicting",
                                           .since = context_.now()});
  });
  delete_pod(pod, options.grace);
  return {};
}

std::optional<Refusal> Api::charge_budget(const Ptr<Pod>& pod, bool dry_run) {
  Ptr<Budget> budget;
  for (const PodIndex::Line* line : context_.store.pods().lines_of(pod->meta.uid)) {
    if (line->kind != Kind::kBudget) continue;
    if (budget) {
      return Refusal{.code = 500,
                     .reason = {},
                     .message =
                         "This pod has more than one PodDisruptionBudget, which the eviction "
                         "subresource does not support.",
                     .causes = {},
                     .name = {}};
    }
    budget = context_.store.find<Budget>(line->key);
  }
  if (!budget) return std::nullopt;
  if (!pod->ready() && unhealthy_may_go(*budget)) return std::nullopt;
  if (budget->status.observed_generation < budget->meta.generation) {
    return too_many(fmt::format("The disruption budget {} is still being processed by the server.",
                                budget->meta.name),
                    10);
  }
  if (budget->status.disruptions_allowed == 0) {
    return too_many(
        fmt::format("The disruption budget {} needs {} healthy pods and has {} currently",
                    budget->meta.name, budget->status.desired_healthy,
                    budget->status.current_healthy),
        0);
  }
  if (dry_run) return std::nullopt;
  context_.store.change(budget, [&](Budget& each) {
    --each.status.disruptions_allowed;
    each.status.disrupted_pods[pod->meta.name] = context_.now();
    if (each.status.disruptions_allowed == 0) {
      set_condition(each.status.conditions, {.type = "DisruptionAllowed",
                                             .status = false,
                                             .reason = "InsufficientPods",
                                             .message = {},
                                             .since = context_.now()});
    }
  });
  return std::nullopt;
}

}  // namespace spotkeeper::world
