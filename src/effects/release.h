// SPDX-License-Identifier: Apache-2.0
// How a pod is taken out of its ReplicaSet and put back: the labels and annotations that do it.
// Changing its pod-template-hash makes the ReplicaSet let go of it and start another; Services and
// budgets, whose selectors do not name that label, still count it. Pure.
// Source: docs/design.md, rule 6; tried on Kubernetes 1.34.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "core/notice.h"
#include "core/rules.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

inline constexpr const char* kReleasedLabel = "spotkeeper.io/released";
inline constexpr const char* kHashAnnotation = "spotkeeper.io/released-hash";
inline constexpr const char* kOwnerAnnotation = "spotkeeper.io/released-from";
inline constexpr const char* kNoticeAnnotation = "spotkeeper.io/notice";
inline constexpr const char* kModeAnnotation = "spotkeeper.io/drain";
inline constexpr const char* kEnoughGraceAnnotation = "spotkeeper.io/enough-grace";

// Where a pod belongs that is, or was until its release, a Deployment's.
struct Place {
  std::string hash;         // its pod-template-hash, as its ReplicaSet gave it
  std::string replica_set;  // "web-7d9f"
  std::string deployment;   // "web"

  bool operator==(const Place&) const = default;
};

// Nothing when no Deployment's ReplicaSet owns it, or owned it before its release.
std::optional<Place> place_of(const kube::Pod& pod);

// What nobody but the pod itself says against handing it over; empty: nothing does. Its volume
// claims are not looked at here.
std::string hand_over_obstacle(const kube::Pod& pod);

// The metadata that releases it, for a merge patch: label, marks, the early word, and for Argo CD
// that it is neither pruned nor out of sync.
boost::json::object release_metadata(const kube::Pod& pod, const Place& place,
                                     const core::Notice& notice);

// … and that takes all of this back.
boost::json::object put_back_metadata(const kube::Pod& pod, const Place& place);

// The early word: {"kind":"SpotInterruption","deadline":"2026-11-21T10:02:00Z"}; deadline null
// when there is none.
std::string notice_word(const core::Notice& notice);

// What the pod's annotations wish. Words that are none are ignored.
core::Treatment wish_of(const kube::Pod& pod);

}  // namespace spotkeeper::effects
