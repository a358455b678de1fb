// SPDX-License-Identifier: Apache-2.0
#include "world/objects.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "world/random.h"

namespace spotkeeper::world {
namespace {

struct KindRow {
  const char* name;
  const char* resource;
  const char* api_version;
};
constexpr std::array<KindRow, kKinds> kKindRows = {{
    {"Namespace", "namespaces", "v1"},
    {"Node", "nodes", "v1"},
    {"Pod", "pods", "v1"},
    {"ReplicaSet", "replicasets", "apps/v1"},
    {"Deployment", "deployments", "apps/v1"},
    {"StatefulSet", "statefulsets", "apps/v1"},
    {"DaemonSet", "daemonsets", "apps/v1"},
    {"Job", "jobs", "batch/v1"},
    {"PodDisruptionBudget", "poddisruptionbudgets", "policy/v1"},
    {"Service", "services", "v1"},
    {"EndpointSlice", "endpointslices", "discovery.k8s.io/v1"},
}};

const KindRow& row(Kind kind) {
  return kKindRows.at(static_cast<size_t>(kind));
}

// Where the number stands in a Uid's text.
constexpr size_t kUidDigits = 12;
constexpr size_t kUidLength = 36;

// The last digits of a number.
void put_hex(std::string& text, size_t at, size_t digits, uint64_t number) {
  for (size_t i = at + digits; i > at; number >>= 4U) text[--i] = "0123456789abcdef"[number & 0xFU];
}

}  // namespace

const char* kind_name(Kind kind) {
  return row(kind).name;
}
const char* resource_name(Kind kind) {
  return row(kind).resource;
}
const char* api_version(Kind kind) {
  return row(kind).api_version;
}
bool is_namespaced(Kind kind) {
  return kind != Kind::kNamespace && kind != Kind::kNode;
}

std::string Uid::text() const {
  const uint64_t noise = Random::mix(value);
  std::string text = "00000000-0000-4000-8000-000000000000";
  put_hex(text, 0, 8, noise >> 32U);
  put_hex(text, 9, 4, noise >> 16U);
  put_hex(text, 15, 3, noise >> 8U);
  put_hex(text, 20, 3, noise);
  put_hex(text, 24, kUidDigits, value);
  return text;
}

Uid Uid::parse(std::string_view text) {
  if (text.size() != kUidLength) return {};
  const std::string_view digits = text.substr(kUidLength - kUidDigits);
  Uid uid;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), uid.value, 16);
  if (end.ptr != digits.data() + digits.size() || uid.text() != text) return {};
  return uid;
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

void set_condition(std::vector<Condition>& conditions, const ConditionView& condition) {
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  if (found == conditions.end()) {
    conditions.push_back({.type = std::string(condition.type),
                          .status = condition.status,
                          .reason = std::string(condition.reason),
                          .message = std::string(condition.message),
                          .since = condition.since});
    return;
  }
  if (found->status != condition.status) found->since = condition.since;
  found->status = condition.status;
  found->reason = condition.reason;
  found->message = condition.message;
}

int IntOrPercent::of(int total, bool round_up) const {
  if (!percent) return value;
  const int hundredfold = value * total;
  return round_up ? (hundredfold + 99) / 100 : hundredfold / 100;
}

std::string IntOrPercent::text() const {
  return std::to_string(value) + (percent ? "%" : "");
}

bool Toleration::tolerates(const Taint& taint) const {
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  return !key.empty() && value == taint.value;
}

const char* to_string(RestartPolicy policy) {
  switch (policy) {
    case RestartPolicy::kAlways:
      return "Always";
    case RestartPolicy::kOnFailure:
      return "OnFailure";
    case RestartPolicy::kNever:
      return "Never";
  }
  return "Always";
}

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::kPending:
      return "Pending";
    case Phase::kRunning:
      return "Running";
    case Phase::kSucceeded:
      return "Succeeded";
    case Phase::kFailed:
      return "Failed";
  }
  return "Unknown";
}

const std::shared_ptr<const PodSpec>& default_spec() {
  static const std::shared_ptr<const PodSpec> spec = std::make_shared<PodSpec>();
  return spec;
}

bool PodTemplate::operator==(const PodTemplate& other) const {
  return labels == other.labels && annotations == other.annotations &&
         (spec == other.spec || *spec == *other.spec);
}

bool Pod::ready() const {
  const Condition* condition = find_condition(status.conditions, "Ready");
  return condition != nullptr && condition->status;
}

bool Job::over() const {
  return std::ranges::any_of(status.conditions, [](const Condition& condition) {
    return condition.status && (condition.type == "Complete" || condition.type == "Failed");
  });
}

bool Budget::covers(const Pod& pod) const {
  return meta.ns == pod.meta.ns && spec.selector && spec.selector->matches(pod.meta.labels);
}

int EndpointSlice::ready() const {
  return static_cast<int>(std::ranges::count_if(endpoints, &Endpoint::ready));
}

}  // namespace spotkeeper::world
