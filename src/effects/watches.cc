// SPDX-License-Identifier: Apache-2.0
#include "effects/watches.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/json.h"
#include "effects/mark.h"
#include "kube/workloads.h"

namespace spotkeeper::effects {
namespace {

// Hosts that are announced together and have a watch each. More share one: it reads all pods of the
// cluster once, which two requests for each host would outweigh by then.
constexpr size_t kOwnWatches = 20;
// A page of EndpointSlices may hold a hundred endpoints in each.
constexpr int kSlicePage = 100;

kube::Listing urgently(kube::Listing listing) {
  listing.urgent = true;
  return listing;
}

}  // namespace

bool Watches::may(const char* group, const char* resource, const char* verb) const {
  return !lacking_.contains(kube::Right{.group = group, .resource = resource, .verb = verb});
}

template <class T>
std::string Watches::follow(kube::Listing listing, Result<T> (*decode)(const boost::json::value&),
                            kube::Sink<T> sink) {
  const std::string name =
      fmt::format("{} {} {}", listing.resource, listing.field_selector, ++number_);
  group_.spawn(name, kube::follow<T>(api_, std::move(listing), decode, std::move(sink)));
  return name;
}

void Watches::begin(Nodes nodes) {
  if (nodes.size() > kOwnWatches) {
    watch_pods(urgently(kube::listing_of("/api/v1/pods")), std::move(nodes));
  } else {
    for (const std::string& node : nodes) watch_pods(urgently(kube::pods_on(node)), {node});
  }
  if (!std::exchange(around_, true)) watch_around();
}

void Watches::watch_pods(kube::Listing listing, Nodes nodes) {
  const auto self = shared_from_this();
  const bool shared = listing.field_selector.empty();
  const auto wanted = std::make_shared<Nodes>(std::move(nodes));
  kube::Sink<kube::Pod> sink;
  if (shared) {
    sink.keep = [wanted](const boost::json::value& pod) {
      return wanted->contains(text_at(pod, {"spec", "nodeName"}));
    };
  }
  sink.changed = [self](const kube::Pod& pod) { self->view_.pod_changed(pod); };
  sink.gone = [self](const kube::Pod& pod) { self->view_.pod_gone(pod); };
  sink.synced = [self, wanted] { self->pods_listed(Nodes(*wanted)); };
  sink.failed = [self, wanted](const Error& error) {
    if (!wanted->empty()) self->view_.trouble(*wanted->begin(), error);
  };
  pods_[follow<kube::Pod>(std::move(listing), kube::decode_pod, std::move(sink))] = wanted;
}

void Watches::end(const std::string& node) {
  for (auto at = pods_.begin(); at != pods_.end();) {
    at->second->erase(node);
    if (!at->second->empty()) {
      ++at;
      continue;
    }
    group_.cancel(at->first);
    at = pods_.erase(at);
  }
}

// What is known of their Deployments comes before anything is done. The rest is only for the
// post-mortem, and so comes after what matters.
void Watches::pods_listed(const Nodes& nodes) {
  const bool first = !view_.are_listed(nodes);
  if (first && on_pods) on_pods(nodes);
  view_.pods_listed(nodes);
  if (!first) return;
  if (!services_ && may("discovery.k8s.io", "endpointslices", "list")) watch_slices();
  const bool any = !volumes_ && view_.any_volumes(nodes);
  if (any && may("storage.k8s.io", "volumeattachments", "list")) watch_volumes();
  if (local_services_ == Local::kWanted) {
    local_services_ = may("", "services", "list") ? Local::kAsked : Local::kKnown;
    if (local_services_ == Local::kAsked) group_.spawn("local services", find_local_services());
  }
}

void Watches::watch_around() {
  if (may("policy", "poddisruptionbudgets", "list")) {
    watch_budgets();
  } else {
    view_.budgets_unread();
  }
}

void Watches::watch_budgets() {
  const auto self = shared_from_this();
  kube::Sink<kube::Budget> sink;
  sink.changed = [self](const kube::Budget& budget) { self->view_.budget_changed(budget); };
  sink.gone = [self](const kube::Budget& budget) { self->view_.budget_gone(budget); };
  sink.synced = [self] { self->view_.budgets_listed(); };
  sink.failed = [self](const Error& error) {
    self->view_.trouble(error);
    if (error.kind == ErrorKind::kDenied) self->view_.budgets_unread();
  };
  follow<kube::Budget>(urgently(kube::listing_of("/apis/policy/v1/poddisruptionbudgets")),
                       kube::decode_budget, std::move(sink));
}

// What goes wrong here is told, and holds up nobody.
void Watches::watch_slices() {
  services_ = true;
  const auto self = shared_from_this();
  kube::Sink<kube::EndpointSlice> sink;
  sink.changed = [self](const kube::EndpointSlice& slice) { self->view_.slice_changed(slice); };
  sink.gone = [self](const kube::EndpointSlice& slice) { self->view_.slice_gone(slice); };
  sink.synced = [self] {
    self->slices_listed_ = true;
    self->services_known();
  };
  sink.failed = [self](const Error& error) { self->view_.trouble(error); };
  kube::Listing listing = kube::listing_of("/apis/discovery.k8s.io/v1/endpointslices");
  listing.page = kSlicePage;
  follow<kube::EndpointSlice>(std::move(listing), kube::decode_slice, std::move(sink));
}

// Where the pods have volumes: their next users wait for them.
void Watches::watch_volumes() {
  volumes_ = true;
  const auto self = shared_from_this();
  kube::Sink<kube::VolumeAttachment> sink;
  sink.changed = [self](const kube::VolumeAttachment& each) { self->view_.volume_changed(each); };
  sink.gone = [self](const kube::VolumeAttachment& each) { self->view_.volume_gone(each); };
  sink.synced = [self] { self->view_.volumes_listed(); };
  sink.failed = [self](const Error& error) { self->view_.trouble(error); };
  follow<kube::VolumeAttachment>(kube::listing_of("/apis/storage.k8s.io/v1/volumeattachments"),
                                 kube::decode_volume_attachment, std::move(sink));
}

// Of which Services a load balancer sends only to nodes that have their endpoints. Without an
// answer none is: the label that takes the node out of load balancers comes with the mark.
Task<> Watches::find_local_services() {
  const auto self = shared_from_this();
  const auto all = co_await kube::list_all<kube::Service>(
      api_, kube::listing_of("/api/v1/services"), kube::decode_service);
  if (all) {
    std::set<core::ServiceId> local;
    for (const kube::Service& service : *all) {
      if (service.local_lb) local.insert(core::ServiceId(service.ns + "/" + service.name));
    }
    view_.local_services(std::move(local));
  } else {
    view_.trouble(all.error());
  }
  local_services_ = Local::kKnown;
  services_known();
}

// Both at once: a Service whose endpoints are known, and not yet that a load balancer needs them
// here, would not keep the host in load balancers.
void Watches::services_known() {
  if (slices_listed_ && local_services_ == Local::kKnown) view_.slices_listed();
}

// Only cordoned nodes can be marked.
void Watches::want_marked_nodes() {
  if (std::exchange(nodes_, true)) return;
  if (!may("", "nodes", "list")) return on_marks_known();
  const auto self = shared_from_this();
  kube::Sink<kube::Node> sink;
  sink.changed = [self](const kube::Node& node) { self->node_changed(node, true); };
  sink.gone = [self](const kube::Node& node) { self->node_changed(node, false); };
  sink.synced = [self] { self->on_marks_known(); };
  sink.failed = [self](const Error& error) {
    self->view_.trouble(error);
    if (error.kind == ErrorKind::kDenied) self->on_marks_known();
  };
  kube::Listing listing = urgently(kube::listing_of("/api/v1/nodes"));
  listing.field_selector = "spec.unschedulable=true";
  follow<kube::Node>(std::move(listing), kube::decode_node, std::move(sink));
}

void Watches::node_changed(const kube::Node& node, bool here) {
  if (here && on_node) on_node(node);
  const bool marked = here && node.annotations.contains(kStateAnnotation);
  const bool changed = marked ? marked_.insert(node.name).second : marked_.erase(node.name) != 0;
  // Of those that we watch it is known.
  if (changed && on_marked && !view_.goes(node.name)) on_marked();
}

}  // namespace spotkeeper::effects
