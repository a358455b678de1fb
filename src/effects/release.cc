// SPDX-License-Identifier: Apache-2.0
#include "effects/release.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "kube/workloads.h"

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

// Argo CD prunes what bears an application's tracking label and nobody owns.
constexpr std::array<std::pair<const char*, const char*>, 2> kArgo{
    {{"argocd.argoproj.io/sync-options", "Prune=false"},
     {"argocd.argoproj.io/compare-options", "IgnoreExtraneous"}}};

std::string value_of(const Labels& labels, const std::string& key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

}  // namespace

std::optional<Place> place_of(const kube::Pod& pod) {
  const bool released = pod.labels.contains(kReleasedLabel);
  Place place;
  if (released) {
    place.hash = value_of(pod.annotations, kHashAnnotation);
    place.replica_set = value_of(pod.annotations, kOwnerAnnotation);
  } else if (pod.owner && pod.owner->kind == "ReplicaSet") {
    place.hash = value_of(pod.labels, kube::kHashLabel);
    place.replica_set = pod.owner->name;
  }
  // The Deployment controller names its ReplicaSets so.
  const std::string tail = "-" + place.hash;
  if (place.hash.empty() || !place.replica_set.ends_with(tail)) return std::nullopt;
  place.deployment = place.replica_set.substr(0, place.replica_set.size() - tail.size());
  if (place.deployment.empty()) return std::nullopt;
  return place;
}

std::string hand_over_obstacle(const kube::Pod& pod) {
  if (pod.tolerates_cordon) return "it tolerates the cordon: its replacement would land here";
  if (pod.host_port) return "it has a port of the host, which its replacement may not find free";
  return {};
}

json::object release_metadata(const kube::Pod& pod, const Place& place,
                              const core::Notice& notice) {
  json::object labels;
  labels[kube::kHashLabel] = place.hash + "-released";
  labels[kReleasedLabel] = "true";
  json::object notes;
  notes[kHashAnnotation] = place.hash;
  notes[kOwnerAnnotation] = place.replica_set;
  notes[kNoticeAnnotation] = notice_word(notice);
  for (const auto& [key, value] : kArgo) {
    if (!pod.annotations.contains(key)) notes[key] = value;
  }
  return json::object{{"labels", std::move(labels)}, {"annotations", std::move(notes)}};
}

json::object put_back_metadata(const kube::Pod& pod, const Place& place) {
  json::object labels;
  labels[kube::kHashLabel] = place.hash;
  labels[kReleasedLabel] = nullptr;
  json::object notes;
  for (const char* key : {kHashAnnotation, kOwnerAnnotation}) notes[key] = nullptr;
  for (const auto& [key, value] : kArgo) {
    if (value_of(pod.annotations, key) == value) notes[key] = nullptr;
  }
  return json::object{{"labels", std::move(labels)}, {"annotations", std::move(notes)}};
}

std::string notice_word(const core::Notice& notice) {
  json::object word;
  word["kind"] = core::to_string(notice.kind);
  word["deadline"] = nullptr;
  if (notice.deadline != kNever) word["deadline"] = format_time_s(notice.deadline);
  return json::serialize(word);
}

core::Treatment wish_of(const kube::Pod& pod) {
  core::Treatment wish;
  wish.mode = core::mode_of(value_of(pod.annotations, kModeAnnotation));
  wish.enough_grace = core::enough_grace_of(value_of(pod.annotations, kEnoughGraceAnnotation));
  return wish;
}

}  // namespace spotkeeper::effects
