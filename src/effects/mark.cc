// SPDX-License-Identifier: Apache-2.0
#include "effects/mark.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <map>
#include <set>

#include "base/json.h"

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

constexpr size_t kLabelValueMost = 63;
constexpr const char* kNthPrefix = "aws-node-termination-handler/";

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

// Keys of the taints, or labels, that were added by us.
std::set<std::string> ours_of(const json::object& record, const char* what) {
  std::set<std::string> keys;
  const json::value* list = record.if_contains(what);
  if (list == nullptr || !list->is_array()) return keys;
  for (const json::value& key : list->as_array()) {
    if (key.is_string()) keys.insert(std::string(key.as_string()));
  }
  return keys;
}

// What the mark wants the node to bear.
std::vector<kube::Taint> wanted_taints(const Mark& mark) {
  std::vector<kube::Taint> taints;
  if (mark.extras.soft) {
    return {{.key = taint_key(mark.notice.kind),
             .value = taint_value(mark.notice.id),
             .effect = "PreferNoSchedule"}};
  }
  // A change of state has no taint of NTH's, and users' tolerations know none.
  if (mark.taint && mark.notice.kind != core::NoticeKind::kStateChange) {
    taints.push_back({.key = taint_key(mark.notice.kind),
                      .value = taint_value(mark.notice.id),
                      .effect = mark.extras.no_execute ? "NoExecute" : mark.taint_effect});
  }
  if (mark.extras.out_of_service) {
    taints.push_back({.key = kOutOfServiceTaint, .value = "nodeshutdown", .effect = "NoExecute"});
  }
  return taints;
}

// The node's taints with those that are wanted, and the keys of those that are new. One that
// somebody else has put there stays as it is; ours may have to change its effect.
struct Tainted {
  std::vector<kube::Taint> taints;
  std::set<std::string> added;
  bool changed = false;
};

Tainted tainted(const kube::Node& node, const Mark& mark) {
  Tainted result{.taints = node.taints, .added = {}, .changed = false};
  const std::set<std::string> ours = ours_of(earlier_record(node), "taints");
  for (const kube::Taint& wanted : wanted_taints(mark)) {
    const auto found = std::ranges::find(result.taints, wanted.key, &kube::Taint::key);
    if (found == result.taints.end()) {
      result.taints.push_back(wanted);
      result.added.insert(wanted.key);
      result.changed = true;
    } else if (wanted.effect == "NoExecute" && found->effect != wanted.effect &&
               ours.contains(wanted.key)) {
      found->effect = wanted.effect;
      result.changed = true;
    }
  }
  return result;
}

bool adds_exclusion(const kube::Node& node, const Mark& mark) {
  return mark.extras.exclude_from_load_balancers && !node.labels.contains(kExcludeLabel);
}

// Cordoned by NTH, which says so: what we go on with is ours as if we had begun it.
bool cordoned_by_nth(const kube::Node& node) {
  const auto label = node.labels.find(kActionLabel);
  return label != node.labels.end() && label->second == kUncordonAfterReboot &&
         !node.annotations.contains(kStateAnnotation);
}

bool restarts_host(const core::Notice& notice) {
  return notice.kind == core::NoticeKind::kScheduledEvent &&
         (notice.detail == "instance-stop" || notice.detail == "instance-retirement" ||
          notice.detail == "instance-reboot" || notice.detail == "system-reboot");
}

// The labels that the mark adds or changes. `cordons`: the cordon is ours.
std::map<std::string, std::string> wanted_labels(const kube::Node& node, const Mark& mark,
                                                 bool cordons) {
  std::map<std::string, std::string> labels;
  if (adds_exclusion(node, mark)) labels[kExcludeLabel] = kExcludeValue;
  if (!restarts_host(mark.notice)) return labels;
  const std::string id = taint_value(mark.notice.id);
  const auto bears = node.labels.find(kEventIdLabel);
  const bool same = bears != node.labels.end() && bears->second == id;
  if (!same) labels[kEventIdLabel] = id;
  const bool timed = node.labels.contains(kActionLabel) && node.labels.contains(kActionTimeLabel);
  if (cordons && (!same || !timed)) {
    labels[kActionLabel] = kUncordonAfterReboot;
    labels[kActionTimeLabel] =
        std::to_string(std::chrono::floor<Seconds>(mark.started).time_since_epoch().count());
  }
  return labels;
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

bool cordons(const kube::Node& node, const Mark& mark) {
  if (flag(earlier_record(node), "cordoned") || cordoned_by_nth(node)) return true;
  return !node.unschedulable && !mark.extras.soft;
}

json::object record_of(const kube::Node& node, const Mark& mark,
                       const std::set<std::string>& added_taints) {
  json::object earlier = earlier_record(node);
  json::object holder{{"id", mark.holder}, {"renewed", format_time(mark.started)}};
  const bool of_a_notice = !noted(earlier, "id").empty() && !is_manual(earlier);
  if (mark.notice.kind == core::NoticeKind::kManual && of_a_notice) {
    if (!mark.holder.empty()) earlier["holder"] = std::move(holder);
    return earlier;
  }
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
  record["cordoned"] = cordons(node, mark);
  std::set<std::string> taints = ours_of(earlier, "taints");
  std::set<std::string> labels = ours_of(earlier, "labels");
  if (cordoned_by_nth(node)) {
    for (const kube::Taint& taint : node.taints) {
      if (taint.key.starts_with(kNthPrefix)) taints.insert(taint.key);
    }
    for (const char* label : {kEventIdLabel, kActionLabel, kActionTimeLabel}) labels.insert(label);
  }
  taints.insert(added_taints.begin(), added_taints.end());
  record["taints"] = json::array(taints.begin(), taints.end());
  for (const auto& [key, value] : wanted_labels(node, mark, cordons(node, mark))) {
    labels.insert(key);
  }
  if (!labels.empty()) record["labels"] = json::array(labels.begin(), labels.end());
  if (!mark.holder.empty()) record["holder"] = std::move(holder);
  return record;
}

}  // namespace

json::array taints_json(const std::vector<kube::Taint>& all, const std::set<std::string>& without) {
  json::array taints;
  for (const kube::Taint& taint : all) {
    if (without.contains(taint.key)) continue;
    json::object same{{"key", taint.key}, {"effect", taint.effect}};
    if (!taint.value.empty()) same["value"] = taint.value;
    if (!taint.time_added.empty()) same["timeAdded"] = taint.time_added;
    taints.emplace_back(std::move(same));
  }
  return taints;
}

std::string taint_key(core::NoticeKind kind) {
  const std::string prefix = kNthPrefix;
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
  const auto alnum = [](unsigned char c) { return c < 0x80 && std::isalnum(c) != 0; };
  std::string value = id.value.substr(0, kLabelValueMost);
  for (char& c : value) {
    if (!alnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '-';
  }
  while (!value.empty() && !alnum(static_cast<unsigned char>(value.back()))) value.pop_back();
  while (!value.empty() && !alnum(static_cast<unsigned char>(value.front()))) value.erase(0, 1);
  return value;
}

std::optional<core::Notice> recorded_notice(const kube::Node& node) {
  const json::object record = earlier_record(node);
  const std::optional<core::NoticeKind> kind = core::parse_kind(noted(record, "kind"));
  core::Notice notice;
  notice.id = core::NoticeId(noted(record, "id"));
  if (notice.id.empty() || !kind) return std::nullopt;
  notice.kind = *kind;
  notice.source = noted(record, "source");
  if (!parse_time(noted(record, "deadline"), notice.deadline)) notice.deadline = kNever;
  return notice;
}

std::optional<Time> recorded_start(const kube::Node& node) {
  const json::value record = earlier_record(node);
  Time started{};
  if (!parse_time(text_at(record, {"started"}), started)) return std::nullopt;
  return started;
}

std::optional<Holder> recorded_holder(const kube::Node& node) {
  const json::value record = earlier_record(node);
  const std::string id = text_at(record, {"holder", "id"});
  if (id.empty()) return std::nullopt;
  return Holder{.id = id, .renewed = text_at(record, {"holder", "renewed"})};
}

std::optional<json::value> mark_patch(const kube::Node& node, const Mark& mark) {
  const Tainted taints = tainted(node, mark);
  const std::map<std::string, std::string> labels = wanted_labels(node, mark, cordons(node, mark));
  const bool closes = !node.unschedulable && !mark.extras.soft;
  const std::string record = json::serialize(record_of(node, mark, taints.added));
  const auto found = node.annotations.find(kStateAnnotation);
  const bool recorded = found != node.annotations.end() && found->second == record;
  if (!closes && !taints.changed && labels.empty() && recorded) return std::nullopt;

  json::object spec;
  if (closes) spec["unschedulable"] = true;
  if (taints.changed) spec["taints"] = taints_json(taints.taints, {});
  json::object metadata{{"resourceVersion", node.resource_version},
                        {"annotations", json::object{{kStateAnnotation, record}}}};
  if (!labels.empty()) {
    json::object set;
    for (const auto& [key, value] : labels) set[key] = value;
    metadata["labels"] = std::move(set);
  }
  json::object patch;
  patch["metadata"] = std::move(metadata);
  if (!spec.empty()) patch["spec"] = std::move(spec);
  return patch;
}

std::optional<json::value> release_patch(const kube::Node& node, const std::string& holder) {
  const std::optional<Holder> recorded = recorded_holder(node);
  if (!recorded || recorded->id != holder) return std::nullopt;
  json::object record = earlier_record(node);
  record.erase("holder");
  json::object metadata{{"resourceVersion", node.resource_version},
                        {"annotations", json::object{{kStateAnnotation, json::serialize(record)}}}};
  return json::object{{"metadata", std::move(metadata)}};
}

std::string mark_remark(const kube::Node& before, const Mark& mark) {
  std::string remark =
      mark.extras.soft ? "not cordoned, but other nodes are preferred" : "cordoned";
  if (before.unschedulable) {
    remark = before.annotations.contains(kStateAnnotation)
                 ? "was cordoned by us before"
                 : "was cordoned already by somebody else, which stays theirs";
  }
  const Tainted taints = tainted(before, mark);
  for (const kube::Taint& taint : wanted_taints(mark)) {
    const bool added = taints.added.contains(taint.key);
    remark += (added ? "; tainted " : "; has taint ") + taint.key;
    if (taint.effect == "NoExecute") remark += ":" + taint.effect;
  }
  if (adds_exclusion(before, mark)) remark += "; excluded from load balancers";
  if (wanted_labels(before, mark, cordons(before, mark)).contains(kActionLabel)) {
    remark += "; labelled to be uncordoned after its reboot";
  }
  return remark;
}

std::string keeps_mark(const kube::Node& node, const std::vector<core::NoticeId>& takers,
                       Time now) {
  const json::object record = earlier_record(node);
  const std::string id = noted(record, "id");
  if (id.empty() || std::ranges::find(takers, core::NoticeId(id)) != takers.end()) return {};
  if (!takers.empty()) return "stays marked by " + id;
  Time deadline{};
  const bool ahead = parse_time(noted(record, "deadline"), deadline) && deadline > now;
  if (is_manual(record) || !ahead) return {};
  return "stays marked: " + noted(record, "kind") + " " + id + " ends it at " +
         format_time_s(deadline);
}

std::optional<json::value> undo_patch(const kube::Node& node) {
  if (!node.annotations.contains(kStateAnnotation)) return std::nullopt;
  const json::object record = earlier_record(node);
  const std::set<std::string> ours = ours_of(record, "taints");
  json::object spec;
  if (flag(record, "cordoned") && node.unschedulable) spec["unschedulable"] = nullptr;
  if (std::any_of(ours.begin(), ours.end(),
                  [&](const std::string& key) { return has_taint(node, key); })) {
    spec["taints"] = taints_json(node.taints, ours);
  }
  json::object metadata{{"resourceVersion", node.resource_version},
                        {"annotations", json::object{{kStateAnnotation, nullptr}}}};
  json::object labels;
  for (const std::string& key : ours_of(record, "labels")) {
    if (node.labels.contains(key)) labels[key] = nullptr;
  }
  if (!labels.empty()) metadata["labels"] = std::move(labels);
  json::object patch;
  patch["metadata"] = std::move(metadata);
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
  for (const std::string& key : ours_of(record, "taints")) {
    if (has_taint(before, key)) remark += "; removed taint " + key;
  }
  for (const std::string& key : ours_of(record, "labels")) {
    if (before.labels.contains(key)) remark += "; removed label " + key;
  }
  return remark;
}

}  // namespace spotkeeper::effects
