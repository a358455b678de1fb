// SPDX-License-Identifier: Apache-2.0
// What all emulated objects have in common. Objects are immutable snapshots: a change makes a new
// one with a new version, and whoever holds the old one (a watch's event) keeps what it was.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/strong.h"
#include "world/labels.h"

namespace spotkeeper::world {

// Unique for ever, and the same for the same seed and history. Zero is nobody's.
struct Uid {
  uint64_t value = 0;

  std::string text() const;  // as a UUID
  // Zero for text that is no Uid of a world.
  static Uid parse(std::string_view text);
  auto operator<=>(const Uid&) const = default;
};

struct UidHash {
  size_t operator()(Uid uid) const { return static_cast<size_t>(uid.value); }
};

// What names an object of a kind; `ns` is empty for Node and Namespace.
struct Key {
  std::string ns;
  std::string name;

  std::string text() const { return ns.empty() ? name : ns + "/" + name; }
  bool operator==(const Key&) const = default;
  std::strong_ordering operator<=>(const Key& other) const {
    const std::strong_ordering spaces = compare_text(ns, other.ns);
    return spaces != std::strong_ordering::equal ? spaces : compare_text(name, other.name);
  }
};

// A Key in strings that somebody else holds: for looking up.
struct KeyView {
  std::string_view ns;
  std::string_view name;

  KeyView(std::string_view in, std::string_view named) : ns(in), name(named) {}
  KeyView(const Key& key) : ns(key.ns), name(key.name) {}
  Key copy() const { return {std::string(ns), std::string(name)}; }
  bool operator==(const KeyView&) const = default;
};

// Eight bytes at a time: keys are looked up at every change, and the standard library's hash of a
// string costs more than all the rest of that.
struct KeyHash {
  size_t operator()(const KeyView& key) const { return mix(mix(key.ns.size(), key.ns), key.name); }

 private:
  template <class Word>
  static uint64_t word_at(const char* from) {
    Word word = 0;
    std::memcpy(&word, from, sizeof(word));
    return word;
  }
  static uint64_t mix(uint64_t hash, std::string_view text) {
    constexpr size_t kWord = sizeof(uint64_t);
    constexpr size_t kHalf = sizeof(uint32_t);
    const auto take = [&hash](uint64_t word) {
      hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 32U;
    };
    const char* from = text.data();
    const char* const end = from + text.size();
    for (; end - from > static_cast<ptrdiff_t>(kWord); from += kWord) take(word_at<uint64_t>(from));
    if (text.size() >= kWord) {
      take(word_at<uint64_t>(end - kWord));  // may overlap the last one
    } else if (text.size() >= kHalf) {
      take(word_at<uint32_t>(from) | word_at<uint32_t>(end - kHalf) << 32U);
    } else {
      for (; from != end; ++from) take(static_cast<unsigned char>(*from));
    }
    return hash;
  }
};

enum class Kind : uint8_t {
  kNamespace,
  kNode,
  kPod,
  kReplicaSet,
  kDeployment,
  kStatefulSet,
  kDaemonSet,
  kJob,
  kBudget,
  kService,
  kEndpointSlice,
};
inline constexpr size_t kKinds = 11;

const char* kind_name(Kind kind);      // "PodDisruptionBudget"
const char* resource_name(Kind kind);  // "poddisruptionbudgets"
const char* api_version(Kind kind);    // "policy/v1"
bool is_namespaced(Kind kind);

// metadata.ownerReferences, of which an emulated object has at most one, the controller.
struct Owner {
  Kind kind = Kind::kReplicaSet;
  std::string name;
  Uid uid;
  bool operator==(const Owner&) const = default;
};

struct Meta {
  std::string ns;
  std::string name;
  Uid uid;                 // given by the world
  uint64_t version = 0;    // resourceVersion, given by the world
  int64_t generation = 0;  // given by the world: counts changes of the spec
  Time created{};          // creationTimestamp, given by the world
  // deletionTimestamp: when its grace is over. The API shows whole seconds of it.
  std::optional<Time> deletion;
  Seconds deletion_grace{0};  // deletionGracePeriodSeconds, when `deletion` is set
  Labels labels;
  Labels annotations;
  std::optional<Owner> owner;
  std::vector<std::string> finalizers;

  Key key() const { return {ns, name}; }
  KeyView view() const { return {ns, name}; }
  bool operator==(const Meta&) const = default;
};

// status.conditions[]: of pods, jobs, deployments, budgets.
struct Condition {
  std::string type;
  bool status = false;
  std::string reason;
  std::string message;
  Time since{};  // lastTransitionTime
  bool operator==(const Condition&) const = default;
};

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);
// The same in strings of somebody else's.
struct ConditionView {
  std::string_view type;
  bool status = false;
  std::string_view reason;
  std::string_view message;
  Time since{};
};
// Adds or replaces; `since` is kept where the status stays the same.
void set_condition(std::vector<Condition>& conditions, const ConditionView& condition);

// Base of all objects. Not polymorphic: `as<T>` after looking at `kind`.
struct Object {
  Kind kind;
  Meta meta;

  bool operator==(const Object&) const = default;

 protected:
  explicit Object(Kind k) : kind(k) {}
};

template <class T>
using Ptr = std::shared_ptr<const T>;

template <class T>
const T& as(const Object& object) {
  return static_cast<const T&>(object);
}

// A number or a share: "2", "25%".
struct IntOrPercent {
  int value = 0;
  bool percent = false;

  // Of a total; a share is rounded up or down.
  int of(int total, bool round_up) const;
  std::string text() const;
  bool operator==(const IntOrPercent&) const = default;
};

}  // namespace spotkeeper::world
