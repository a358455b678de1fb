// SPDX-License-Identifier: Apache-2.0
// The Deployment controller: one ReplicaSet for each pod template, scaled up and down within
// maxSurge and maxUnavailable.
#pragma once

#include <map>
#include <unordered_map>

#include "world/context.h"

namespace spotkeeper::world {

class Deployments {
 public:
  explicit Deployments(Context& context);
  void on(const Event& event);

 private:
  struct Sets {
    Ptr<ReplicaSet> current;  // of the template as it is now
    std::vector<Ptr<ReplicaSet>> old;
  };
  void sync(const Key& key);
  Sets find_sets(const Deployment& deployment) const;
  Ptr<ReplicaSet> make_set(const Deployment& deployment, int revision);
  void roll(const Deployment& deployment, const Sets& sets);
  void recreate(const Deployment& deployment, const Sets& sets);
  void scale(const Ptr<ReplicaSet>& set, int replicas);
  void report(const Ptr<Deployment>& deployment);
  void report_progress(const Deployment& deployment, Deployment::Status& status) const;

  Context& context_;
  WorkQueue queue_;
  // As they are now, by creation.
  std::unordered_map<Uid, std::map<Uid, Ptr<ReplicaSet>>, UidHash> owned_;
};

}  // namespace spotkeeper::world
