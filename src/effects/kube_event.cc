// SPDX-License-Identifier: Apache-2.0
#include "effects/kube_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

constexpr const char* kComponent = "aws-node-termination-handler";
constexpr const char* kNoNamespace = "default";
constexpr size_t kLongestMessage = 1024;  // the API's own limit
constexpr size_t kLongestSubject = 230;   // so that its number has room in 253

// At most so many bytes, and no character cut in two.
std::string cut(std::string text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

}  // namespace

KubeEvent about_node(const std::string& node, std::string reason, std::string message) {
  return {.kind = "Node",
          .ns = {},
          .name = node,
          .uid = node,
          .reason = std::move(reason),
          .message = std::move(message)};
}

KubeEvent about_pod(const kube::Pod& pod, std::string reason, std::string message) {
  return {.kind = "Pod",
          .ns = pod.ns,
          .name = pod.name,
          .uid = pod.uid,
          .reason = std::move(reason),
          .message = std::move(message)};
}

EventBook::Key EventBook::key_of(const KubeEvent& event) {
  return {event.kind + "/" + event.ns + "/" + event.name, event.uid, event.reason, event.message};
}

EventWrite EventBook::write(const KubeEvent& event, Time now) {
  const std::string ns = event.ns.empty() ? kNoNamespace : event.ns;
  const std::string at = format_time_s(now);
  const Key key = key_of(event);
  if (const auto found = known_.find(key); found != known_.end()) {
    ++found->second.count;
    return {.ns = ns,
            .name = found->second.name,
            .again = true,
            .body = {{"count", found->second.count}, {"lastTimestamp", at}}};
  }
  EventWrite write{.ns = ns,
                   .name = fmt::format("{}.{:x}{:04x}", cut(event.name, kLongestSubject),
                                       now.time_since_epoch().count(), number_++ & 0xffffU)};
  json::object annotations;
  for (const auto& [name, value] : event.annotations) annotations[name] = value;
  json::object about{
      {"apiVersion", "v1"}, {"kind", event.kind}, {"name", event.name}, {"uid", event.uid}};
  if (!event.ns.empty()) about["namespace"] = event.ns;
  write.body = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"name", write.name}, {"namespace", ns}, {"annotations", annotations}}},
      {"involvedObject", about},
      {"reason", event.reason},
      {"message", cut(event.message, kLongestMessage)},
      {"type", event.warning ? "Warning" : "Normal"},
      {"source", {{"component", kComponent}, {"host", host_}}},
      {"reportingComponent", kComponent},
      {"reportingInstance", host_},
      {"firstTimestamp", at},
      {"lastTimestamp", at},
      {"count", 1}};
  known_[key] = Known{.name = write.name};
  order_.push_back(key);
  if (order_.size() > kMost) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return write;
}

void EventBook::forget(const KubeEvent& event) {
  const Key key = key_of(event);
  if (known_.erase(key) != 0) std::erase(order_, key);
}

}  // namespace spotkeeper::effects
