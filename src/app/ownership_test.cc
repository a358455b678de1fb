// SPDX-License-Identifier: Apache-2.0
#include "app/ownership.h"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

#include "aws/cloud_fixture.h"

namespace spotkeeper::app {
namespace {

using Answer = Whose::Answer;
using Kind = core::NoticeKind;

constexpr const char* kTag = "team/spot";
constexpr const char* kId = "i-0a";
constexpr const char* kDnsName = "ip-10-0-1-7.eu-west-1.compute.internal";

// The cluster's node of this instance: none, one by its provider id, one by its private DNS name
// only, one that bears the same name and is another instance.
enum class Node { kNone, kById, kByName, kNamesake };
enum class Tag { kNotNeeded, kListed, kHas, kHasNot };
enum class Ec2 { kRunning, kEnded, kNone, kDown };

struct Row {
  const char* name;
  Node node;
  Tag tag;
  Ec2 ec2;
  Kind kind;
  Answer answer;
  bool asks;  // EC2 is
};
// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest looks for this name
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class OwnershipMeanwhile : public aws::CloudFixture {
 protected:
  void SetUp() override {
    CloudFixture::SetUp();
    instances_ = std::make_unique<Instances>(tasks_, client(), scaled_, kTag);
  }

  void join(const std::string& provider_id, const std::string& name) {
    kube::Node node;
    node.name = name;
    node.provider_id = provider_id;
    nodes_.put(node);
  }
  void say(Ec2 ec2, bool tagged) {
    const std::string tag = tagged ? kTag : "";
    if (ec2 == Ec2::kDown) return refuse_ec2("Unavailable");
    const std::string each = ec2 == Ec2::kRunning ? instance(kId, "running", kDnsName, tag)
                             : ec2 == Ec2::kEnded ? instance(kId, "terminated", "", tag)
                                                  : "";
    on("DescribeInstances", described(each));
  }
  void list_tagged() {
    on("DescribeInstances", described(instance(kId)));
    TaskGroup group(executor());
    group.spawn("list", instances_->keep_listing());
    run_until([&] { return instances_->listed(); });
    group.cancel();
    run(group.join());
    script_.clear();
    asked_.clear();
  }
  Whose whose(Kind kind = Kind::kSpotInterruption) {
    sources::QueueEvent event{.kind = kind, .instance = core::InstanceId(kId)};
    Ownership ownership(options_of_queue_, nodes_, *instances_, log_);
    return run(ownership.whose(std::move(event)));
  }

  config::QueueOptions options_of_queue_;
  effects::NodeBook nodes_;
  observe::Log log_{scaled_, {.silent = true}};
  std::unique_ptr<Instances> instances_;
};

class OwnershipTest : public OwnershipMeanwhile, public testing::WithParamInterface<Row> {};

TEST_P(OwnershipTest, IsFoundOut) {
  const Row& row = GetParam();
  if (row.node == Node::kById) join("aws:///eu-west-1a/" + std::string(kId), "n1");
  if (row.node == Node::kByName) join("", kDnsName);
  if (row.node == Node::kNamesake) join("aws:///eu-west-1a/i-0b", kDnsName);
  options_of_queue_.check_tag = row.tag != Tag::kNotNeeded;
  if (row.tag == Tag::kListed) list_tagged();
  say(row.ec2, row.tag == Tag::kHas || row.tag == Tag::kListed);
  const Whose found = whose(row.kind);
  EXPECT_EQ(found.answer, row.answer);
  EXPECT_EQ(count("DescribeInstances"), row.asks ? 1 : 0);
  if (row.answer == Answer::kOurs) {
    EXPECT_EQ(found.node, row.node == Node::kByName ? kDnsName : "n1");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, OwnershipTest,
    testing::Values(
        // By the cluster alone.
        Row{"known", Node::kById, Tag::kNotNeeded, Ec2::kDown, Kind::kSpotInterruption,
            Answer::kOurs, false},
        Row{"known_and_listed", Node::kById, Tag::kListed, Ec2::kDown, Kind::kSpotInterruption,
            Answer::kOurs, false},
        // The tag is asked for.
        Row{"known_and_tagged", Node::kById, Tag::kHas, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kOurs, true},
        Row{"known_and_untagged", Node::kById, Tag::kHasNot, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kNotManaged, true},
        Row{"known_and_forgotten_by_ec2", Node::kById, Tag::kHas, Ec2::kNone,
            Kind::kSpotInterruption, Answer::kOurs, true},
        Row{"known_tagged_and_ended", Node::kById, Tag::kHas, Ec2::kEnded, Kind::kStateChange,
            Answer::kOurs, true},
        // While EC2 is down, what ends is drained, and what only may end is not.
        Row{"known_and_ends", Node::kById, Tag::kHas, Ec2::kDown, Kind::kSpotInterruption,
            Answer::kOurs, true},
        Row{"known_and_ends_by_its_group", Node::kById, Tag::kHas, Ec2::kDown,
            Kind::kAsgTermination, Answer::kOurs, true},
        Row{"known_and_may_end", Node::kById, Tag::kHas, Ec2::kDown, Kind::kRebalanceRecommendation,
            Answer::kUnknown, true},
        Row{"known_and_begins", Node::kById, Tag::kHas, Ec2::kDown, Kind::kAsgLaunch,
            Answer::kUnknown, true},
        // No node by its provider id.
        Row{"by_name", Node::kByName, Tag::kNotNeeded, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kOurs, true},
        Row{"by_name_and_tagged", Node::kByName, Tag::kHas, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kOurs, true},
        Row{"by_name_and_listed", Node::kByName, Tag::kListed, Ec2::kRunning,
            Kind::kSpotInterruption, Answer::kOurs, true},
        Row{"by_name_and_untagged", Node::kByName, Tag::kHasNot, Ec2::kRunning,
            Kind::kSpotInterruption, Answer::kNotManaged, true},
        Row{"by_name_while_ec2_is_down", Node::kByName, Tag::kNotNeeded, Ec2::kDown,
            Kind::kSpotInterruption, Answer::kUnknown, true},
        Row{"of_another_vpc", Node::kNamesake, Tag::kNotNeeded, Ec2::kRunning,
            Kind::kSpotInterruption, Answer::kElsewhere, true},
        Row{"none", Node::kNone, Tag::kNotNeeded, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kElsewhere, true},
        Row{"none_and_tagged", Node::kNone, Tag::kHas, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kElsewhere, true},
        Row{"none_and_untagged", Node::kNone, Tag::kHasNot, Ec2::kRunning, Kind::kSpotInterruption,
            Answer::kNotManaged, true},
        Row{"none_and_ended", Node::kNone, Tag::kNotNeeded, Ec2::kEnded, Kind::kStateChange,
            Answer::kNobodys, true},
        Row{"none_tagged_and_ended", Node::kNone, Tag::kHas, Ec2::kEnded, Kind::kStateChange,
            Answer::kNobodys, true},
        Row{"nobody_knows_it", Node::kNone, Tag::kHas, Ec2::kNone, Kind::kSpotInterruption,
            Answer::kNobodys, true},
        Row{"none_while_ec2_is_down", Node::kNone, Tag::kNotNeeded, Ec2::kDown,
            Kind::kSpotInterruption, Answer::kUnknown, true}),
    [](const auto& row) { return std::string(row.param.name); });

Task<> whose_into(Ownership* ownership, Whose* whose) {
  sources::QueueEvent event{.kind = Kind::kSpotInterruption, .instance = core::InstanceId(kId)};
  *whose = co_await ownership->whose(std::move(event));
}

TEST_F(OwnershipMeanwhile, ANodeThatJoinsWhileEc2IsAskedIsOurs) {
  options_of_queue_.check_tag = false;
  say(Ec2::kRunning, false);
  held_ = {"DescribeInstances"};
  Ownership ownership(options_of_queue_, nodes_, *instances_, log_);
  Whose whose;
  TaskGroup group(executor());
  group.spawn("whose", whose_into(&ownership, &whose));
  run_until([&] { return count("DescribeInstances") == 1; });
  join("aws:///eu-west-1a/" + std::string(kId), "n1");
  held_.clear();
  run(group.join());
  EXPECT_EQ(whose.answer, Answer::kOurs);
  EXPECT_EQ(whose.node, "n1");
}

}  // namespace
}  // namespace spotkeeper::app
