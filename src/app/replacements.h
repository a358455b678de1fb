// SPDX-License-Identifier: Apache-2.0
// Planned work goes on to the next hosts when what was moved off the last ones runs again
// elsewhere. Counted from pods, never from the status of their owners, which lags behind.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"
#include "kube/objects.h"

namespace spotkeeper::app {

// Pods of a ReplicaSet, a StatefulSet or another controller that starts them anew.
struct OwnedPods {
  std::string name;  // "shop/ReplicaSet/web-6b8d9c5f7"
  int ready = 0;
  int starting = 0;  // there, and not Ready
};
using Owners = std::map<std::string, OwnedPods>;  // by the owner's uid

// Pods that have ended or are ending are no one's any more; those of Jobs and DaemonSets, and those
// without an owner, are not started elsewhere.
void count_pod(Owners& owners, const kube::Pod& pod);

// Of one host's pods: pure.
class Replacements {
 public:
  // Nobody is waited for.
  Replacements() = default;
  // `before`: how it was before the host was drained, of the owners of the pods on it.
  explicit Replacements(Owners before) : before_(std::move(before)) {}

  std::vector<std::string> namespaces() const;

  // Whose pods are short of what they were, in words; empty: nobody's. Where no pod is starting for
  // 10 s, fewer are wanted now.
  std::vector<std::string> missing(const Owners& now_there, Time now);

 private:
  Owners before_;
  std::map<std::string, Time> settled_since_;
};

// How it is before this host is drained: two requests, and one for each further namespace.
Task<Result<Owners>> owners_on(kube::Api& api, std::string node);

Task<Result<Owners>> owners_in(kube::Api& api, std::vector<std::string> namespaces);

}  // namespace spotkeeper::app
