// SPDX-License-Identifier: Apache-2.0
#include "effects/reboot.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace spotkeeper::effects {
namespace {

using testing::HasSubstr;

constexpr Time kMarked = Time(Seconds(1'800'000'000));

Mark reboot_mark(Time deadline) {
  Mark mark;
  mark.notice = {.id = core::NoticeId("instance-event-1"),
                 .kind = core::NoticeKind::kScheduledEvent,
                 .deadline = deadline,
                 .source = "imds",
                 .detail = "system-reboot"};
  mark.taint = true;
  mark.started = kMarked;
  return mark;
}

kube::Node plain() {
  kube::Node node;
  node.name = "n1";
  node.resource_version = "42";
  return node;
}

// The node once the patch is applied.
kube::Node apply(kube::Node node, const boost::json::value& patch) {
  const auto& metadata = patch.at("metadata").as_object();
  for (const auto& [map, name] :
       {std::pair(&node.labels, "labels"), {&node.annotations, "annotations"}}) {
    if (const auto* values = metadata.if_contains(name)) {
      for (const auto& [key, value] : values->as_object()) {
        map->erase(std::string(key));
        if (!value.is_null()) (*map)[std::string(key)] = std::string(value.as_string());
      }
    }
  }
  const auto* spec = patch.as_object().if_contains("spec");
  if (spec == nullptr) return node;
  if (const auto* cordon = spec->as_object().if_contains("unschedulable")) {
    node.unschedulable = !cordon->is_null() && cordon->as_bool();
  }
  if (const auto* taints = spec->as_object().if_contains("taints")) {
    node.taints.clear();
    for (const auto& taint : taints->as_array()) {
      node.taints.push_back({.key = std::string(taint.at("key").as_string()),
                             .value = "",
                             .effect = std::string(taint.at("effect").as_string())});
    }
  }
  return node;
}

kube::Node marked(const kube::Node& node, const Mark& mark) {
  return apply(node, *mark_patch(node, mark));
}

Boot boot(Seconds after_mark, Seconds uptime) {
  return {.now = kMarked + after_mark, .uptime = uptime, .nth_taints = true};
}

TEST(RebootMark, BearsNthsLabels) {
  const kube::Node node = marked(plain(), reboot_mark(kNever));
  EXPECT_EQ(node.labels.at(kEventIdLabel), "instance-event-1");
  EXPECT_EQ(node.labels.at(kActionLabel), "UncordonAfterReboot");
  EXPECT_EQ(node.labels.at(kActionTimeLabel), "1800000000");
  EXPECT_FALSE(mark_patch(node, reboot_mark(kNever))) << "and is not written twice";
}

TEST(RebootMark, OfAForeignCordonSaysNothingOfUncordoning) {
  kube::Node foreign = plain();
  foreign.unschedulable = true;
  const kube::Node node = marked(foreign, reboot_mark(kNever));
  EXPECT_TRUE(node.labels.contains(kEventIdLabel));
  EXPECT_FALSE(node.labels.contains(kActionLabel));
}

TEST(RebootMark, MaintenanceThatRestartsNothingHasNoLabels) {
  Mark mark = reboot_mark(kNever);
  mark.notice.detail = "system-maintenance";
  EXPECT_TRUE(marked(plain(), mark).labels.empty());
}

TEST(Reboot, IsWhenTheMarkIsOlderThanTheUptime) {
  const kube::Node node = marked(plain(), reboot_mark(kNever));
  EXPECT_TRUE(event_before_boot(node, boot(Seconds(60), Seconds(5))));
  EXPECT_FALSE(event_before_boot(node, boot(Seconds(60), Seconds(61))));
}

TEST(Reboot, TakesBackAllThatIsOurs) {
  const Boot booted = boot(Seconds(60), Seconds(5));
  const kube::Node node = marked(plain(), reboot_mark(kNever));
  const kube::Node after = apply(node, *reboot_patch(node, booted));
  EXPECT_FALSE(after.unschedulable);
  EXPECT_TRUE(after.taints.empty());
  EXPECT_TRUE(after.labels.empty());
  EXPECT_TRUE(after.annotations.empty());
}

// NTH stops at the first label that is missing, and leaves the others and the taints.
TEST(Reboot, ALabelThatSomebodyHasRemovedStopsNothing) {
  const Boot booted = boot(Seconds(60), Seconds(5));
  kube::Node node = marked(plain(), reboot_mark(kNever));
  node.labels.erase(kEventIdLabel);
  const kube::Node after = apply(node, *reboot_patch(node, booted));
  EXPECT_TRUE(after.labels.empty());
  EXPECT_TRUE(after.taints.empty());
}

// NTH has that the wrong way round: it leaves its own label and removes a foreign one.
TEST(Reboot, OurLoadBalancerLabelGoesAndAForeignOneStays) {
  const Boot booted = boot(Seconds(60), Seconds(5));
  Mark mark = reboot_mark(kNever);
  mark.extras.exclude_from_load_balancers = true;
  const kube::Node ours = marked(plain(), mark);
  ASSERT_TRUE(ours.labels.contains(kExcludeLabel));
  EXPECT_TRUE(apply(ours, *reboot_patch(ours, booted)).labels.empty());
  kube::Node foreign = plain();
  foreign.labels[kExcludeLabel] = "theirs";
  const kube::Node node = marked(foreign, mark);
  EXPECT_EQ(apply(node, *reboot_patch(node, booted)).labels.at(kExcludeLabel), "theirs");
}

TEST(Reboot, BeforeItsTimeItIsNotTheOneThatWasAnnounced) {
  const kube::Node node = marked(plain(), reboot_mark(kMarked + Seconds(3600)));
  EXPECT_FALSE(event_before_boot(node, boot(Seconds(60), Seconds(5))));
  EXPECT_TRUE(event_before_boot(node, boot(Seconds(3601), Seconds(5))));
}

TEST(Reboot, WhatAPersonAskedForAndARecommendationStay) {
  for (const auto kind : {core::NoticeKind::kManual, core::NoticeKind::kRebalanceRecommendation}) {
    Mark mark = reboot_mark(kMarked + Seconds(1));
    mark.notice.kind = kind;
    EXPECT_FALSE(event_before_boot(marked(plain(), mark), boot(Seconds(60), Seconds(5))));
  }
}

kube::Node marked_by_nth() {
  kube::Node node = plain();
  node.unschedulable = true;
  node.labels = {{kEventIdLabel, "instance-event-9"},
                 {kActionLabel, "UncordonAfterReboot"},
                 {kActionTimeLabel, "1800000000"}};
  node.taints = {{.key = "aws-node-termination-handler/scheduled-maintenance",
                  .value = "instance-event-9",
                  .effect = "NoSchedule"},
                 {.key = "team", .value = "", .effect = "NoSchedule"}};
  return node;
}

TEST(Reboot, AMarkOfNthsIsTakenBackByItsLabels) {
  const Boot booted = boot(Seconds(60), Seconds(5));
  const kube::Node node = marked_by_nth();
  EXPECT_EQ(event_before_boot(node, booted)->value, "instance-event-9");
  const kube::Node after = apply(node, *reboot_patch(node, booted));
  EXPECT_FALSE(after.unschedulable);
  EXPECT_TRUE(after.labels.empty());
  ASSERT_EQ(after.taints.size(), 1U);
  EXPECT_EQ(after.taints[0].key, "team");
  EXPECT_THAT(reboot_remark(node, booted), HasSubstr("NTH"));
}

TEST(Reboot, NthsLabelsMustBeWhole) {
  for (const char* key : {kEventIdLabel, kActionLabel, kActionTimeLabel}) {
    kube::Node node = marked_by_nth();
    node.labels.erase(key);
    EXPECT_FALSE(event_before_boot(node, boot(Seconds(60), Seconds(5)))) << key;
  }
  kube::Node odd = marked_by_nth();
  odd.labels[kActionTimeLabel] = "soon";
  EXPECT_FALSE(event_before_boot(odd, boot(Seconds(60), Seconds(5))));
  Boot off = boot(Seconds(60), Seconds(5));
  off.nth_labels = false;
  EXPECT_FALSE(event_before_boot(marked_by_nth(), off));
}

// The agent replaces NTH while an event is under way.
TEST(Reboot, WhatNthHasBegunIsOursOnceWeGoOnWithIt) {
  const kube::Node node = marked(marked_by_nth(), reboot_mark(kNever));
  const kube::Node after = apply(node, *undo_patch(node));
  EXPECT_FALSE(after.unschedulable);
  EXPECT_TRUE(after.labels.empty());
  ASSERT_EQ(after.taints.size(), 1U);
  EXPECT_EQ(after.taints[0].key, "team");
}

TEST(Soft, AskingForOthersIsATaintAndNoCordonAndCanBeTakenBack) {
  Mark mark = reboot_mark(kMarked + Seconds(3600));
  mark.notice.kind = core::NoticeKind::kRebalanceRecommendation;
  mark.taint = false;
  mark.extras.soft = true;
  const kube::Node node = marked(plain(), mark);
  EXPECT_FALSE(node.unschedulable);
  ASSERT_EQ(node.taints.size(), 1U);
  EXPECT_EQ(node.taints[0].effect, "PreferNoSchedule");
  EXPECT_FALSE(mark_patch(node, mark));
  const kube::Node undone = apply(node, *undo_patch(node));
  EXPECT_TRUE(undone.taints.empty());
  Mark harder = reboot_mark(kMarked + Seconds(120));
  harder.notice.kind = core::NoticeKind::kSpotInterruption;
  const kube::Node cordoned = marked(node, harder);
  EXPECT_TRUE(cordoned.unschedulable);
  const kube::Node after = apply(cordoned, *undo_patch(cordoned));
  EXPECT_FALSE(after.unschedulable);
  EXPECT_TRUE(after.taints.empty());
}

TEST(TaintValue, IsALabelValueWhateverTheIdIs) {
  EXPECT_EQ(taint_value(core::NoticeId("rebalance-2020-10-26T15:55:55Z")),
            "rebalance-2020-10-26T15-55-55Z");
  EXPECT_EQ(taint_value(core::NoticeId("/instance stop/")), "instance-stop");
  EXPECT_EQ(taint_value(core::NoticeId(std::string(62, 'a') + ":" + "b")), std::string(62, 'a'));
}

TEST(Description, AddsWhatIsNotThereAndNothingElse) {
  const Labels labels{{"lifecycle", "Ec2Spot"}};
  const std::vector<kube::Taint> taints{
      {.key = "spotInstance", .value = "true", .effect = "PreferNoSchedule"}};
  const auto patch = description_patch(plain(), labels, taints);
  ASSERT_TRUE(patch);
  const kube::Node node = apply(plain(), *patch);
  EXPECT_EQ(node.labels.at("lifecycle"), "Ec2Spot");
  ASSERT_EQ(node.taints.size(), 1U);
  EXPECT_FALSE(description_patch(node, labels, taints));
  EXPECT_TRUE(description_patch(node, {{"lifecycle", "OnDemand"}}, {})) << "it has changed";
}

}  // namespace
}  // namespace spotkeeper::effects
