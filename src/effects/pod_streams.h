// SPDX-License-Identifier: Apache-2.0
// The streams of pods while hosts go: the hosts' own, for the ClusterView, and those that may
// replace them, wherever they are. Of many hosts all of this comes in one stream. The Api, the view
// and the group, to which its tasks belong, must outlive it.
#pragma once

#include <chrono>
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

namespace spotkeeper::effects {

class PodStreams : public std::enable_shared_from_this<PodStreams> {
 public:
  using Nodes = ClusterView::Nodes;
  using Sink = kube::Sink<kube::Pod>;  // without `keep` and `again`

  PodStreams(kube::Api& api, TaskGroup& group, ClusterView& view)
      : api_(api), group_(group), view_(view) {}

  // Hosts that were announced together. A few have a stream each, of their own pods only; many
  // share one of all pods, of which only theirs are kept: one stream instead of hundreds.
  void begin(Nodes nodes);

  // Its pods are not wanted any more. A stream ends with the last that wants it.
  void end(const std::string& node);

  // Pods of these ReplicaSets. Wanted from within on_listed of hosts that share a stream, they come
  // in it: it is listed once more, and keeps them too. Else, or where a list takes long, they have
  // a stream of their own.
  int of_replica_sets(std::set<std::string> hashes, Sink sink);

  // Pods that a listing selects.
  int select(kube::Listing listing, Sink sink);

  // These pods, by what select() or of_replica_sets() gave, are not wanted any more.
  void stop(int id);

  // Nobody is told any more. The tasks end with their group.
  void end_all();

  // All pods of these nodes have been seen; after every list.
  std::function<void(const Nodes&)> on_listed;

 private:
  struct Stream {
    Nodes nodes;                   // whose pods the view is told of
    bool all = false;              // it brings the pods of the whole cluster
    std::set<std::string> hashes;  // of ReplicaSets whose pods `others` is told of; none: of all
    Sink others;
    int id = 0;
    std::chrono::steady_clock::time_point opened{};
    bool again = false;  // more is kept than when it was listed
    bool keeps(const boost::json::value& pod) const;
    bool is_wanted() const { return !nodes.empty() || others.changed != nullptr; }
  };
  using Streams = std::map<int, std::shared_ptr<Stream>>;

  int open(kube::Listing listing, Stream stream);
  void pod_changed(const Stream& stream, const kube::Pod& pod);
  void pod_gone(const Stream& stream, const kube::Pod& pod);
  void listed(Stream& stream);
  void failed(const Stream& stream, const Error& error);
  Streams::iterator close_if_idle(Streams::iterator stream);

  kube::Api& api_;
  TaskGroup& group_;
  ClusterView& view_;
  Streams streams_;
  int last_ = 0;               // number of a stream
  Stream* listing_ = nullptr;  // on_listed is being told of it
};

}  // namespace spotkeeper::effects
