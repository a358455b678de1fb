// SPDX-License-Identifier: Apache-2.0
// Nodes as they are found, with whatever others, or an earlier life of ours, wrote on them. The
// mark keeps what is there, and is not written twice.
#include <algorithm>
#include <boost/json/value.hpp>
#include <string>

#include "base/fuzz.h"
#include "effects/mark.h"

namespace spotkeeper {
namespace {

namespace json = boost::json;

effects::Mark mark_of(bool taint) {
  effects::Mark mark;
  mark.notice.id = core::NoticeId("spot-itn-1");
  mark.notice.source = "imds";
  mark.notice.deadline = Time(Seconds(1'795'255'200));
  mark.started = mark.notice.deadline - Seconds(120);
  mark.taint = taint;
  return mark;
}

// The node as the API server would have it after the merge patch.
kube::Node patched(const kube::Node& node, const json::value& patch) {
  kube::Node after = node;
  const json::object& metadata = patch.at("metadata").as_object();
  must(metadata.at("resourceVersion").as_string() == std::string_view(node.resource_version),
       "the patch is bound to the version that was read");
  const json::value& record = metadata.at("annotations").at(effects::kStateAnnotation);
  after.annotations.erase(effects::kStateAnnotation);
  if (!record.is_null()) after.annotations[effects::kStateAnnotation] = record.as_string();
  if (const json::value* labels = metadata.if_contains("labels")) {
    for (const auto& [key, value] : labels->as_object()) {
      after.labels.erase(key);
      if (!value.is_null()) after.labels[key] = value.as_string();
    }
  }
  const json::value* spec = patch.as_object().if_contains("spec");
  if (spec == nullptr) return after;
  if (const json::value* cordon = spec->as_object().if_contains("unschedulable")) {
    after.unschedulable = !cordon->is_null() && cordon->as_bool();
  }
  if (const json::value* taints = spec->as_object().if_contains("taints")) {
    json::object found{{"metadata", {{"name", node.name}, {"uid", node.uid}}}};
    found["spec"] = json::object{{"taints", *taints}};
    const Result<kube::Node> decoded = kube::decode_node(json::value(found));
    must(decoded.has_value(), "the taints we write can be read");
    after.taints = decoded->taints;
  }
  return after;
}

// Taking back leaves what others did, whoever marked the node, and is not done twice.
void check_undo(const kube::Node& before, const kube::Node& marked) {
  const auto patch = effects::undo_patch(marked);
  must(patch.has_value(), "a mark can be taken back");
  const kube::Node after = patched(marked, *patch);
  must(!effects::undo_patch(after), "a mark is not taken back twice");
  if (before.annotations.contains(effects::kStateAnnotation)) return;
  if (before.labels.contains(effects::kActionLabel)) return;  // NTH's, which we went on with
  must(after.unschedulable == before.unschedulable, "whose cordon it was, is as it was");
  must(after.taints == before.taints, "the taints are as they were");
  must(after.annotations == before.annotations, "the annotations are as they were");
}

void check(const kube::Node& node, const effects::Mark& mark) {
  const auto patch = effects::mark_patch(node, mark);
  const kube::Node after = patch ? patched(node, *patch) : node;
  must(after.unschedulable, "a marked node takes no pods");
  must(!effects::mark_patch(after, mark), "a mark is not written twice");
  must(std::ranges::all_of(node.taints,
                           [&after](const kube::Taint& taint) {
                             return std::ranges::find(after.taints, taint) != after.taints.end();
                           }),
       "foreign taints stay");
  const std::string key = effects::taint_key(mark.notice.kind);
  must(!mark.taint ||
           std::ranges::any_of(after.taints,
                               [&key](const kube::Taint& taint) { return taint.key == key; }),
       "the taint is there");
  boost::system::error_code broken;
  const json::value record = json::parse(after.annotations.at(effects::kStateAnnotation), broken);
  must(!broken && record.at("v") == 1, "the record can be read");
  must(record.at("notice").at("id").as_string() == std::string_view(mark.notice.id.value),
       "the record is of this notice");
  check_undo(node, after);
}

}  // namespace

void fuzz(std::string_view input) {
  boost::system::error_code broken;
  const json::value object = json::parse(input, broken);
  if (broken) return;
  const Result<kube::Node> node = kube::decode_node(object);
  if (!node) return;
  check(*node, mark_of(true));
  effects::Mark reboot = mark_of(true);
  reboot.notice.kind = core::NoticeKind::kScheduledEvent;
  reboot.notice.detail = "system-reboot";
  check(*node, reboot);
  check(*node, mark_of(false));
}

}  // namespace spotkeeper
