// SPDX-License-Identifier: Apache-2.0
#include "effects/host_watch.h"

#include <utility>

#include "kube/follow.h"
#include "kube/workloads.h"

namespace spotkeeper::effects {
namespace {

// A page of EndpointSlices may hold a hundred endpoints in each.
constexpr int kSlicePage = 100;

// The drain waits for it.
kube::Listing urgent(kube::Listing listing) {
  listing.urgent = true;
  return listing;
}

kube::Listing all_slices() {
  kube::Listing listing = kube::listing_of("/apis/discovery.k8s.io/v1/endpointslices");
  listing.page = kSlicePage;
  return listing;
}

kube::Right to_list(const char* group, const char* resource) {
  return kube::Right{.group = group, .resource = resource, .verb = "list"};
}

}  // namespace

HostWatch::HostWatch(kube::Api& api, TaskGroup& group, const Clock& clock, PodRules rules,
                     core::HostId host, Report report)
    : mark_answered(group.executor()),
      api_(api),
      group_(group),
      clock_(clock),
      host_(std::move(host)),
      report_(std::move(report)),
      units_(std::move(rules)),
      services_(host_.value) {}

void HostWatch::begin(const std::set<kube::Right>& lacking, bool local_services) {
  may_read_volumes_ = !lacking.contains(to_list("storage.k8s.io", "volumeattachments"));
  local_services_ = local_services && !lacking.contains(to_list("", "services"));
  may_read_services_ = !lacking.contains(to_list("discovery.k8s.io", "endpointslices"));
  watch_pods();
  if (lacking.contains(to_list("policy", "poddisruptionbudgets"))) {
    budgets_unread_ = true;
    report_(host_, core::BudgetsListed{.watched = false});
  } else {
    watch_budgets();
  }
}

void HostWatch::tell_again() {
  tell(units_.everything());
  tell(services_.everything());
  if (pods_listed_) report_(host_, core::UnitsListed{});
  if (budgets_listed_ || budgets_unread_) {
    report_(host_, core::BudgetsListed{.watched = budgets_listed_});
  }
  if (services_listed_) report_(host_, core::ServicesListed{});
  tell_volumes();
}

template <class Seen>
void HostWatch::tell(std::vector<Seen> observations) {
  for (Seen& observation : observations) report_(host_, std::move(observation));
}

void HostWatch::listed(bool& flag, core::Observation observation) {
  if (!std::exchange(flag, true)) report_(host_, std::move(observation));
}

void HostWatch::watch_pods() {
  const auto self = shared_from_this();
  kube::Sink<kube::Pod> sink;
  sink.changed = [self](const kube::Pod& pod) {
    self->tell(self->units_.pod_changed(pod, self->clock_.now()));
  };
  sink.gone = [self](const kube::Pod& pod) { self->tell(self->units_.pod_gone(pod)); };
  sink.synced = [self] {
    const bool first = !self->pods_listed_;
    // What is known of their Deployments comes before anything is done.
    if (first && self->on_deployments) self->on_deployments(self->units_.of_deployments());
    self->listed(self->pods_listed_, core::UnitsListed{});
    // Only for the post-mortem, and so after what matters.
    if (!first) return;
    if (self->may_read_services_) self->watch_services();
    if (self->may_read_volumes_ && self->units_.any_volumes()) self->watch_volumes();
    if (self->local_services_) {
      self->group_.spawn("local services", self->find_local_services());
    }
  };
  sink.failed = [self](const Error& error) {
    self->report_(self->host_, core::Trouble{.error = error});
  };
  group_.spawn("pods of " + host_.value,
               kube::follow<kube::Pod>(api_, urgent(kube::pods_on(host_.value)), kube::decode_pod,
                                       std::move(sink)));
}

void HostWatch::watch_budgets() {
  const auto self = shared_from_this();
  kube::Sink<kube::Budget> sink;
  sink.changed = [self](const kube::Budget& budget) {
    self->tell(self->units_.budget_changed(budget));
  };
  sink.gone = [self](const kube::Budget& budget) { self->tell(self->units_.budget_gone(budget)); };
  sink.synced = [self] {
    self->listed(self->budgets_listed_, core::BudgetsListed{.watched = true});
  };
  sink.failed = [self](const Error& error) {
    self->report_(self->host_, core::Trouble{.error = error});
    if (error.kind == ErrorKind::kDenied && !self->budgets_listed_) {
      self->budgets_unread_ = true;
      self->report_(self->host_, core::BudgetsListed{.watched = false});
    }
  };
  kube::Listing all = urgent(kube::listing_of("/apis/policy/v1/poddisruptionbudgets"));
  group_.spawn(
      "budgets around " + host_.value,
      kube::follow<kube::Budget>(api_, std::move(all), kube::decode_budget, std::move(sink)));
}

// Only for the post-mortem: what goes wrong here is told, and holds up nobody.
void HostWatch::watch_services() {
  const auto self = shared_from_this();
  kube::Sink<kube::EndpointSlice> sink;
  sink.changed = [self](const kube::EndpointSlice& slice) {
    self->tell(self->services_.slice_changed(slice));
  };
  sink.gone = [self](const kube::EndpointSlice& slice) {
    self->tell(self->services_.slice_gone(slice));
  };
  sink.synced = [self] {
    self->slices_listed_ = true;
    self->services_known();
  };
  sink.failed = [self](const Error& error) {
    self->report_(self->host_, core::Trouble{.error = error});
  };
  group_.spawn(
      "services of " + host_.value,
      kube::follow<kube::EndpointSlice>(api_, all_slices(), kube::decode_slice, std::move(sink)));
}

// Both at once: a Service whose endpoints are known, and not yet that a load balancer needs them
// here, would not keep the host in load balancers.
void HostWatch::services_known() {
  if (slices_listed_ && !local_services_) listed(services_listed_, core::ServicesListed{});
}

void HostWatch::claims_known(const std::string& ns, std::set<std::string> shared) {
  tell(units_.claims_known(ns, std::move(shared)));
}

// Of which Services a load balancer sends only to nodes that have their endpoints. Without an
// answer none is: the label that takes the node out of load balancers comes with the mark.
Task<> HostWatch::find_local_services() {
  const auto self = shared_from_this();
  const auto all = co_await kube::list_all<kube::Service>(
      api_, kube::listing_of("/api/v1/services"), kube::decode_service);
  if (all) {
    std::set<core::ServiceId> local;
    for (const kube::Service& service : *all) {
      if (service.local_lb) local.insert(core::ServiceId(service.ns + "/" + service.name));
    }
    tell(services_.local(std::move(local)));
  } else {
    report_(host_, core::Trouble{.error = all.error()});
  }
  local_services_ = false;
  services_known();
}

// Where the pods have volumes: their next users wait for them.
void HostWatch::watch_volumes() {
  const auto self = shared_from_this();
  kube::Sink<kube::VolumeAttachment> sink;
  sink.changed = [self](const kube::VolumeAttachment& each) {
    self->volumes_changed(each.uid, each.node == self->host_.value);
  };
  sink.gone = [self](const kube::VolumeAttachment& each) {
    self->volumes_changed(each.uid, false);
  };
  sink.synced = [self] {
    self->volumes_listed_ = true;
    self->tell_volumes();
  };
  sink.failed = [self](const Error& error) {
    self->report_(self->host_, core::Trouble{.error = error});
  };
  kube::Listing all = kube::listing_of("/apis/storage.k8s.io/v1/volumeattachments");
  group_.spawn("volumes of " + host_.value,
               kube::follow<kube::VolumeAttachment>(
                   api_, std::move(all), kube::decode_volume_attachment, std::move(sink)));
}

void HostWatch::volumes_changed(const std::string& uid, bool here) {
  const bool changed = here ? volumes_.insert(uid).second : volumes_.erase(uid) != 0;
  if (changed) tell_volumes();
}

void HostWatch::tell_volumes() {
  if (!volumes_listed_) return;
  report_(host_, core::VolumesSeen{.attached = static_cast<int>(volumes_.size())});
}

}  // namespace spotkeeper::effects
