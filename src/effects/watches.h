// SPDX-License-Identifier: Apache-2.0
// What is watched of a cluster while hosts of it go, and nothing before or after: their pods, and
// once for all of them the budgets, the Services' endpoints, volumes, and the nodes that others
// have marked. Feeds a ClusterView. Owned by Kubernetes (effects/kubernetes.h); the Api and the
// group, to which its tasks belong, must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "effects/cluster_view.h"
#include "effects/pod_streams.h"
#include "kube/api.h"
#include "kube/follow.h"
#include "kube/list.h"
#include "kube/rights.h"

namespace spotkeeper::effects {

class Watches : public std::enable_shared_from_this<Watches> {
 public:
  using Nodes = ClusterView::Nodes;

  Watches(kube::Api& api, TaskGroup& group, ClusterView& view);

  // Hosts that were announced together; see PodStreams.
  void begin(Nodes nodes);

  // Its pods are not wanted any more. What all hosts share is watched on.
  void end(const std::string& node) { pods_->end(node); }

  // There is no host any more: nothing is watched, and nothing known, until the next begins.
  void end_all();

  const std::shared_ptr<PodStreams>& pods() const { return pods_; }

  // Rights that we do not hold: no request is wasted on what needs them.
  void lacks(std::set<kube::Right> rights) { lacking_ = std::move(rights); }
  // Find out of which Services a load balancer needs the node.
  void want_local_services() { want_local_services_ = true; }
  // Nodes that others have marked are wanted: their pods replace nobody.
  void want_marked_nodes();

  // It bears a mark of ours or of another agent.
  bool is_marked(const std::string& node) const { return around_.marked.contains(node); }

  // All pods of these nodes have been seen, for the first time.
  std::function<void(const Nodes&)> on_pods;
  // A node that is cordoned, as it is now.
  std::function<void(const kube::Node&)> on_node;
  // Other nodes are marked than before.
  std::function<void()> on_marked;
  // Which nodes are marked is known, or may not be read. More than once.
  std::function<void()> on_marks_known;

 private:
  bool may(const char* group, const char* resource, const char* verb) const;
  void pods_listed(const Nodes& nodes);
  void watch_around();
  void watch_budgets();
  void watch_slices();
  void watch_volumes();
  void node_changed(const kube::Node& node, bool here);
  void services_known();
  Task<> find_local_services();
  template <class T>
  void follow(kube::Listing listing, Result<T> (*decode)(const boost::json::value&),
              kube::Sink<T> sink);

  kube::Api& api_;
  TaskGroup& group_;
  ClusterView& view_;
  std::shared_ptr<PodStreams> pods_;
  std::set<kube::Right> lacking_;
  bool want_local_services_ = false;
  int round_ = 0;  // ends with the last host

  struct Around {
    std::set<std::string> marked;    // nodes
    std::vector<std::string> tasks;  // their names
    bool begun = false;              // budgets are watched
    bool services = false;           // endpoints are
    bool volumes = false;            // VolumeAttachments are
    bool nodes = false;              // marked nodes are
    bool slices_listed = false;
    bool local_asked = false;
    bool local_known = false;
  };
  Around around_;  // what all hosts of a round share
};

}  // namespace spotkeeper::effects
