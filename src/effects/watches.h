// SPDX-License-Identifier: Apache-2.0
// What is watched of a cluster while hosts of it go, and nothing before: their pods, and once for
// all of them the budgets, the Services' endpoints, volumes, and the nodes that others have marked.
// Feeds a ClusterView. Owned by Kubernetes (effects/kubernetes.h); the Api and the group, to which
// its tasks belong, must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/task_group.h"
#include "effects/cluster_view.h"
#include "kube/api.h"
#include "kube/follow.h"
#include "kube/list.h"
#include "kube/rights.h"

namespace spotkeeper::effects {

class Watches : public std::enable_shared_from_this<Watches> {
 public:
  using Nodes = ClusterView::Nodes;

  Watches(kube::Api& api, TaskGroup& group, ClusterView& view)
      : api_(api), group_(group), view_(view) {}

  // Watches hosts that were announced together. A few have a watch each, of their own pods only;
  // many share one of all pods, of which only theirs are kept: one stream instead of hundreds.
  void begin(Nodes nodes);

  // Its pods are not wanted any more. A watch ends with the last of its hosts; what all hosts share
  // is watched on.
  void end(const std::string& node);

  // Rights that we do not hold: no request is wasted on what needs them.
  void lacks(std::set<kube::Right> rights) { lacking_ = std::move(rights); }
  // Find out of which Services a load balancer needs the node.
  void want_local_services() { local_services_ = Local::kWanted; }
  // Nodes that others have marked are wanted: their pods replace nobody.
  void want_marked_nodes();

  // It bears a mark of ours or of another agent.
  bool is_marked(const std::string& node) const { return marked_.contains(node); }

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
  void watch_pods(kube::Listing listing, Nodes nodes);
  void pods_listed(const Nodes& nodes);
  void watch_around();
  void watch_budgets();
  void watch_slices();
  void watch_volumes();
  void node_changed(const kube::Node& node, bool here);
  void services_known();
  Task<> find_local_services();
  template <class T>
  std::string follow(kube::Listing listing, Result<T> (*decode)(const boost::json::value&),
                     kube::Sink<T> sink);

  kube::Api& api_;
  TaskGroup& group_;
  ClusterView& view_;
  std::set<kube::Right> lacking_;
  std::set<std::string> marked_;
  std::map<std::string, std::shared_ptr<Nodes>> pods_;  // by the watch's name: whose pods
  int number_ = 0;                                      // of the last watch
  bool around_ = false;                                 // budgets are watched
  bool services_ = false;                               // endpoints are watched
  bool volumes_ = false;                                // VolumeAttachments are
  bool nodes_ = false;                                  // marked nodes are
  bool slices_listed_ = false;
  enum class Local { kWanted, kAsked, kKnown };
  Local local_services_ = Local::kKnown;  // also where nobody wants to know
};

}  // namespace spotkeeper::effects
