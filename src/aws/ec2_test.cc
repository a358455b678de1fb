// SPDX-License-Identifier: Apache-2.0
#include "aws/ec2.h"

#include <gmock/gmock.h>

#include "aws/aws_fixture.h"

namespace spotkeeper::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class Ec2Test : public AwsFixture {
 protected:
  Client& client() {
    if (!made_) made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
    return *made_;
  }
  void refuse(const std::string& code, const std::string& message) {
    reply("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>" + code +
              "</Code><Message>" + message +
              "</Message></Error></Errors><RequestID>r-1</RequestID></Response>",
          400);
  }

  FixedCredentials keys_{session("1")};
  std::unique_ptr<Client> made_;
};

std::string described(const std::string& instances, const std::string& token = "") {
  return "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
         "<requestId>8f7724cf</requestId><reservationSet><item><reservationId>r-1</reservationId>"
         "<groupSet/><instancesSet>" +
         instances + "</instancesSet></item></reservationSet>" +
         (token.empty() ? "" : "<nextToken>" + token + "</nextToken>") +
         "</DescribeInstancesResponse>";
}

// As the API reference answers, and as a node of EKS has addresses.
const std::string& instance() {
  static const std::string text =
      "<item><instanceId>i-1234567890abcdef0</instanceId><imageId>ami-1</imageId>"
      "<instanceState><code>16</code><name>running</name></instanceState>"
      "<privateDnsName>ip-192-168-1-88.eu-west-1.compute.internal</privateDnsName><reason/>"
      "<instanceType>c5.large</instanceType><placement>"
      "<availabilityZone>eu-west-1c</availabilityZone>"
      "<groupName/><tenancy>default</tenancy></placement>"
      "<networkInterfaceSet><item><privateIpAddressesSet><item>"
      "<privateDnsName>ip-other</privateDnsName></item></privateIpAddressesSet></item>"
      "</networkInterfaceSet><instanceLifecycle>spot</instanceLifecycle><tagSet>"
      "<item><key>aws:autoscaling:groupName</key><value>my-asg</value></item>"
      "<item><key>aws-node-termination-handler/managed</key><value/></item></tagSet></item>";
  return text;
}

TEST_F(Ec2Test, DescribesInstances) {
  reply(described(instance() + "<item><instanceId>i-0b</instanceId><instanceState><code>48</code>"
                               "<name>terminated</name></instanceState><privateDnsName/></item>"));
  const auto found = run(describe_instances(client(), {"i-1234567890abcdef0", "i-0b", "i-0c"}));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(found->size(), 2u);
  const Ec2Instance& first = found->at(0);
  EXPECT_EQ(first.id, "i-1234567890abcdef0");
  EXPECT_EQ(first.state, "running");
  EXPECT_EQ(first.private_dns_name, "ip-192-168-1-88.eu-west-1.compute.internal");
  EXPECT_EQ(first.zone, "eu-west-1c");
  EXPECT_EQ(first.type, "c5.large");
  EXPECT_EQ(first.lifecycle, "spot");
  EXPECT_THAT(first.tags, ElementsAre(Pair("aws-node-termination-handler/managed", ""),
                                      Pair("aws:autoscaling:groupName", "my-asg")));
  EXPECT_EQ(found->at(1).state, "terminated");
  EXPECT_EQ(found->at(1).private_dns_name, "");
  EXPECT_EQ(found->at(1).lifecycle, "");
  EXPECT_EQ(seen_.at(0).body,
            "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=instance-id"
            "&Filter.1.Value.1=i-1234567890abcdef0&Filter.1.Value.2=i-0b&Filter.1.Value.3=i-0c"
            "&MaxResults=100");
}

TEST_F(Ec2Test, NoneThatIsKnownIsAnEmptyAnswer) {
  reply(
      "<DescribeInstancesResponse><requestId>r</requestId><reservationSet/>"
      "</DescribeInstancesResponse>");
  const auto found = run(describe_instances(client(), {"i-0b"}));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_THAT(*found, IsEmpty());
}

TEST_F(Ec2Test, DescribesInHundreds) {
  reply(described(instance()));
  const std::vector<std::string> ids(201, "i-0a");
  const auto found = run(describe_instances(client(), ids));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(seen_.size(), 3u);
  EXPECT_THAT(seen_[0].body, HasSubstr("Filter.1.Value.100="));
  EXPECT_THAT(seen_[0].body, Not(HasSubstr("Filter.1.Value.101=")));
  EXPECT_THAT(seen_[2].body, HasSubstr("Filter.1.Value.1=i-0a&MaxResults"));
}

// A filter takes patterns: a "*" in a message must not ask for everything.
TEST_F(Ec2Test, WhatIsNoIdIsNotAskedFor) {
  const std::vector<std::string> none{
      "i-*", "*", "", "i-", "i-0A", "i-0g", "mi-0a", "i-0a ", "i-" + std::string(70, '0')};
  for (const std::string& id : none) EXPECT_FALSE(is_instance_id(id)) << id;
  for (const char* id : {"i-0", "i-abcd1111", "i-0123456789abcdef0"}) {
    EXPECT_TRUE(is_instance_id(id)) << id;
  }
  const auto found = run(describe_instances(client(), none));
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(Ec2Test, Refusals) {
  struct Row {
    const char* code;
    ErrorKind kind;
  };
  for (const Row& row : {Row{"UnauthorizedOperation", ErrorKind::kDenied},
                         Row{"RequestLimitExceeded", ErrorKind::kRetryable},
                         Row{"InvalidParameterValue", ErrorKind::kPermanent}}) {
    replies_.clear();
    refuse(row.code, "No.");
    const auto found = run(describe_instances(client(), {"i-0a"}));
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().kind, row.kind) << found.error().message;
    EXPECT_EQ(found.error().reason, row.code);
    EXPECT_THAT(found.error().message, HasSubstr("(request r-1)"));
  }
}

TEST_F(Ec2Test, AnAnswerThatIsNoneIsAnError) {
  reply("<html><body>Welcome</body></html>");
  const auto found = run(describe_instances(client(), {"i-0a"}));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().message,
            "ec2 DescribeInstances: the answer is no <DescribeInstancesResponse>");
}

TEST_F(Ec2Test, TaggedInstancesPageByPage) {
  reply(described(instance(), "more"));
  reply(described("<item><instanceId>i-0b</instanceId></item>"));
  const auto ids = run(describe_tagged_instances(client(), "nth/*"));
  ASSERT_TRUE(ids.has_value()) << ids.error().message;
  EXPECT_THAT(*ids, ElementsAre("i-1234567890abcdef0", "i-0b"));
  EXPECT_EQ(seen_.at(0).body,
            "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag-key"
            "&Filter.1.Value.1=nth%2F%5C%2A&MaxResults=100");
  EXPECT_THAT(seen_.at(1).body, HasSubstr("&NextToken=more"));
}

TEST_F(Ec2Test, PagesWithoutAnEndAreAnError) {
  reply(described("", "same"));
  const auto ids = run(describe_tagged_instances(client(), "k"));
  ASSERT_FALSE(ids.has_value());
  EXPECT_THAT(ids.error().message, HasSubstr("pages without an end"));
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(Ec2Test, TerminatesInstances) {
  reply("<TerminateInstancesResponse><instancesSet/></TerminateInstancesResponse>");
  EXPECT_TRUE(run(terminate_instances(client(), {"i-0a", "i-0b"})).has_value());
  EXPECT_EQ(seen_.at(0).body,
            "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-0a&InstanceId.2=i-0b");
  EXPECT_TRUE(run(terminate_instances(client(), {})).has_value());
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(Ec2Test, AnUnknownInstanceIsGone) {
  refuse("InvalidInstanceID.NotFound", "The instance ID 'i-0a' does not exist");
  const auto done = run(terminate_instances(client(), {"i-0a"}));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind, ErrorKind::kGone);
  EXPECT_EQ(done.error().message,
            "ec2 TerminateInstances i-0a: InvalidInstanceID.NotFound: The instance ID 'i-0a' does "
            "not exist (request r-1)");
}

}  // namespace
}  // namespace spotkeeper::aws
