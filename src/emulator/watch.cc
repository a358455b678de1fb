// SPDX-License-Identifier: Apache-2.0
#include "emulator/watch.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <utility>

#include "emulator/codec.h"

namespace spotkeeper::emulator {

using Steady = std::chrono::steady_clock;
using world::Change;
using world::Event;
using world::Object;
using world::Ptr;

namespace {

constexpr size_t kBatch = 200;  // events written at once
constexpr Seconds kBookmarkEvery{60};
constexpr int64_t kDefaultTimeout_s = 1800;  // the real one: random, 30 to 60 minutes

struct Watch {
  Filter filter;
  const Resource* resource;
  uint64_t version = 0;
  bool bookmarks = false;
  bool initial_end = false;  // a bookmark says when the initial state has been shown
  Steady::time_point end;
  std::string begin;  // lines of the state at its begin
};

std::string line(const char* type, const json::object& object) {
  return json::serialize(json::object{{"type", type}, {"object", object}}) + "\n";
}

std::string bookmark(const Resource& resource, uint64_t version, bool initial_end = false) {
  json::object meta{{"resourceVersion", std::to_string(version)}, {"creationTimestamp", nullptr}};
  if (initial_end) meta["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
  return line("BOOKMARK", {{"kind", resource.kind},
                           {"apiVersion", resource.api_version()},
                           {"metadata", std::move(meta)}});
}

// Written until it ends: by its time, by a 410, by a client that is gone.
Task<> follow(WatchHub* hub, std::shared_ptr<Watch> watch, http::BodyWriter& out) {
  const world::Kind kind = *watch->resource->kept_by_world;
  WatchHub::Ear ear(*hub, kind);
  Steady::time_point next_bookmark = Steady::now() + kBookmarkEvery;
  bool idle = false;  // all there was has been written
  if (!co_await out.write(std::exchange(watch->begin, {}))) co_return;
  for (;;) {
    // Other kinds' changes move the cluster's version on: what is forgotten of them is no loss.
    if (ear.missed_nothing && idle) watch->version = hub->world().version();
    const auto events = hub->world().events_since(kind, watch->version, kBatch);
    if (!events) {
      co_await out.write(line("ERROR", status_of(events.error())));
      co_return;
    }
    std::string lines;
    for (const Event& event : *events) lines += event_line(event, watch->filter);
    if (!events->empty()) {
      watch->version = events->back().version();
      if (!co_await out.write(std::move(lines))) co_return;
      continue;
    }
    watch->version = std::max(watch->version, hub->world().version());
    ear.missed_nothing = idle = true;
    const Steady::time_point now = Steady::now();
    if (watch->bookmarks && (now >= next_bookmark || now >= watch->end)) {
      next_bookmark = now + kBookmarkEvery;
      if (!co_await out.write(bookmark(*watch->resource, watch->version))) co_return;
    }
    if (now >= watch->end) co_return;
    const auto wake = std::min(watch->end, next_bookmark);
    co_await ear.heard.wait(std::chrono::ceil<Millis>(wake - now));
  }
}

// Of objects that are merely kept: what is there, then silence.
Task<> show_kept(std::shared_ptr<Watch> watch, http::BodyWriter& out) {
  if (!co_await out.write(std::exchange(watch->begin, {}))) co_return;
  co_await sleep_for(std::chrono::ceil<Millis>(watch->end - Steady::now()));
}

std::string kept_lines(const Cluster& cluster, const Filter& filter, const Resource& resource) {
  std::string lines;
  for (const json::object& object : cluster.shelf().list(resource, filter.ns)) {
    if (filter.matches(object)) lines += line("ADDED", object);
  }
  return lines;
}

std::string world_lines(const Cluster& cluster, const Filter& filter, const Resource& resource) {
  std::string lines;
  for (const Ptr<Object>& object : cluster.world().list(*resource.kept_by_world, filter.ns)) {
    if (filter.matches(*object)) lines += line("ADDED", encode(*object));
  }
  return lines;
}

}  // namespace

WatchHub::WatchHub(boost::asio::any_io_executor executor, world::World& world)
    : executor_(std::move(executor)), world_(world) {
  observer_ = world_.observe([this](const Event& event) {
    for (Ear* ear : ears_) {
      if (ear->kind != event.kind()) continue;
      ear->missed_nothing = false;
      ear->heard.set();
    }
  });
}

WatchHub::~WatchHub() {
  world_.forget(observer_);
}

WatchHub::Ear::Ear(WatchHub& hub, world::Kind k) : heard(hub.executor_), kind(k), hub_(hub) {
  hub_.ears_.insert(this);
}

WatchHub::Ear::~Ear() {
  hub_.ears_.erase(this);
}

std::string event_line(const Event& event, const Filter& filter) {
  const bool is = event.change != Change::kDeleted && filter.matches(*event.object);
  const bool was = event.before && filter.matches(*event.before);
  if (!is && !was) return "";
  if (is) return line(was ? "MODIFIED" : "ADDED", encode(*event.object));
  if (event.change == Change::kDeleted) return line("DELETED", encode(*event.object));
  // It left the selection: shown as it was inside, with the version of the change.
  json::object last = encode(*event.before);
  child(last, "metadata")["resourceVersion"] = std::to_string(event.version());
  return line("DELETED", last);
}

Outcome<http::ServerResponse> open_watch(WatchHub& hub, const Cluster& cluster, const Query& query,
                                         const Resource& resource) {
  auto filter = parse_filter(query, resource);
  if (!filter) return std::unexpected(filter.error());
  const std::string from = query.parameter("resourceVersion");
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), version);
  if (end != from.data() + from.size()) {
    return Failed(bad_request("Invalid value: \"" + from + "\": a resource version is a number"));
  }
  int64_t timeout = 0;
  const std::string asked = query.parameter("timeoutSeconds");
  std::from_chars(asked.data(), asked.data() + asked.size(), timeout);
  auto watch = std::make_shared<Watch>();
  watch->filter = std::move(*filter);
  watch->resource = &resource;
  watch->bookmarks = query.flag("allowWatchBookmarks");
  watch->end = Steady::now() + Seconds(timeout > 0 ? timeout : kDefaultTimeout_s);
  watch->version = version;
  const bool initial = query.flag("sendInitialEvents");
  const bool kept = !resource.kept_by_world;
  if (version == 0 || initial) {
    watch->version = cluster.world().version();
    watch->begin = kept ? kept_lines(cluster, watch->filter, resource)
                        : world_lines(cluster, watch->filter, resource);
    if (initial && watch->bookmarks) watch->begin += bookmark(resource, watch->version, true);
  }
  http::ServerResponse response;
  response.content_type = "application/json";
  response.stream = [&hub, watch, kept](http::BodyWriter& out) {
    return kept ? show_kept(watch, out) : follow(&hub, watch, out);
  };
  return response;
}

}  // namespace spotkeeper::emulator
