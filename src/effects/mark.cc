// SPDX-License-Identifier: Apache-2.0
#include "effects/mark.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

constexpr size_t kLabelValueMost = 63;

bool has_taint(const kube::Node& node, const std::string& key) {
  return std::any_of(node.taints.begin(), node.taints.end(),
                     [&](const kube::Taint& taint) { return taint.key == key; });
}

// What an earlier life of ours wrote; an empty object when there is nothing of ours.
json::object earlier_record(const kube::Node& node) {
  const auto found = node.annotations.find(kStateAnnotation);
  if (found == node.annotations.end()) return {};
  boost::system::error_code error;
  json::value value = json::parse(found->second, error);
  return !error && value.is_object() ? value.as_object() : json::object();
}

bool flag(const json::object& record, const char* key) {
  const json::value* value = record.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

// Keys of the taints that were added by us.
std::set<std::string> our_taints(const json::object& record) {
  std::set<std::string> keys;
  const json::value* taints = record.if_contains("taints");
  if (taints == nullptr || !taints->is_array()) return keys;
  for (const json::value& key : taints->as_array()) {
    if (key.is_string()) keys.insert(std::string(key.as_string()));
  }
  return keys;
}

std::string noted(const json::object& record, const char* key) {
  const json::value* notice = record.if_contains("notice");
  if (notice == nullptr || !notice->is_object()) return {};
  const json::value* value = notice->as_object().if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

bool is_manual(const json::object& record) {
  return noted(record, "kind") == core::to_string(core::NoticeKind::kManual);
}

// Of this notice; a record of an earlier notice began at another time.
std::string started_of(const json::object& earlier, const Mark& mark) {
  const json::value* started = earlier.if_contains("started");
  const bool same = noted(earlier, "id") == mark.notice.id.value;
  if (same && started != nullptr && started->is_string()) return std::string(started->as_string());
  return format_time(mark.started);
}

json::object record_of(const kube::Node& node, const Mark& mark, bool adds_taint) {
  const json::object earlier = earlier_record(node);
  const bool of_a_notice = !noted(earlier, "id").empty() && !is_manual(earlier);
  if (mark.notice.kind == core::NoticeKind::kManual && of_a_notice) return earlier;
  json::object notice;
  notice["id"] = mark.notice.id.value;
  notice["kind"] = core::to_string(mark.notice.kind);
  notice["deadline"] = nullptr;
  if (mark.notice.deadline != kNever) notice["deadline"] = format_time_s(mark.notice.deadline);
  notice["source"] = mark.notice.source;
  json::object record;
  record["v"] = 1;
  record["notice"] = std::move(notice);
  record["started"] = started_of(earlier, mark);
  record["cordoned"] = !node.unschedulable || flag(earlier, "cordoned");
  std::set<std::string> ours = our_taints(earlier);
  if (adds_taint) ours.insert(taint_key(mark.notice.kind));
  record["taints"] = json::array(ours.begin(), ours.end());
  return record;
}

// The node's taints as a patch has to repeat them, but for those of `without`.
json::array taints_of(const kube::Node& node, const std::set<std::string>& without) {
  json::array taints;
  for (const kube::Taint& taint : node.taints) {
    if (without.contains(taint.key)) continue;
    json::object same{{"key", taint.key}, {"effect", taint.effect}};
    if (!taint.value.empty()) same["value"] = taint.value;
    if (!taint.time_added.empty()) same["timeAdded"] = taint.time_added;
    taints.emplace_back(std::move(same));
  }
  return taints;
}

json::array taints_with(const kube::Node& node, const Mark& mark) {
  json::array taints = taints_of(node, {});
  taints.emplace_back(json::object{{"key", taint_key(mark.notice.kind)},
                                   {"value", taint_value(mark.notice.id)},
                                   {"effect", mark.taint_effect}});
  return taints;
}

}  // namespace

std::string taint_key(core::NoticeKind kind) {
  const std::string prefix = "aws-node-termination-handler/";
  switch (kind) {
    case core::NoticeKind::kRebalanceRecommendation:
      return prefix + "rebalance-recommendation";
    case core::NoticeKind::kScheduledEvent:
      return prefix + "scheduled-maintenance";
    case core::NoticeKind::kAsgTermination:
    case core::NoticeKind::kAsgLaunch:
      return prefix + "asg-lifecycle-termination";
    case core::NoticeKind::kSpotInterruption:
    case core::NoticeKind::kStateChange:
    case core::NoticeKind::kCapacityReservationInterruption:
    case core::NoticeKind::kManual:
      return prefix + "spot-itn";
  }
  return prefix + "spot-itn";
}

std::string taint_value(const core::NoticeId& id) {
  return id.value.substr(0, kLabelValueMost);
}

std::optional<json::value> mark_patch(const kube::Node& node, const Mark& mark) {
  const bool adds_taint = mark.taint && !has_taint(node, taint_key(mark.notice.kind));
  const std::string record = json::serialize(record_of(node, mark, adds_taint));
  const auto found = node.annotations.find(kStateAnnotation);
  const bool recorded = found != node.annotations.end() && found->second == record;
  if (node.unschedulable && !adds_taint && recorded) return std::nullopt;

  json::object spec;
  if (!node.unschedulable) spec["unschedulable"] = true;
  if (adds_taint) spec["taints"] = taints_with(node, mark);
  json::object patch;
  patch["metadata"] = json::object{{"resourceVersion", node.resource_version},
                                   {"annotations", json::object{{kStateAnnotation, record}}}};
  if (!spec.empty()) patch["spec"] = std::move(spec);
  return patch;
}

std::string mark_remark(const kube::Node& before, const Mark& mark) {
  std::string remark = "cordoned";
  if (before.unschedulable) {
    remark = before.annotations.contains(kStateAnnotation)
                 ? "was cordoned by us before"
                 : "was cordoned already by somebody else, which stays theirs";
  }
  if (!mark.taint) return remark;
  const std::string key = taint_key(mark.notice.kind);
  return remark + (has_taint(before, key) ? "; has taint " : "; tainted ") + key;
}

std::string keeps_mark(const kube::Node& node, const core::NoticeId& taker, Time now) {
  const json::object record = earlier_record(node);
  const std::string id = noted(record, "id");
  if (id.empty() || id == taker.value) return {};
  if (!taker.empty()) return "stays marked by " + id;
  Time deadline{};
  const bool ahead = parse_time(noted(record, "deadline"), deadline) && deadline > now;
  if (is_manual(record) || !ahead) return {};
  return "stays marked: " + noted(record, "kind") + " " + id + " ends it at " +
         format_time_s(deadline);
}

std::optional<json::value> undo_patch(const kube::Node& node) {
  if (!node.annotations.contains(kStateAnnotation)) return std::nullopt;
  const json::object record = earlier_record(node);
  const std::set<std::string> ours = our_taints(record);
  json::object spec;
  if (flag(record, "cordoned") && node.unschedulable) spec["unschedulable"] = nullptr;
  if (std::any_of(ours.begin(), ours.end(),
                  [&](const std::string& key) { return has_taint(node, key); })) {
    spec["taints"] = taints_of(node, ours);
  }
  json::object patch;
  patch["metadata"] = json::object{{"resourceVersion", node.resource_version},
                                   {"annotations", json::object{{kStateAnnotation, nullptr}}}};
  if (!spec.empty()) patch["spec"] = std::move(spec);
  return patch;
}

std::string undo_remark(const kube::Node& before) {
  const json::object record = earlier_record(before);
  std::string remark = "uncordoned";
  if (!before.unschedulable) {
    remark = "somebody else has uncordoned it";
  } else if (!flag(record, "cordoned")) {
    remark = "stays cordoned, which was not us";
  }
  for (const std::string& key : our_taints(record)) {
    if (has_taint(before, key)) remark += "; removed taint " + key;
  }
  return remark;
}

}  // namespace spotkeeper::effects
