// SPDX-License-Identifier: Apache-2.0
#include "sources/asg_document.h"

#include <gtest/gtest.h>

#include "sources/imds_fixture.h"

namespace spotkeeper::sources {
namespace {

class AsgDocumentTest : public ImdsFixture {
 protected:
  void SetUp() override {
    ImdsFixture::SetUp();
    poll(std::make_unique<AsgDocument>(clock_, Seconds(120), hear()));
  }
};

TEST_F(AsgDocumentTest, EveryOtherStateIsQuiet) {
  for (const char* state : {"InService", "Standby", "Detached", "Warmed:Stopped", ""}) {
    say(state);
    poll_times(2);
  }
  say_nothing();
  poll_times(2);
  EXPECT_TRUE(notices_.empty());
  EXPECT_TRUE(failures_.empty());
}

// NTH makes another event of it at every poll, and drains again each time.
TEST_F(AsgDocumentTest, TerminatedIsOneNoticeHoweverOftenItIsRead) {
  say("Terminated\n");
  poll_times(20);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_EQ(notices_[0].kind, core::NoticeKind::kAsgTermination);
  EXPECT_EQ(notices_[0].deadline, notices_[0].received + Seconds(120));
  EXPECT_TRUE(core::is_hard(notices_[0]));
  EXPECT_TRUE(notices_[0].id.value.starts_with("target-lifecycle-state-terminated-"));
}

TEST_F(AsgDocumentTest, AfterAnotherStateItIsANewOne) {
  say("Terminated");
  run_until([&] { return notices_.size() == 1; });
  say("InService");
  poll_times(3);
  say("Terminated");
  run_until([&] { return notices_.size() == 2; });
}

}  // namespace
}  // namespace spotkeeper::sources
