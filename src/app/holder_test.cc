// SPDX-License-Identifier: Apache-2.0
#include "app/holder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spotkeeper::app {
namespace {

TEST(Holder, ThisProcessHasNotEnded) {
  EXPECT_FALSE(has_ended(this_process()));
}

TEST(Holder, AProcessOfThisMachineThatIsGoneHasEnded) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const std::string machine = this_process().substr(0, this_process().rfind('/') + 1);
  EXPECT_TRUE(has_ended(machine + std::to_string(child)));
}

TEST(Holder, OfOthersNothingIsKnown) {
  const std::string machine = this_process().substr(0, this_process().rfind('/') + 1);
  for (const std::string& id : {std::string("elsewhere/1"), machine, machine + "x", machine + "-1",
                                machine + "99999999999999999999", std::string()}) {
    EXPECT_FALSE(has_ended(id)) << id;
  }
}

}  // namespace
}  // namespace spotkeeper::app
