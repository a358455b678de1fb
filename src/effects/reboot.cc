// SPDX-License-Identifier: Apache-2.0
#include "effects/reboot.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <set>
#include <utility>

#include "effects/node_book.h"

namespace spotkeeper::effects {
namespace {

namespace json = boost::json;

// By a record of ours.
std::optional<core::NoticeId> recorded_before(const kube::Node& node, const Boot& boot) {
  const std::optional<core::Notice> notice = recorded_notice(node);
  const std::optional<Time> started = recorded_start(node);
  if (!notice || !started || boot.now - *started < boot.uptime) return std::nullopt;
  using Kind = core::NoticeKind;
  if (notice->kind == Kind::kManual || notice->kind == Kind::kRebalanceRecommendation) {
    return std::nullopt;
  }
  // Before its time it was not what AWS announced that booted the host.
  const bool any_time = notice->kind == Kind::kScheduledEvent && notice->deadline == kNever;
  if (!any_time && notice->deadline > boot.now) return std::nullopt;
  return notice->id;
}

// By NTH's labels alone.
std::optional<core::NoticeId> labelled_before(const kube::Node& node, const Boot& boot) {
  const bool ours = node.annotations.contains(kStateAnnotation);
  const std::string id = label_of(node, kEventIdLabel);
  if (!boot.nth_labels || ours || id.empty()) return std::nullopt;
  if (label_of(node, kActionLabel) != kUncordonAfterReboot) return std::nullopt;
  const std::string since = label_of(node, kActionTimeLabel);
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(since.data(), since.data() + since.size(), seconds);
  const bool number = error == std::errc() && end == since.data() + since.size();
  const int64_t now = std::chrono::floor<Seconds>(boot.now).time_since_epoch().count();
  if (!number || seconds < 0 || now - seconds < boot.uptime.count()) return std::nullopt;
  return core::NoticeId(id);
}

std::set<std::string> nth_taints_of(const kube::Node& node) {
  std::set<std::string> keys;
  for (const core::NoticeKind kind : core::all_kinds()) {
    const std::string key = taint_key(kind);
    if (std::ranges::find(node.taints, key, &kube::Taint::key) != node.taints.end()) {
      keys.insert(key);
    }
  }
  return keys;
}

bool has_taint(const kube::Node& node, const std::string& key) {
  return std::ranges::find(node.taints, key, &kube::Taint::key) != node.taints.end();
}

}  // namespace

std::optional<core::NoticeId> event_before_boot(const kube::Node& node, const Boot& boot) {
  if (auto event = recorded_before(node, boot)) return event;
  return labelled_before(node, boot);
}

std::optional<json::value> reboot_patch(const kube::Node& node, const Boot& boot) {
  if (!event_before_boot(node, boot)) return std::nullopt;
  if (node.annotations.contains(kStateAnnotation)) return undo_patch(node);
  json::object labels;
  for (const char* key : {kEventIdLabel, kActionLabel, kActionTimeLabel}) {
    if (node.labels.contains(key)) labels[key] = nullptr;
  }
  json::object spec;
  if (node.unschedulable) spec["unschedulable"] = nullptr;
  const std::set<std::string> gone =
      boot.nth_taints ? nth_taints_of(node) : std::set<std::string>();
  if (!gone.empty()) spec["taints"] = taints_json(node.taints, gone);
  json::object patch{{"metadata", json::object{{"resourceVersion", node.resource_version},
                                               {"labels", std::move(labels)}}}};
  if (!spec.empty()) patch["spec"] = std::move(spec);
  return patch;
}

std::string reboot_remark(const kube::Node& node, const Boot& boot) {
  if (!event_before_boot(node, boot)) return {};
  if (node.annotations.contains(kStateAnnotation)) return undo_remark(node);
  std::string remark = node.unschedulable ? "uncordoned, by the labels that NTH has left"
                                          : "somebody else has uncordoned it; NTH's labels removed";
  if (!boot.nth_taints) return remark;
  for (const std::string& key : nth_taints_of(node)) remark += "; removed taint " + key;
  return remark;
}

std::optional<json::value> description_patch(const kube::Node& node, const Labels& labels,
                                             const std::vector<kube::Taint>& taints) {
  json::object set;
  for (const auto& [key, value] : labels) {
    const auto bears = node.labels.find(key);
    if (bears == node.labels.end() || bears->second != value) set[key] = value;
  }
  std::vector<kube::Taint> all = node.taints;
  for (const kube::Taint& taint : taints) {
    if (!has_taint(node, taint.key)) all.push_back(taint);
  }
  if (set.empty() && all.size() == node.taints.size()) return std::nullopt;
  json::object metadata{{"resourceVersion", node.resource_version}};
  if (!set.empty()) metadata["labels"] = std::move(set);
  json::object patch{{"metadata", std::move(metadata)}};
  if (all.size() != node.taints.size()) {
    patch["spec"] = json::object{{"taints", taints_json(all, {})}};
  }
  return patch;
}

std::string description_remark(const kube::Node& node, const Labels& labels,
                               const std::vector<kube::Taint>& taints) {
  if (!description_patch(node, labels, taints)) return {};
  std::string remark;
  for (const auto& [key, value] : labels) remark += "labelled " + key + "=" + value + "; ";
  for (const kube::Taint& taint : taints) {
    if (!has_taint(node, taint.key)) {
      remark += "tainted " + taint.key + "=" + taint.value + ":" + taint.effect + "; ";
    }
  }
  return remark.substr(0, remark.size() - std::min<size_t>(remark.size(), 2));
}

}  // namespace spotkeeper::effects
