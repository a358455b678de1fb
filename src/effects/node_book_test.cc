// SPDX-License-Identifier: Apache-2.0
#include "effects/node_book.h"

#include <gtest/gtest.h>

namespace spotkeeper::effects {
namespace {

kube::Node node(const std::string& name, const std::string& instance,
                const std::string& hostname = {}) {
  kube::Node node;
  node.name = name;
  if (!instance.empty()) node.provider_id = "aws:///eu-west-1a/" + instance;
  if (!hostname.empty()) node.labels["kubernetes.io/hostname"] = hostname;
  return node;
}

std::string name_of(const kube::Node* node) {
  return node == nullptr ? "nobody" : node->name;
}

TEST(NodeBook, FindsNodesByTheirInstance) {
  NodeBook book;
  book.put(node("a", "i-1"));
  book.put(node("b", "i-2"));
  EXPECT_EQ(name_of(book.by_instance("i-2")), "b");
  EXPECT_EQ(name_of(book.by_instance("i-3")), "nobody");
  EXPECT_EQ(name_of(book.by_instance("")), "nobody");
  book.erase("b");
  EXPECT_EQ(name_of(book.by_instance("i-2")), "nobody");
}

// By cluster name and zone alone no node of another provider is taken for one of AWS's.
TEST(NodeBook, ReadsOnlyProviderIdsOfAws) {
  for (const auto& [id, instance] : std::initializer_list<std::pair<const char*, const char*>>{
           {"aws:///eu-west-1a/i-0123456789abcdef0", "i-0123456789abcdef0"},
           {"aws://eu-west-1a/i-01", "i-01"},
           {"kind://docker/kind/kind-worker", ""},
           {"aws:///eu-west-1a/fargate-ip-10-0-0-1", ""},
           {"i-01", ""},
           {"", ""}}) {
    kube::Node each;
    each.provider_id = id;
    EXPECT_EQ(instance_of(each), instance) << id;
  }
}

TEST(NodeBook, ElseByTheLabelOfEksctl) {
  NodeBook book;
  kube::Node each = node("a", "");
  each.labels["alpha.eksctl.io/instance-id"] = "i-7";
  book.put(each);
  EXPECT_EQ(name_of(book.by_instance("i-7")), "a");
}

TEST(NodeBook, ElseByTheInstancesPrivateDnsName) {
  NodeBook book;
  book.put(node("ip-10-0-0-1.ec2.internal", ""));
  book.put(node("worker", "", "ip-10-0-0-2.ec2.internal"));
  book.put(node("short", "", "ip-10-0-0-3"));
  EXPECT_EQ(name_of(book.by_dns_name("ip-10-0-0-1.ec2.internal")), "ip-10-0-0-1.ec2.internal");
  EXPECT_EQ(name_of(book.by_dns_name("ip-10-0-0-2.ec2.internal")), "worker");
  EXPECT_EQ(name_of(book.by_dns_name("ip-10-0-0-3.ec2.internal")), "short");
  EXPECT_EQ(name_of(book.by_dns_name("ip-10-0-0-4.ec2.internal")), "nobody");
  EXPECT_EQ(name_of(book.by_dns_name("")), "nobody");
}

// A node that comes back by its name on another instance is that instance from then on.
TEST(NodeBook, ANameThatChangesItsInstanceIsFoundByTheNewOneOnly) {
  NodeBook book;
  book.put(node("a", "i-1", "h1"));
  book.put(node("a", "i-2", "h2"));
  EXPECT_EQ(name_of(book.by_instance("i-1")), "nobody");
  EXPECT_EQ(name_of(book.by_instance("i-2")), "a");
  EXPECT_EQ(name_of(book.by_dns_name("h1")), "nobody");
  EXPECT_EQ(name_of(book.by_dns_name("h2")), "a");
}

TEST(NodeBook, AnInstanceThatChangesItsNodeIsNotForgottenWithTheOldOne) {
  NodeBook book;
  book.put(node("old", "i-1"));
  book.put(node("new", "i-1"));
  book.erase("old");
  EXPECT_EQ(name_of(book.by_instance("i-1")), "new");
}

}  // namespace
}  // namespace spotkeeper::effects
