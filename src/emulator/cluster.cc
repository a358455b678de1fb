// SPDX-License-Identifier: Apache-2.0
#include "emulator/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "emulator/codec.h"

namespace spotkeeper::emulator {

using world::Key;
using world::Object;
using world::Ptr;

namespace {

constexpr size_t kSnapshots = 64;

uint64_t to_number(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Where the next page begins: "VERSION/POSITION". Opaque to clients.
struct Continue {
  uint64_t version = 0;
  size_t position = 0;
};

std::optional<Continue> parse_continue(const std::string& token) {
  const size_t slash = token.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const Continue parsed{to_number(token.substr(0, slash)), to_number(token.substr(slash + 1))};
  return parsed.version == 0 ? std::nullopt : std::optional(parsed);
}

json::object list_object(const Resource& resource, uint64_t version, json::array items) {
  return {{"kind", resource.kind + "List"},
          {"apiVersion", resource.api_version()},
          {"metadata", json::object{{"resourceVersion", std::to_string(version)}}},
          {"items", std::move(items)}};
}

Failure too_new(uint64_t wanted, uint64_t newest) {
  Failure failure(504, "Timeout",
                  fmt::format("Too large resource version: {}, current: {}", wanted, newest));
  failure.causes.push_back(
      {.reason = "ResourceVersionTooLarge", .message = "Too large resource version", .field = {}});
  failure.retry_after_s = 1;
  return failure;
}

Failure expired_continue() {
  return {410, "Expired",
          "The provided continue parameter is too old to display a consistent list result. You can "
          "start a new list without the continue parameter, or use the continue token in this "
          "response to retrieve the remainder of the results."};
}

}  // namespace

Outcome<json::object> Cluster::get(const Resource& resource, const Key& key) const {
  if (!resource.kept_by_world) return shelf_.find(resource, key);
  const Ptr<Object> object = world_.find(*resource.kept_by_world, key);
  if (!object) return Failed(not_found(resource, key.name));
  return encode(*object);
}

Outcome<json::object> Cluster::list(const Query& query, const Resource& resource) {
  if (!resource.kept_by_world) return list_kept(query, resource);
  Continue from;
  if (const std::string token = query.parameter("continue"); !token.empty()) {
    const auto parsed = parse_continue(token);
    if (!parsed) return Failed(bad_request("continue key is not valid: " + token));
    from = *parsed;
  }
  const uint64_t wanted = to_number(query.parameter("resourceVersion"));
  if (wanted > world_.version()) return Failed(too_new(wanted, world_.version()));
  auto shown = snapshot(query, resource, from.version);
  if (!shown) return std::unexpected(shown.error());
  const std::vector<Ptr<Object>>& objects = (*shown)->objects;
  const size_t limit = to_number(query.parameter("limit"));
  const size_t begin = std::min(from.position, objects.size());
  const size_t end = limit == 0 ? objects.size() : std::min(begin + limit, objects.size());
  json::array items;
  items.reserve(end - begin);
  for (size_t i = begin; i < end; ++i) {
    json::object item = encode(*objects[i]);
    item.erase("kind");
    item.erase("apiVersion");
    items.push_back(std::move(item));
  }
  json::object list = list_object(resource, (*shown)->version, std::move(items));
  if (end < objects.size()) {
    json::object& meta = child(list, "metadata");
    meta["continue"] = fmt::format("{}/{}", (*shown)->version, end);
    const bool counted =
        query.parameter("labelSelector").empty() && query.parameter("fieldSelector").empty();
    if (counted) meta["remainingItemCount"] = objects.size() - end;
    if (from.version == 0) {
      snapshots_.push_back(*shown);
      if (snapshots_.size() > kSnapshots) snapshots_.pop_front();
    }
  }
  return list;
}

// The objects of a list: as they are now, or, for a further page, as they were at its first one.
Outcome<std::shared_ptr<const Cluster::Snapshot>> Cluster::snapshot(const Query& query,
                                                                    const Resource& resource,
                                                                    uint64_t version) {
  const std::string of =
      fmt::format("{}|{}|{}|{}", resource.name, query.ns, query.parameter("labelSelector"),
                  query.parameter("fieldSelector"));
  if (version != 0) {
    const auto found = std::ranges::find_if(
        snapshots_, [&](const auto& one) { return one->version == version && one->of == of; });
    if (found == snapshots_.end()) return Failed(expired_continue());
    return *found;
  }
  const auto filter = parse_filter(query, resource);
  if (!filter) return std::unexpected(filter.error());
  auto made = std::make_shared<Snapshot>();
  made->version = world_.version();
  made->of = of;
  made->objects = world_.list(*resource.kept_by_world, query.ns);
  if (!filter->everything()) {
    std::erase_if(made->objects, [&](const Ptr<Object>& one) { return !filter->matches(*one); });
  }
  return made;
}

Outcome<json::object> Cluster::list_kept(const Query& query, const Resource& resource) const {
  const auto filter = parse_filter(query, resource);
  if (!filter) return std::unexpected(filter.error());
  json::array items;
  for (json::object& object : shelf_.list(resource, query.ns)) {
    if (filter->matches(object)) items.push_back(std::move(object));
  }
  return list_object(resource, world_.version(), std::move(items));
}

}  // namespace spotkeeper::emulator
