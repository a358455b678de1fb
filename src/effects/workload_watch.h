// SPDX-License-Identifier: Apache-2.0
// What is watched of the Deployments whose pods are to be handed over: the Deployments of their
// namespaces, and their pods, replacements among them, on whatever node. Opened at the notice,
// shared by all hosts that go, none while idle. Owned by Kubernetes (effects/kubernetes.h); the Api
// and the group, to which its tasks belong, must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "core/action.h"
#include "effects/workload_book.h"
#include "kube/list.h"

namespace spotkeeper::effects {

class WorkloadWatch : public std::enable_shared_from_this<WorkloadWatch> {
 public:
  // To every host that goes.
  using Tell = std::function<void(core::Observation)>;
  // Of a namespace, the volume claims that many hosts at once may have.
  using Claims = std::function<void(const std::string& ns, std::set<std::string> shared)>;

  WorkloadWatch(kube::Api& api, TaskGroup& group,
                std::function<bool(const std::string& node)> doomed, Tell tell, Claims claims);

  // These pods of Deployments are on a node that goes.
  void need(const std::vector<kube::Pod>& pods);

  // Tells again what is known; another node goes.
  void tell_again();

  // See WorkloadBook.
  void marks_known();

 private:
  void tell(WorkloadBook::Observations observations);
  Task<> look_at(std::string ns, bool claims);
  void watch_deployments(const std::string& ns);
  void watch_pods(kube::Listing listing, std::set<core::GroupId> groups);
  void watch_rollout(const kube::Deployment& deployment);
  void settle(const std::string& ns);

  struct Look {
    bool deployments = false;  // listed
    bool others = false;       // Services and policies
    bool claims = false;       // are read, or have been
    std::string why_not;
  };

  kube::Api& api_;
  TaskGroup& group_;
  WorkloadBook book_;
  Tell tell_;
  Claims claims_;
  std::map<std::string, Look> looks_;                    // by namespace
  std::map<std::string, std::set<std::string>> shared_;  // claims, by namespace
  std::set<std::string> hashes_;
  std::set<std::string> rollouts_;  // uids of Deployments
  int sources_ = 0;
};

}  // namespace spotkeeper::effects
