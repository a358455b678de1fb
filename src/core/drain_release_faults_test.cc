// SPDX-License-Identifier: Apache-2.0
// Handing over when the API does not answer as it should, after a restart, and when nobody wants it
// any more. docs/design.md, rule 6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/test_hand_over.h"

namespace spotkeeper::core {
namespace {

using testing::HasSubstr;

// --- Answers -------------------------------------------------------------------------------------

TEST(Release, WithoutTheRightNoOtherIsTried) {
  HandOverDrain t;
  t.group(2, 2, 0);
  t.begin({replica("a"), unready(guarded_replica("b"))}, kClosed);
  const auto first = t.take();
  ASSERT_EQ(first.at(0).kind, ActionKind::kRelease);
  t.answer(first[0], std::unexpected(denied("patch pods")));
  EXPECT_EQ(describe(t.take()), "ask default/a");
  EXPECT_EQ(t.count(What::kDenied), 1);
  t.answer(first.at(1), std::unexpected(refusal()));
  t.see(guarded_replica("b"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_THAT(t.track("b").plan.why, HasSubstr("we may not"));
}

TEST(Release, AWebhooksNoBarsTheNamespace) {
  HandOverDrain t;
  t.group(2, 2, 0);
  t.begin({replica("a"), unready(guarded_replica("b"))}, kClosed);
  const auto first = t.take();
  t.answer(first.at(0), std::unexpected(forbidden()));
  EXPECT_EQ(describe(t.take()), "ask default/a");
  EXPECT_EQ(t.count(What::kDenied), 0);
  t.answer(first.at(1), std::unexpected(refusal()));
  t.see(guarded_replica("b"));
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_THAT(t.track("b").plan.why, HasSubstr("was refused"));
}

TEST(Release, WeatherTriesAgain) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  t.answer(t.take().at(0), std::unexpected(weather()));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(1));
  EXPECT_EQ(describe(t.take()), "release default/web");
}

TEST(Release, WhoseAnswerIsLostIsKnownByItsLabel) {
  for (const bool watch_first : {true, false}) {
    HandOverDrain t;
    t.group(1, 1, 0);
    t.begin({replica("web")});
    const auto release = t.take();
    if (watch_first) t.see(let_go(replica("web")));
    t.answer(release.at(0), std::unexpected(weather()));
    if (!watch_first) t.see(let_go(replica("web")));
    EXPECT_EQ(t.track("web").release.step, Release::Step::kReleased) << watch_first;
    t.group(1, 0, 0);
    t.group(1, 1, 0);
    t.advance_to(Seconds(10));
    EXPECT_EQ(describe(t.take()), "") << "not released twice, and not put back";
    t.group(1, 1, 1);
    EXPECT_EQ(describe(t.take()), "ask default/web");
  }
}

TEST(Release, PuttingBackWhoseAnswerIsLostIsKnownByItsLabel) {
  for (const bool watch_first : {true, false}) {
    HandOverDrain t;
    t.release({replica("web")});
    t.advance_to(Seconds(3));
    const auto back = t.take();
    ASSERT_EQ(describe(back), "put back default/web");
    if (watch_first) t.see(replica("web"));
    t.answer(back[0], std::unexpected(weather()));
    if (!watch_first) t.see(replica("web"));
    t.advance_to(Seconds(4));
    EXPECT_EQ(describe(t.take()), "ask default/web") << "not put back twice";
  }
}

TEST(WithdrawnRelease, PuttingBackIsTriedAgainThoughTheReleaseHasNotBeenSeenYet) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  t.answer(t.take().at(0));  // and the watch is late
  t.tell(Withdrawn{.why = "interrupted"});
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  t.answer(back[0], std::unexpected(weather()));
  t.see(let_go(replica("web")));
  t.advance_to(Seconds(1));
  EXPECT_EQ(describe(t.take()), "put back default/web") << "it is still without an owner";
}

TEST(Release, PuttingBackIsTriedAgainInBadWeather) {
  HandOverDrain t;
  t.release({replica("web")});
  t.advance_to(Seconds(3));
  t.answer(t.take().at(0), std::unexpected(weather()));
  t.advance_to(Seconds(4));
  EXPECT_EQ(describe(t.take()), "put back default/web");
  EXPECT_EQ(t.count(What::kPutBack), 1) << "said once";
}

TEST(Release, PuttingBackThatIsRefusedIsGivenUpAloudAndTheUnitAsked) {
  HandOverDrain t;
  t.release({replica("web")});
  int tries = 0;
  for (int second = 3; second <= 12; ++second) {
    t.advance_to(Seconds(second));
    for (const Action& action : t.take()) {
      if (action.kind == ActionKind::kAsk) {
        EXPECT_EQ(tries, 3);
        EXPECT_TRUE(t.said(What::kFailed, "cannot be put back"));
        return;
      }
      ++tries;
      t.answer(action, std::unexpected(forbidden()));
    }
  }
  FAIL() << "never asked";
}

TEST(Release, NothingIsPutBackShortlyBeforeTheLastMoment) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.advance_to(Seconds(83));
  t.group(1, 0, 0);  // 3 s later its last moment is too near
  t.advance_to(Seconds(86));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(87));
  EXPECT_EQ(describe(t.take()), "ask default/web 30s");
}

TEST(Release, APodThatIsGoneIsGone) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({replica("web")});
  t.answer(t.take().at(0), std::unexpected(Error{.kind = ErrorKind::kGone, .message = "404"}));
  EXPECT_TRUE(t.drain.finished());
}

// --- Restarts ------------------------------------------------------------------------------------

TEST(Restart, AReleasedUnitWhoseReplacementIsStartedIsHandedOverFurther) {
  HandOverDrain t;
  t.group(1, 1, 0);
  t.begin({let_go(replica("web"))});
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_EQ(t.track("web").release.step, Release::Step::kConfirmed);
  t.group(1, 1, 1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Restart, AReleasedUnitThatItsReplicaSetHoldsIsPutBack) {
  HandOverDrain t;
  t.begin({frozen(replica("web"))});
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "put back default/web") << "whatever is known of its group";
}

TEST(Restart, AGroupThatIsLateToBeKnownDoesNotPutBackWhoWasReplaced) {
  HandOverDrain t;
  t.begin({let_go(guarded_replica("web"))}, kClosed);
  t.advance_to(Seconds(20));
  EXPECT_EQ(describe(t.take()), "");
  t.group(1, 1, 1);
  t.budget(1);
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

TEST(Restart, WithoutTheRightToSeeGroupsAReleasedUnitIsAskedUnderItsBudget) {
  HandOverDrain t;
  t.tell(GroupsUnread{.why = "no right to list"});
  t.begin({let_go(replica("web"))});
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "ask default/web");
}

// --- Withdrawn -----------------------------------------------------------------------------------

TEST(WithdrawnRelease, WithoutAReplacementItIsPutBackAndThenTheMarkIsTakenBack) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.tell(Withdrawn{.why = "interrupted"});
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  t.answer(back[0]);
  EXPECT_EQ(describe(t.take()), "");
  t.see(replica("web"));
  const auto undo = t.take();
  ASSERT_EQ(describe(undo), "undo");
  t.answer(undo[0]);
  EXPECT_TRUE(t.drain.finished());
}

TEST(WithdrawnRelease, AnOwnerThatDoesNotTakeItBackHoldsUpNothing) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.tell(Withdrawn{.why = "interrupted"});
  t.answer(t.take().at(0));
  Unit web = replica("web");
  web.orphan = true;
  t.see(web);
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "undo");
}

// A release whose answer was lost may arrive when the unit has been put back.
TEST(WithdrawnRelease, WhoIsReleasedOnceMoreIsPutBackOnceMore) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.tell(Withdrawn{.why = "interrupted"});
  t.answer(t.take().at(0));
  for (int again = 1; again < 3; ++again) {
    t.see(frozen(replica("web")));
    EXPECT_EQ(describe(t.take()), "");
    t.advance_to(Seconds(3 * again));
    const auto back = t.take();
    ASSERT_EQ(describe(back), "put back default/web") << again;
    t.answer(back[0]);
  }
  t.advance_to(Seconds(9));
  EXPECT_EQ(describe(t.take()), "undo") << "but not for ever";
}

TEST(WithdrawnRelease, WhomNobodyTookBackForHisGroupIsGoneIsDeleted) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.tell(Withdrawn{.why = "interrupted"});
  const auto back = t.take();
  ASSERT_EQ(describe(back), "put back default/web");
  t.answer(back[0]);
  Unit web = guarded_replica("web");
  web.orphan = true;
  t.see(web);
  t.group(0, 0, 0);
  t.advance_to(Seconds(2));
  EXPECT_EQ(describe(t.take()), "") << "its owner may still be there, and end it";
  t.advance_to(Seconds(3));
  EXPECT_EQ(describe(t.take()), "stop default/web");
}

// Near its last moment it is not put back any more, for it is told then; but nobody tells it.
TEST(WithdrawnRelease, WhoWasLeftReleasedForHisEndWasNearIsPutBack) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.advance_to(Seconds(83));
  t.group(1, 0, 0);
  t.advance_to(Seconds(86));
  ASSERT_EQ(t.track("web").release.step, Release::Step::kGivenUp);
  t.tell(Withdrawn{.why = "interrupted"});
  EXPECT_EQ(describe(t.take()), "put back default/web");
}

TEST(WithdrawnRelease, WithItsReplacementReadyItGoes) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.group(1, 1, 1);
  t.tell(Withdrawn{.why = "interrupted"});
  EXPECT_EQ(describe(t.take()), "");
  t.budget(1);
  const auto ask = t.take();
  ASSERT_EQ(describe(ask), "ask default/web");
  t.answer(ask[0]);
  EXPECT_EQ(describe(t.take()), "undo");
}

TEST(WithdrawnRelease, ABudgetThatNeverOpensDoesNotKeepItForEver) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.group(1, 1, 1);
  t.tell(Withdrawn{.why = "interrupted"});
  t.advance_to(Seconds(29));
  EXPECT_EQ(describe(t.take()), "");
  t.advance_to(Seconds(30));
  EXPECT_EQ(describe(t.take()), "put back default/web") << "its ReplicaSet ends one too many";
}

TEST(WithdrawnRelease, AfterWhatWasItsLastMomentItIsNotAskedWithoutPause) {
  HandOverDrain t;
  t.replace({replica("web")});
  t.advance_to(Seconds(80));
  t.group(1, 1, 1);
  t.answer(t.take().at(0), std::unexpected(refusal()));  // by a budget that we cannot see
  t.tell(Withdrawn{.why = "interrupted"});
  t.advance_to(Seconds(87));
  const auto ask = t.take();
  ASSERT_EQ(describe(ask), "ask default/web");
  t.answer(ask[0], std::unexpected(refusal()));
  t.advance_to(Seconds(106));
  EXPECT_EQ(describe(t.take()), "") << "it has no last moment any more";
  t.advance_to(Seconds(110));
  EXPECT_EQ(describe(t.take()), "ask default/web 10s");
}

TEST(WithdrawnRelease, WhoMayNotBeAskedIsPutBackAtOnce) {
  HandOverDrain t;
  t.replace({guarded_replica("web")}, kClosed);
  t.budget(1);
  t.group(1, 1, 1);
  t.answer(t.take().at(0), std::unexpected(denied("evict")));
  t.tell(Withdrawn{.why = "interrupted"});
  EXPECT_EQ(describe(t.take()), "put back default/web");
}

TEST(Release, NobodyIsReleasedForASoftNoticeWhoMayNotBeAskedAfterwards) {
  Notice feared = spot_notice();
  feared.kind = NoticeKind::kRebalanceRecommendation;
  HandOverDrain t({.hand_over = HandOver::kAlways}, feared);
  t.tell(AbilitiesFound{.abilities = {.ask = false}});
  t.group(1, 1, 0);
  t.begin({guarded_replica("web")}, kClosed);
  EXPECT_EQ(describe(t.take()), "");
  EXPECT_THAT(t.track("web").plan.why, HasSubstr("it could not be asked afterwards"));
}

TEST(WithdrawnRelease, AReleaseUnderWayIsAwaited) {
  for (const bool lost : {false, true}) {
    HandOverDrain t;
    t.group(1, 1, 0);
    t.begin({replica("web")});
    const auto release = t.take();
    t.tell(Withdrawn{.why = "interrupted"});
    EXPECT_EQ(describe(t.take()), "");
    t.answer(release.at(0),
             lost ? Result<std::string>(std::unexpected(weather())) : Result<std::string>("done"));
    t.advance_to(Seconds(1));
    EXPECT_EQ(describe(t.take()), "put back default/web") << "whether it took effect or not";
  }
}

TEST(WithdrawnRelease, AnotherNoticeMeanwhileDrainsTheHostAfterAll) {
  HandOverDrain t;
  t.begin({guarded_replica("web")}, kClosed);
  t.take();
  t.tell(Withdrawn{.why = "interrupted"});
  const auto before = t.take();
  ASSERT_FALSE(before.empty());
  Notice next = spot_notice();
  next.id = NoticeId("another");
  t.tell(NoticeHeard{.notice = next});
  for (const Action& action : before) t.answer(action);
  EXPECT_FALSE(t.drain.withdrawn());
  EXPECT_THAT(describe(t.take()), HasSubstr("mark")) << "what was undone is done again";
  t.budget(1);
  t.advance_to(Seconds(4));
  EXPECT_THAT(describe(t.take()), HasSubstr("default/web"));
}

}  // namespace
}  // namespace spotkeeper::core
