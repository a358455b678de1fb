// SPDX-License-Identifier: Apache-2.0
#include "app/instances.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/cloud_fixture.h"

namespace spotkeeper::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kDescribe = "DescribeInstances";
constexpr const char* kTag = "team/spot";

std::string id_of(int i) {
  return "i-" + std::to_string(1'000 + i);
}

class InstancesTest : public aws::CloudFixture {
 protected:
  using Found = Result<std::optional<aws::Ec2Instance>>;

  void SetUp() override {
    CloudFixture::SetUp();
    instances_ = std::make_unique<Instances>(tasks_, client(), scaled_, kTag);
  }

  static Task<> find_into(InstancesTest* test, std::string id) {
    Found found = co_await test->instances_->find(id);
    test->found_.insert_or_assign(id, std::move(found));
  }
  void ask(int from, int to) {
    for (int i = from; i < to; ++i) tasks_.spawn("find", find_into(this, id_of(i)));
  }
  void until_found(size_t many) {
    run_until([&] { return found_.size() == many; });
  }
  Found find(int i) { return run(instances_->find(id_of(i))); }

  std::unique_ptr<Instances> instances_;
  std::map<std::string, Found> found_;
};

TEST_F(InstancesTest, ManyAtOnceAreOneCall) {
  on(kDescribe, described(instance(id_of(0), "running", "ip-1", kTag) + instance(id_of(1))));
  ask(0, 50);
  until_found(50);
  EXPECT_EQ(count(kDescribe), 1);
  EXPECT_THAT(last(kDescribe), HasSubstr(id_of(49)));
  const Found& first = found_.at(id_of(0));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->private_dns_name, "ip-1");
  EXPECT_TRUE(instances_->bears_tag(**first));
  EXPECT_FALSE(instances_->bears_tag(**found_.at(id_of(1))));
  ASSERT_TRUE(found_.at(id_of(2)));
  EXPECT_FALSE(*found_.at(id_of(2))) << "EC2 knows none of this id";
}

TEST_F(InstancesTest, WhoAsksTogetherForOneIsAnsweredTogether) {
  on(kDescribe, described(instance(id_of(0))));
  held_ = {kDescribe};
  ask(0, 1);
  run_until([&] { return count(kDescribe) == 1; });
  tasks_.spawn("the other", find_into(this, id_of(0)));
  tasks_.spawn("another", find_into(this, id_of(1)));
  pass(Millis(20));
  EXPECT_TRUE(found_.empty());
  held_.clear();
  until_found(2);
  EXPECT_TRUE(*found_.at(id_of(0)));
  EXPECT_FALSE(*found_.at(id_of(1)));
  EXPECT_EQ(count(kDescribe), 2) << "what is asked meanwhile goes together, too";
}

TEST_F(InstancesTest, WhatWasAnsweredIsRememberedForAWhile) {
  on(kDescribe, described(instance(id_of(0), "running")));
  on(kDescribe, described(""));
  on(kDescribe, described(instance(id_of(0), "terminated")));
  EXPECT_EQ((*find(0))->state, "running");
  EXPECT_FALSE(*find(1)) << "that there is none, too";
  const int asked = count(kDescribe);
  EXPECT_EQ((*find(0))->state, "running");
  EXPECT_FALSE(*find(1));
  EXPECT_EQ(count(kDescribe), asked);
  scale_time(1'000);  // the clock leaps with it
  pass(Seconds(61));
  EXPECT_EQ((*find(0))->state, "terminated");
}

TEST_F(InstancesTest, WhenEc2IsDownItIsAnErrorAndAskedAgain) {
  refuse_ec2("Unavailable");
  on(kDescribe, described(instance(id_of(0))));
  ask(0, 3);
  until_found(3);
  for (const auto& [id, found] : found_) {
    ASSERT_FALSE(found) << id;
    EXPECT_EQ(found.error().kind, ErrorKind::kRetryable);
    EXPECT_THAT(found.error().message, HasSubstr("DescribeInstances"));
  }
  EXPECT_EQ(count(kDescribe), 1) << "nobody asks for himself";
  const Found again = find(0);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(*again);
}

TEST_F(InstancesTest, AMissingRightIsAnErrorToo) {
  refuse_ec2("UnauthorizedOperation", 403);
  const Found found = find(0);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kDenied);
}

TEST_F(InstancesTest, WhatIsNoIdIsNobody) {
  on(kDescribe, described(""));
  const Found found = run(instances_->find("mi-1; drop"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(*found);
}

TEST_F(InstancesTest, TheTaggedOnesAreListedAndAFailureChangesNothing) {
  scale_time(100);  // thirty seconds in a third of one
  on(kDescribe, described(instance(id_of(0)) + instance(id_of(1))));
  refuse_ec2("Unavailable");
  refuse_ec2("Unavailable");
  on(kDescribe, described(instance(id_of(1))));
  std::vector<int> failures;
  instances_->on_failure = [&](const Error&, int in_a_row) { failures.push_back(in_a_row); };
  EXPECT_FALSE(instances_->listed());
  TaskGroup group(executor());
  group.spawn("list", instances_->keep_listing());
  run_until([&] { return instances_->listed(); });
  EXPECT_THAT(last(kDescribe), HasSubstr("spot")) << "by the tag's key";
  EXPECT_TRUE(instances_->is_tagged(id_of(0)));
  EXPECT_FALSE(instances_->is_tagged(id_of(2)));
  run_until([&] { return failures.size() == 2; });
  EXPECT_THAT(failures, ElementsAre(1, 2));
  EXPECT_EQ(instances_->tagged().size(), 2U) << "as last known";
  run_until([&] { return instances_->tagged().size() == 1; });
  EXPECT_FALSE(instances_->is_tagged(id_of(0)));
  group.cancel();
  run(group.join());
}

}  // namespace
}  // namespace spotkeeper::app
