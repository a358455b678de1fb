// SPDX-License-Identifier: Apache-2.0
#include "app/ownership.h"

#include <utility>

namespace spotkeeper::app {

std::string Ownership::node_of(const std::string& instance) const {
  const kube::Node* node = nodes_.by_instance(instance);
  return node == nullptr ? std::string() : node->name;
}

// By the cluster alone where that is enough. EC2 is asked about the tag of an instance that is not
// among those listed, and about the name of one that is no node by its provider id.
Task<Whose> Ownership::whose(sources::QueueEvent event) {
  using Answer = Whose::Answer;
  const std::string id = event.instance.value;
  Whose whose{.node = node_of(id), .managed = instances_.is_tagged(id)};
  const bool may = !options_.check_tag || whose.managed;
  if (!whose.node.empty() && may) {
    whose.answer = Answer::kOurs;
    co_return whose;
  }
  const auto found = co_await instances_.find(id);
  whose.node = node_of(id);  // it may have joined meanwhile
  if (!found) {
    // The instance ends whatever its tag says, and it is a node of ours.
    const bool ends = event.kind != core::NoticeKind::kRebalanceRecommendation &&
                      event.kind != core::NoticeKind::kAsgLaunch;
    if (!whose.node.empty() && ends) {
      log_.warning("EC2 does not say whether the instance is tagged; it ends, and so is drained: " +
                       found.error().message,
                   {{"instance-id", id}});
      whose.answer = Answer::kOurs;
    }
    co_return whose;
  }
  if (!*found) {
    // EC2 has forgotten it; its node may still be there.
    whose.answer = whose.node.empty() ? Answer::kNobodys : Answer::kOurs;
    co_return whose;
  }
  const aws::Ec2Instance& instance = **found;
  whose.managed = instances_.bears_tag(instance);
  if (options_.check_tag && !whose.managed) {
    whose.answer = Answer::kNotManaged;
    co_return whose;
  }
  if (whose.node.empty()) {
    const kube::Node* node = nodes_.by_dns_name(instance.private_dns_name);
    // Two VPCs may have the same addresses, and so the same names: that node is another instance.
    if (node != nullptr && effects::instance_of(*node).empty()) whose.node = node->name;
  }
  const bool ended = instance.private_dns_name.empty() && instance.state != "running" &&
                     instance.state != "pending";
  whose.answer = !whose.node.empty() ? Answer::kOurs
                 : ended             ? Answer::kNobodys
                                     : Answer::kElsewhere;
  co_return whose;
}

}  // namespace spotkeeper::app
