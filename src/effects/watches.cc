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

Watches::Watches(kube::Api& api, TaskGroup& group, ClusterView& view)
    : api_(api), group_(group), view_(view), pods_(std::make_shared<PodStreams>(api, group, view)) {
  pods_->on_listed = [this](const Nodes& nodes) { pods_listed(nodes); };
}

// What comes after the end of the round, before its task has ended, is not told.
template <class T>
void Watches::follow(kube::Listing listing, Result<T> (*decode)(const boost::json::value&),
                     kube::Sink<T> sink) {
  around_.tasks.push_back(fmt::format("watch {} {}", listing.resource, round_));
  const auto goes_on = [self = shared_from_this(), round = round_] {
    return self->round_ == round;
  };
  sink.keep = [goes_on](const auto&) { return goes_on(); };
  sink.synced = [goes_on, tell = std::move(sink.synced)] {
    if (goes_on()) tell();
  };
  sink.failed = [goes_on, tell = std::move(sink.failed)](const Error& error) {
    if (goes_on()) tell(error);
  };
  group_.spawn(around_.tasks.back(),
               kube::follow<T>(api_, std::move(listing), decode, std::move(sink)));
}

void Watches::begin(Nodes nodes) {
  pods_->begin(std::move(nodes));
  if (!std::exchange(around_.begun, true)) watch_around();
}

void Watches::end_all() {
  for (const std::string& task : around_.tasks) group_.cancel(task);
  around_ = {};
  ++round_;
}

// What is known of their Deployments comes before anything is done. The rest is only for the
// post-mortem, and so comes after what matters.
void Watches::pods_listed(const Nodes& nodes) {
  const bool first = !view_.are_listed(nodes);
  if (first && on_pods) on_pods(nodes);
  view_.pods_listed(nodes);
  if (!first) return;
  if (!around_.services && may("discovery.k8s.io", "endpointslices", "list")) watch_slices();
  const bool any = !around_.volumes && view_.any_volumes(nodes);
  if (any && may("storage.k8s.io", "volumeattachments", "list")) watch_volumes();
  if (want_local_services_ && !std::exchange(around_.local_asked, true)) {
    around_.local_known = !may("", "services", "list");
    if (!around_.local_known) group_.spawn("local services", find_local_services());
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
  around_.services = true;
  const auto self = shared_from_this();
  kube::Sink<kube::EndpointSlice> sink;
  sink.changed = [self](const kube::EndpointSlice& slice) { self->view_.slice_changed(slice); };
  sink.gone = [self](const kube::EndpointSlice& slice) { self->view_.slice_gone(slice); };
  sink.synced = [self] {
    self->around_.slices_listed = true;
    self->services_known();
  };
  sink.failed = [self](const Error& error) { self->view_.trouble(error); };
  kube::Listing listing = kube::listing_of("/apis/discovery.k8s.io/v1/endpointslices");
  listing.page = kSlicePage;
  follow<kube::EndpointSlice>(std::move(listing), kube::decode_slice, std::move(sink));
}

// Where the pods have volumes: their next users wait for them.
void Watches::watch_volumes() {
  around_.volumes = true;
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
  const int round = round_;
  const auto all = co_await kube::list_all<kube::Service>(
      api_, kube::listing_of("/api/v1/services"), kube::decode_service);
  if (round != round_) co_return;
  if (all) {
    std::set<core::ServiceId> local;
    for (const kube::Service& service : *all) {
      if (service.local_lb) local.insert(core::ServiceId(service.ns + "/" + service.name));
    }
    view_.local_services(std::move(local));
  } else {
    view_.trouble(all.error());
  }
  around_.local_known = true;
  services_known();
}

// Both at once: a Service whose endpoints are known, and not yet that a load balancer needs them
// here, would not keep the host in load balancers.
void Watches::services_known() {
  if (around_.slices_listed && (around_.local_known || !want_local_services_)) {
    view_.slices_listed();
  }
}

// Only cordoned nodes can be marked.
void Watches::want_marked_nodes() {
  if (std::exchange(around_.nodes, true)) return;
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
  const bool changed =
      marked ? around_.marked.insert(node.name).second : around_.marked.erase(node.name) != 0;
  // Of those that we watch it is known.
  if (changed && on_marked && !view_.goes(node.name)) on_marked();
}

}  // namespace spotkeeper::effects
