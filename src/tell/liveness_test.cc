// SPDX-License-Identifier: Apache-2.0
#include "tell/liveness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spotkeeper::tell {
namespace {

using std::chrono::seconds;

const Liveness::Moment kStart{std::chrono::hours(100)};

TEST(Liveness, ALoopThatDoesNotTurnIsNamed) {
  Liveness live({}, false, kStart);
  live.beat(kStart + seconds(1), 0, 0);
  EXPECT_EQ(live.stuck(kStart + seconds(10)), "");
  EXPECT_EQ(live.stuck(kStart + seconds(13)), "the event loop has been stuck for 12 s");
}

TEST(Liveness, APollerThatHangsIsNamedAndOneThatFailsIsNot) {
  Liveness live({}, true, kStart);
  for (int s = 1; s <= 200; ++s) live.beat(kStart + seconds(s), s, 0);  // each poll fails
  EXPECT_EQ(live.stuck(kStart + seconds(200)), "");
  for (int s = 201; s <= 270; ++s) live.beat(kStart + seconds(s), 200, 0);
  EXPECT_EQ(live.stuck(kStart + seconds(270)),
            "the poller of instance metadata has been stuck for 70 s");
  live.beat(kStart + seconds(271), 201, 0);
  EXPECT_EQ(live.stuck(kStart + seconds(271)), "");
}

TEST(Liveness, ReadyIsWhoHearsAndCanAct) {
  Liveness live({}, true, kStart);
  EXPECT_EQ(live.unready(kStart, ""), "instance metadata has not answered yet");
  live.beat(kStart + seconds(1), 1, 1);
  EXPECT_EQ(live.unready(kStart + seconds(1), ""), "");
  EXPECT_EQ(live.unready(kStart + seconds(1), "the node has not been read yet"),
            "the node has not been read yet");
  EXPECT_EQ(live.unready(kStart + seconds(99), ""), "instance metadata has not answered for 98 s");
}

}  // namespace
}  // namespace spotkeeper::tell
