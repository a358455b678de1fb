// SPDX-License-Identifier: Apache-2.0
#include "world/endpoints.h"

#include <algorithm>

#include "world/api.h"

namespace spotkeeper::world {
namespace {

constexpr const char* kServiceName = "kubernetes.io/service-name";

EndpointSlice::Endpoint endpoint_of(const PodIndex::Entry& entry) {
  const Pod& pod = *entry.pod;
  return {.pod = pod.meta.name,
          .uid = pod.meta.uid,
          .node = pod.node,
          .ip = pod.status.ip,
          .ready = entry.ready && !pod.deleting(),
          .serving = entry.ready,
          .terminating = pod.deleting()};
}

}  // namespace

Endpoints::Endpoints(Context& context)
    : context_(context),
      limit_(context.options.controller_rate, context.options.controller_burst),
      queue_(context, context.options.endpoints, [this](const Key& key) { sync(key); }) {}

void Endpoints::on(const Event& event) {
  if (event.kind() == Kind::kService) {
    if (event.change != Change::kDeleted) queue_.add(event.object->meta.view());
    return;
  }
  if (event.kind() != Kind::kPod) return;
  for (const PodIndex::Line* line : context_.store.pods().lines_of(event.object->meta.uid)) {
    if (line->kind == Kind::kService) queue_.add(line->key);
  }
  if (event.change == Change::kModified && event.before->meta.labels != event.object->meta.labels) {
    for (const auto& [key, service] : context_.store.table<Service>()) {
      const Selector selector{.match_labels = service->spec.selector, .match_expressions = {}};
      if (key.ns == event.object->meta.ns && selector.matches(event.before->meta.labels)) {
        queue_.add(key);
      }
    }
  }
}

void Endpoints::sync(const Key& key) {
  const Ptr<Service> service = context_.store.find<Service>(key);
  if (!service) return;
  if (!limit_.take(context_.now())) {
    queue_.add_at(key, limit_.next(context_.now()));
    return;
  }
  PodIndex::Set pods = context_.store.pods().matching(Kind::kService, key);
  std::erase_if(pods, [](const PodIndex::Entry* entry) {
    return entry->pod->finished() || entry->pod->status.ip.empty();
  });
  std::ranges::sort(pods, {}, [](const PodIndex::Entry* entry) -> const std::string& {
    return entry->pod->meta.name;
  });
  std::vector<EndpointSlice::Endpoint> endpoints;
  endpoints.reserve(pods.size());
  for (const PodIndex::Entry* entry : pods) endpoints.push_back(endpoint_of(*entry));
  const Key slice_key{.ns = key.ns, .name = key.name + "-endpoints"};
  const Ptr<EndpointSlice> slice = context_.store.find<EndpointSlice>(slice_key);
  if (slice) {
    if (slice->endpoints == endpoints) return;
    auto after = std::make_shared<EndpointSlice>();
    after->meta = slice->meta;
    after->endpoints = std::move(endpoints);
    context_.store.commit(slice, std::move(after));
    return;
  }
  EndpointSlice fresh;
  fresh.meta.ns = key.ns;
  fresh.meta.name = slice_key.name;
  fresh.meta.labels.set(kServiceName, key.name);
  fresh.meta.owner = Owner{.kind = Kind::kService, .name = key.name, .uid = service->meta.uid};
  fresh.endpoints = std::move(endpoints);
  // Refused only where the namespace ends, with the Service.
  static_cast<void>(context_.api->create(std::move(fresh)));
}

}  // namespace spotkeeper::world
