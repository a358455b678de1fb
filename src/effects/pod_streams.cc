// SPDX-License-Identifier: Apache-2.0
#include "effects/pod_streams.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/json.h"
#include "kube/workloads.h"

namespace spotkeeper::effects {
namespace {

using Steady = std::chrono::steady_clock;

// Hosts that are announced together and have a stream each. More share one: it reads all pods of
// the cluster, which two requests for each host would outweigh by then.
constexpr size_t kOwnStreams = 20;
// A list that takes longer is not read twice: hand-overs wait three seconds for what they need
// (core::Policy::mark_patience), and the API server selects by hash much sooner.
constexpr std::chrono::seconds kShortList{1};

std::string task_of(int stream) {
  return fmt::format("pods {}", stream);
}

}  // namespace

bool PodStreams::Stream::keeps(const boost::json::value& pod) const {
  return nodes.contains(text_at(pod, {"spec", "nodeName"})) ||
         hashes.contains(text_at(pod, {"metadata", "labels", kube::kHashLabel}));
}

void PodStreams::begin(Nodes nodes) {
  if (nodes.size() > kOwnStreams) {
    open(kube::listing_of("/api/v1/pods"), {.nodes = std::move(nodes), .all = true});
  } else {
    for (const std::string& node : nodes) open(kube::pods_on(node), {.nodes = {node}});
  }
}

int PodStreams::of_replica_sets(std::set<std::string> hashes, Sink sink) {
  const bool joins = listing_ != nullptr && listing_->all && !listing_->others.changed &&
                     Steady::now() - listing_->opened < kShortList;
  if (joins) {
    listing_->hashes = std::move(hashes);
    listing_->others = std::move(sink);
    listing_->again = true;
    return listing_->id;
  }
  kube::Listing listing = kube::listing_of("/api/v1/pods");
  listing.label_selector = fmt::format("{} in ({})", kube::kHashLabel, fmt::join(hashes, ","));
  return select(std::move(listing), std::move(sink));
}

int PodStreams::select(kube::Listing listing, Sink sink) {
  return open(std::move(listing), {.others = std::move(sink)});
}

int PodStreams::open(kube::Listing listing, Stream wanted) {
  const auto self = shared_from_this();
  const auto stream = std::make_shared<Stream>(std::move(wanted));
  stream->id = ++last_;
  stream->opened = Steady::now();
  streams_[stream->id] = stream;
  listing.urgent = true;
  Sink sink;
  // What comes after its end, before its task has ended, is not told.
  sink.keep = [stream](const auto& pod) {
    return stream->is_wanted() && (!stream->all || stream->keeps(pod));
  };
  sink.changed = [self, stream](const kube::Pod& pod) { self->pod_changed(*stream, pod); };
  sink.gone = [self, stream](const kube::Pod& pod) { self->pod_gone(*stream, pod); };
  sink.synced = [self, stream] { self->listed(*stream); };
  sink.again = [stream] { return stream->again; };
  sink.failed = [self, stream](const Error& error) { self->failed(*stream, error); };
  group_.spawn(task_of(stream->id), kube::follow<kube::Pod>(api_, std::move(listing),
                                                            kube::decode_pod, std::move(sink)));
  return stream->id;
}

void PodStreams::pod_changed(const Stream& stream, const kube::Pod& pod) {
  if (stream.nodes.contains(pod.node)) view_.pod_changed(pod);
  if (!stream.others.changed) return;
  const auto hash = pod.labels.find(kube::kHashLabel);
  if (stream.hashes.empty() || (hash != pod.labels.end() && stream.hashes.contains(hash->second))) {
    stream.others.changed(pod);
  } else if (stream.others.gone) {
    stream.others.gone(pod);  // it may have been one before
  }
}

void PodStreams::pod_gone(const Stream& stream, const kube::Pod& pod) {
  if (stream.nodes.contains(pod.node)) view_.pod_gone(pod);
  if (stream.others.gone) stream.others.gone(pod);
}

void PodStreams::listed(Stream& stream) {
  stream.again = false;
  listing_ = &stream;
  if (!stream.nodes.empty() && on_listed) on_listed(Nodes(stream.nodes));
  listing_ = nullptr;
  if (!stream.again && stream.others.synced) stream.others.synced();
}

void PodStreams::failed(const Stream& stream, const Error& error) {
  if (!stream.nodes.empty()) {
    view_.trouble(*stream.nodes.begin(), error);
  } else if (stream.others.failed) {
    stream.others.failed(error);
  }
}

void PodStreams::end(const std::string& node) {
  for (auto at = streams_.begin(); at != streams_.end();) {
    at = at->second->nodes.erase(node) == 0 ? std::next(at) : close_if_idle(at);
  }
}

void PodStreams::stop(int id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second->others = {};
  found->second->hashes.clear();
  close_if_idle(found);
}

void PodStreams::end_all() {
  for (const auto& [id, stream] : streams_) {
    stream->nodes.clear();
    stream->others = {};
  }
  streams_.clear();
}

PodStreams::Streams::iterator PodStreams::close_if_idle(Streams::iterator stream) {
  if (stream->second->is_wanted()) return std::next(stream);
  group_.cancel(task_of(stream->first));
  return streams_.erase(stream);
}

}  // namespace spotkeeper::effects
