// SPDX-License-Identifier: Apache-2.0
#include "effects/mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace spotkeeper::effects {
namespace {

using testing::HasSubstr;

Mark spot_mark(bool taint) {
  Mark mark;
  mark.notice.id = core::NoticeId("spot-itn-" + std::string(64, 'a'));
  mark.notice.kind = core::NoticeKind::kSpotInterruption;
  mark.notice.deadline = Time(Seconds(1'800'000'120));
  mark.notice.source = "imds";
  mark.taint = taint;
  mark.started = Time(Seconds(1'800'000'000));
  return mark;
}

kube::Node node() {
  kube::Node node;
  node.name = "n1";
  node.resource_version = "42";
  return node;
}

boost::json::object record_in(const boost::json::value& patch) {
  return boost::json::parse(patch.at("metadata").at("annotations").at(kStateAnnotation).as_string())
      .as_object();
}

// What the node looks like once the patch is applied, as far as marks go.
kube::Node apply(kube::Node node, const boost::json::value& patch) {
  node.annotations[kStateAnnotation] =
      std::string(patch.at("metadata").at("annotations").at(kStateAnnotation).as_string());
  const auto* spec = patch.as_object().if_contains("spec");
  if (spec == nullptr) return node;
  if (spec->as_object().contains("unschedulable")) node.unschedulable = true;
  if (const auto* taints = spec->as_object().if_contains("taints")) {
    node.taints.clear();
    for (const auto& taint : taints->as_array()) {
      node.taints.push_back({.key = std::string(taint.at("key").as_string())});
    }
  }
  return node;
}

TEST(Mark, OnePatchWithVersionCordonAndRecord) {
  const auto patch = mark_patch(node(), spot_mark(false));
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->at("metadata").at("resourceVersion"), "42");
  EXPECT_EQ(patch->at("spec").at("unschedulable"), true);
  EXPECT_FALSE(patch->at("spec").as_object().contains("taints"));
  const auto record = record_in(*patch);
  EXPECT_EQ(record.at("notice").at("kind"), "SpotInterruption");
  EXPECT_EQ(record.at("notice").at("deadline"), "2027-01-15T08:02:00Z");
  EXPECT_EQ(record.at("cordoned"), true);
  EXPECT_TRUE(record.at("taints").as_array().empty());
}

TEST(Mark, ForeignTaintsAreKeptAsTheyAre) {
  kube::Node tainted = node();
  tainted.taints = {
      {.key = "theirs", .value = "v", .effect = "NoExecute", .time_added = "2026-01-01T00:00:00Z"}};
  const auto patch = mark_patch(tainted, spot_mark(true));
  ASSERT_TRUE(patch);
  const auto& taints = patch->at("spec").at("taints").as_array();
  ASSERT_EQ(taints.size(), 2U);
  EXPECT_EQ(taints[0].at("key"), "theirs");
  EXPECT_EQ(taints[0].at("timeAdded"), "2026-01-01T00:00:00Z");
  EXPECT_EQ(taints[1].at("key"), "aws-node-termination-handler/spot-itn");
  EXPECT_EQ(taints[1].at("value").as_string().size(), 63U);
  EXPECT_EQ(taints[1].at("effect"), "NoSchedule");
}

TEST(Mark, ForeignCordonIsNotClaimed) {
  kube::Node cordoned = node();
  cordoned.unschedulable = true;
  const auto patch = mark_patch(cordoned, spot_mark(false));
  ASSERT_TRUE(patch) << "the record is still owed";
  EXPECT_FALSE(patch->as_object().contains("spec"));
  EXPECT_EQ(record_in(*patch).at("cordoned"), false);
  EXPECT_THAT(mark_remark(cordoned, spot_mark(false)), HasSubstr("somebody else"));
}

TEST(Mark, AMarkedNodeIsLeftAlone) {
  const auto patch = mark_patch(node(), spot_mark(true));
  ASSERT_TRUE(patch);
  EXPECT_FALSE(mark_patch(apply(node(), *patch), spot_mark(true)));
}

TEST(Mark, AnEarlierRecordKeepsItsStartAndItsClaims) {
  kube::Node marked = apply(node(), *mark_patch(node(), spot_mark(false)));
  Mark later = spot_mark(true);
  later.started += Seconds(60);
  const auto record = record_in(*mark_patch(marked, later));
  EXPECT_EQ(record.at("started"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(record.at("cordoned"), true);
  EXPECT_EQ(record.at("taints"), boost::json::array{taint_key(later.notice.kind)});
}

TEST(Mark, ARecordOfAnotherNoticeKeepsOnlyItsClaims) {
  kube::Node marked = apply(node(), *mark_patch(node(), spot_mark(false)));
  Mark later = spot_mark(false);
  later.notice.id = core::NoticeId("spot-itn-other");
  later.started += Seconds(3600);
  const auto record = record_in(*mark_patch(marked, later));
  EXPECT_EQ(record.at("started"), "2027-01-15T09:00:00.000Z");
  EXPECT_EQ(record.at("cordoned"), true) << "it was us, whichever notice it was for";
}

TEST(Mark, TheRecordTellsItsNoticeAgain) {
  const Mark mark = spot_mark(true);
  const auto told = recorded_notice(apply(node(), *mark_patch(node(), mark)));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->id, mark.notice.id);
  EXPECT_EQ(told->kind, mark.notice.kind);
  EXPECT_EQ(told->source, mark.notice.source);
  EXPECT_EQ(told->deadline, std::chrono::floor<Seconds>(mark.notice.deadline));
  EXPECT_FALSE(recorded_notice(node()));
  kube::Node broken = node();
  broken.annotations[kStateAnnotation] = "{\"notice\":{\"id\":\"x\",\"kind\":\"Nonsense\"}}";
  EXPECT_FALSE(recorded_notice(broken));
}

TEST(Mark, ARecordNamesItsHolderWhereSeveralMayDrain) {
  EXPECT_FALSE(recorded_holder(apply(node(), *mark_patch(node(), spot_mark(true)))));
  Mark mark = spot_mark(true);
  mark.holder = "laptop/1";
  const kube::Node held = apply(node(), *mark_patch(node(), mark));
  ASSERT_TRUE(recorded_holder(held));
  EXPECT_EQ(recorded_holder(held)->id, "laptop/1");
  mark.started += Seconds(13);
  EXPECT_TRUE(mark_patch(held, mark)) << "renewed";
}

TEST(Mark, WhoDrainsByHandSaysSoInTheRecordOfANoticeToo) {
  const kube::Node marked = apply(node(), *mark_patch(node(), spot_mark(false)));
  Mark by_hand = spot_mark(false);
  by_hand.notice.id = core::NoticeId("manual-1");
  by_hand.notice.kind = core::NoticeKind::kManual;
  by_hand.holder = "laptop/1";
  const auto patch = mark_patch(marked, by_hand);
  ASSERT_TRUE(patch);
  const kube::Node held = apply(marked, *patch);
  ASSERT_TRUE(recorded_holder(held));
  EXPECT_EQ(recorded_holder(held)->id, "laptop/1");
  EXPECT_EQ(recorded_notice(held)->id, spot_mark(false).notice.id);
}

TEST(Release, OnlyTheHoldersNameGoes) {
  Mark held = spot_mark(true);
  held.holder = "queue-0/a";
  kube::Node tainted = node();
  tainted.taints = {{.key = "theirs", .effect = "NoExecute"}};
  const kube::Node marked = apply(tainted, *mark_patch(tainted, held));
  ASSERT_TRUE(recorded_holder(marked));
  const auto patch = release_patch(marked, "queue-0/a");
  ASSERT_TRUE(patch);
  EXPECT_FALSE(patch->as_object().contains("spec")) << "cordon and taints stay";
  const auto& metadata = patch->at("metadata").as_object();
  EXPECT_EQ(metadata.at("resourceVersion"), "42") << "bound to what was read";
  EXPECT_FALSE(metadata.contains("labels"));
  EXPECT_EQ(metadata.at("annotations").as_object().size(), 1U);
  auto before = boost::json::parse(marked.annotations.at(kStateAnnotation)).as_object();
  EXPECT_NE(before.erase("holder"), 0U);
  EXPECT_EQ(record_in(*patch), before) << "and the rest of the record";
  const kube::Node released = apply(marked, *patch);
  EXPECT_FALSE(recorded_holder(released));
  EXPECT_EQ(recorded_notice(released)->id, recorded_notice(marked)->id) << "who comes next goes on";
}

TEST(Release, WhoDoesNotHoldItGivesNothingUp) {
  Mark held = spot_mark(true);
  held.holder = "queue-0/a";
  const kube::Node marked = apply(node(), *mark_patch(node(), held));
  EXPECT_FALSE(release_patch(marked, "queue-1/b"));
  EXPECT_FALSE(release_patch(marked, ""));
  EXPECT_FALSE(release_patch(apply(marked, *release_patch(marked, "queue-0/a")), "queue-0/a"))
      << "twice";
  EXPECT_FALSE(release_patch(apply(node(), *mark_patch(node(), spot_mark(true))), ""))
      << "nobody holds it";
  EXPECT_FALSE(release_patch(node(), "queue-0/a"));
  kube::Node odd = node();
  odd.annotations[kStateAnnotation] = "{not json";
  EXPECT_FALSE(release_patch(odd, "queue-0/a"));
}

TEST(Undo, TakesBackOnlyWhatWasOurs) {
  kube::Node before = node();
  before.taints = {{.key = "theirs", .effect = "NoSchedule"}};
  kube::Node marked = apply(before, *mark_patch(before, spot_mark(true)));
  const auto patch = undo_patch(marked);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->at("metadata").at("resourceVersion"), "42");
  EXPECT_TRUE(patch->at("metadata").at("annotations").at(kStateAnnotation).is_null());
  EXPECT_TRUE(patch->at("spec").at("unschedulable").is_null());
  const auto& taints = patch->at("spec").at("taints").as_array();
  ASSERT_EQ(taints.size(), 1U);
  EXPECT_EQ(taints[0].at("key"), "theirs");
  EXPECT_THAT(undo_remark(marked), HasSubstr("uncordoned; removed taint"));
}

TEST(Undo, AForeignCordonStays) {
  kube::Node before = node();
  before.unschedulable = true;
  const kube::Node marked = apply(before, *mark_patch(before, spot_mark(false)));
  const auto patch = undo_patch(marked);
  ASSERT_TRUE(patch) << "the record goes";
  EXPECT_FALSE(patch->as_object().contains("spec"));
  EXPECT_THAT(undo_remark(marked), HasSubstr("stays cordoned"));
}

TEST(Undo, AForeignTaintOfOurKeyStays) {
  kube::Node before = node();
  before.taints = {{.key = taint_key(core::NoticeKind::kSpotInterruption), .effect = "NoSchedule"}};
  const kube::Node marked = apply(before, *mark_patch(before, spot_mark(true)));
  EXPECT_FALSE(undo_patch(marked)->at("spec").as_object().contains("taints"));
}

TEST(Undo, ADrainByHandTakesBackOnlyItsOwnMark) {
  const kube::Node marked = apply(node(), *mark_patch(node(), spot_mark(true)));
  Mark manual = spot_mark(false);
  manual.notice.kind = core::NoticeKind::kManual;
  manual.notice.id = core::NoticeId("manual-1");
  const auto again = mark_patch(marked, manual);
  EXPECT_FALSE(again) << "the notice's record stays";
  const Time before = manual.notice.deadline - Seconds(60);
  EXPECT_THAT(keeps_mark(marked, {manual.notice.id}, before),
              HasSubstr("stays marked by spot-itn"));
  EXPECT_THAT(keeps_mark(marked, {}, before), HasSubstr("SpotInterruption"));
  EXPECT_EQ(keeps_mark(marked, {}, before + Seconds(61)), "") << "it has not come";
  EXPECT_EQ(keeps_mark(marked, {spot_mark(true).notice.id}, before), "");
  EXPECT_EQ(keeps_mark(marked, {spot_mark(true).notice.id, manual.notice.id}, before), "");
}

TEST(Undo, ANodeWithoutOurRecordIsLeftAlone) {
  kube::Node cordoned = node();
  cordoned.unschedulable = true;
  EXPECT_FALSE(undo_patch(cordoned));
}

TEST(Mark, WithoutADeadlineTheRecordHasNone) {
  Mark mark = spot_mark(false);
  mark.notice.deadline = kNever;
  EXPECT_TRUE(record_in(*mark_patch(node(), mark)).at("notice").at("deadline").is_null());
}

TEST(Mark, GarbageInTheAnnotationIsReplaced) {
  kube::Node odd = node();
  odd.annotations[kStateAnnotation] = "{not json";
  EXPECT_TRUE(mark_patch(odd, spot_mark(false)));
}

TEST(Mark, TaintKeysAreThoseOfNth) {
  EXPECT_EQ(taint_key(core::NoticeKind::kSpotInterruption),
            "aws-node-termination-handler/spot-itn");
  EXPECT_EQ(taint_key(core::NoticeKind::kRebalanceRecommendation),
            "aws-node-termination-handler/rebalance-recommendation");
  EXPECT_EQ(taint_key(core::NoticeKind::kScheduledEvent),
            "aws-node-termination-handler/scheduled-maintenance");
  EXPECT_EQ(taint_key(core::NoticeKind::kAsgTermination),
            "aws-node-termination-handler/asg-lifecycle-termination");
}

}  // namespace
}  // namespace spotkeeper::effects
