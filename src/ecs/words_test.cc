// SPDX-License-Identifier: Apache-2.0
#include "ecs/words.h"

#include <gtest/gtest.h>

namespace spotkeeper::ecs {
namespace {

TEST(Words, OfAnEcsHost) {
  struct Row {
    const char* said;
    const char* wanted;
  };
  for (
      const Row& row :
      {Row{"all pods have left, 40 s before the deadline",
           "all tasks have left, 40 s before the deadline"},
       Row{"the deadline has passed: 1 pods still here, 0 untold",
           "the deadline has passed: 1 tasks still here, 0 untold"},
       Row{"budget service web (minimumHealthyPercent 100) allows no disruption now; that can hold "
           "it until 10:00:00Z",
           "DRAINING moves it as service web (minimumHealthyPercent 100) lets it; that can hold it "
           "until 10:00:00Z"},
       Row{"budget service web (minimumHealthyPercent 100) has held it to its last moment",
           "service web (minimumHealthyPercent 100) has held it to its last moment"},
       Row{"budgets have not arrived after 3.0 s: pods are asked to find out",
           "nothing is known of its services after 3.0 s: what ECS moves is seen as it goes"},
       Row{"its deletion is written", "ECS stops it"},
       Row{"StopTask: denied; a budget can hold a pod until the host ends; allow: pods delete",
           "StopTask: denied; what DRAINING does not move ends with the host, untold"},
       Row{"POD                MODE\n3 moved, 0 still ending; 1 overruled a budget",
           "TASK               MODE\n3 moved, 0 still ending; 1 overruled a service"},
       Row{"a budget of ours", "a service of ours"}, Row{"budgetary", "budgetary"},
       Row{"podman is none of ours", "podman is none of ours"}, Row{"", ""}}) {
    EXPECT_EQ(in_ecs_words(row.said), row.wanted);
  }
}

}  // namespace
}  // namespace spotkeeper::ecs
