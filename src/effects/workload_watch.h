// SPDX-License-Identifier: Apache-2.0
// What is watched of the Deployments whose pods are to be handed over: the Deployments of their
// namespaces, and their pods, replacements among them, on whatever node. Opened at the notice,
// shared by all hosts that go, kept as long as one of them needs it. Owned by Kubernetes
// (effects/kubernetes.h); the Api and the group, to which its tasks belong, must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "core/action.h"
#include "effects/pod_streams.h"
#include "effects/workload_book.h"
#include "kube/follow.h"

namespace spotkeeper::effects {

class WorkloadWatch : public std::enable_shared_from_this<WorkloadWatch> {
 public:
  // To every host that goes.
  using Tell = std::function<void(core::Observation)>;
  // Of a namespace, the volume claims that many hosts at once may have.
  using Claims = std::function<void(const std::string& ns, std::set<std::string> shared)>;

  WorkloadWatch(kube::Api& api, TaskGroup& group, std::shared_ptr<PodStreams> streams,
                std::function<bool(const std::string& node)> doomed, Tell tell, Claims claims);

  // These pods of Deployments are on a node that goes.
  void need(const std::vector<kube::Pod>& pods);

  // This node's pods need nothing any more.
  void end(const std::string& node);

  // Tells again what is known; another node goes.
  void tell_again();

  // See WorkloadBook.
  void marks_known();

 private:
  // A namespace.
  struct Space {
    int number = 0;               // another one when it is needed again later
    std::set<std::string> nodes;  // that need it
    bool deployments = false;     // listed
    bool others = false;          // Services and policies
    bool claims = false;          // are read, or have been
    std::string why_not;
    std::optional<std::set<std::string>> shared;  // claims
    std::map<std::string, int> rollouts;          // sources, by the Deployment's uid
  };
  // A stream of pods.
  struct Source {
    std::set<std::string> nodes;     // that need it
    std::set<std::string> hashes;    // of ReplicaSets
    std::set<core::GroupId> groups;  // that are told when it is listed
    bool listed = false;
    int stream = 0;  // of PodStreams
  };
  using Sources = std::map<int, Source>;

  void tell(WorkloadBook::Observations observations);
  void need_space(const std::string& ns, Surroundings::Space needed);
  Space* find(const std::string& ns, int number);
  Task<> look_at(std::string ns, int number, bool claims);
  void watch_deployments(const std::string& ns, int number);
  void watch_rollout(Space& space, const kube::Deployment& deployment);
  kube::Sink<kube::Pod> sink_of(int source);
  Sources::iterator end_source(Sources::iterator source);
  void settle(const std::string& ns, const Space& space);

  kube::Api& api_;
  TaskGroup& group_;
  std::shared_ptr<PodStreams> streams_;
  WorkloadBook book_;
  Tell tell_;
  Claims claims_;
  std::map<std::string, Space> spaces_;
  Sources sources_;
  std::map<std::string, int> hashes_;  // the source of each
  int last_ = 0;                       // number of a space or source
};

}  // namespace spotkeeper::effects
