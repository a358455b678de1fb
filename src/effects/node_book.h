// SPDX-License-Identifier: Apache-2.0
// All nodes of the cluster as they were last seen, found by what AWS calls their instance: its id
// in spec.providerID first, else its private DNS name, which is the node's name or hostname label.
// Pure bookkeeping; a watch feeds it.
#pragma once

#include <map>
#include <string>

#include "kube/objects.h"

namespace spotkeeper::effects {

// "i-0123456789abcdef0" of "aws:///eu-west-1a/i-0123456789abcdef0", else of eksctl's label
// alpha.eksctl.io/instance-id; empty when it is none of AWS's.
std::string instance_of(const kube::Node& node);

// Empty when the node does not bear it.
std::string label_of(const kube::Node& node, const std::string& key);

class NodeBook {
 public:
  void put(const kube::Node& node);
  void erase(const std::string& name);

  // nullptr: there is none.
  const kube::Node* find(const std::string& name) const;
  const kube::Node* by_instance(const std::string& id) const;
  // "ip-10-0-1-7.ec2.internal": a node of that name, or with it (or its first part) as its label
  // kubernetes.io/hostname.
  const kube::Node* by_dns_name(const std::string& name) const;

  const std::map<std::string, kube::Node>& all() const { return nodes_; }

 private:
  void forget_names(const kube::Node& node);

  std::map<std::string, kube::Node> nodes_;
  std::map<std::string, std::string> by_instance_;  // name
  std::map<std::string, std::string> by_label_;     // name
};

}  // namespace spotkeeper::effects
