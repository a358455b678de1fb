// SPDX-License-Identifier: Apache-2.0
// The API server's verbs: what is checked, in which order, and what is answered. Facts as seen on a
// Kubernetes 1.34 API server.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "world/context.h"

namespace spotkeeper::world {

class Api {
 public:
  explicit Api(Context& context) : context_(context) {}

  template <class T>
  Answer<Ptr<T>> create(T object);
  template <class T>
  Answer<Ptr<T>> update(const Key& key, const Preconditions& only_if,
                        const std::function<void(T&)>& change);
  Answer<Ptr<Object>> remove(Kind kind, const Key& key, const DeleteOptions& options);
  Answer<void> evict(const Key& key, const DeleteOptions& options);  // eviction.cc

  // Without the checks, for what has been found in the store.
  Ptr<Pod> delete_pod(const Ptr<Pod>& pod, std::optional<Seconds> grace);
  // Gone from the API, whatever its grace; stays while it has finalizers.
  void remove_pod_now(const Ptr<Pod>& pod);

  void refuse_creations(Kind kind, const std::string& ns, bool refuse);
  void admit(const std::string& ns, Admission admission) { admissions_[ns] = admission; }

  // A controller takes its ownerReference off a pod. False: admission refuses it.
  bool let_go(const Ptr<Pod>& pod);

 private:
  template <class T>
  Answer<Ptr<Object>> remove_object(const Key& key, const DeleteOptions& options);
  template <class T>
  void orphan_dependents(const T& owner);
  std::optional<Refusal> charge_budget(const Ptr<Pod>& pod, bool dry_run);

  Context& context_;
  std::set<std::pair<Kind, std::string>> refused_;
  std::map<std::string, Admission> admissions_;  // by namespace
};

// Whether the preconditions of a deletion hold.
std::optional<Refusal> check_preconditions(const Object& object, const Preconditions& only_if);

}  // namespace spotkeeper::world
