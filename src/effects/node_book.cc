// SPDX-License-Identifier: Apache-2.0
#include "effects/node_book.h"

#include <utility>

namespace spotkeeper::effects {
namespace {

// Source: Kubernetes, "Well-Known Labels, Annotations and Taints".
constexpr const char* kHostnameLabel = "kubernetes.io/hostname";

// Source: eksctl, which sets it where the provider id comes late.
constexpr const char* kEksctlLabel = "alpha.eksctl.io/instance-id";

// Unless it belongs to another node by now.
void erase_if(std::map<std::string, std::string>& names, const std::string& key,
              const std::string& name) {
  const auto found = names.find(key);
  if (found != names.end() && found->second == name) names.erase(found);
}

}  // namespace

std::string label_of(const kube::Node& node, const std::string& key) {
  const auto label = node.labels.find(key);
  return label == node.labels.end() ? std::string() : label->second;
}

std::string instance_of(const kube::Node& node) {
  const size_t slash = node.provider_id.rfind('/');
  const std::string last =
      slash == std::string::npos ? std::string() : node.provider_id.substr(slash + 1);
  if (node.provider_id.starts_with("aws://") && last.starts_with("i-")) return last;
  return label_of(node, kEksctlLabel);
}

void NodeBook::put(const kube::Node& node) {
  const auto known = nodes_.find(node.name);
  if (known != nodes_.end()) forget_names(known->second);
  if (std::string id = instance_of(node); !id.empty()) {
    by_instance_.insert_or_assign(std::move(id), node.name);
  }
  if (std::string label = label_of(node, kHostnameLabel); !label.empty()) {
    by_label_.insert_or_assign(std::move(label), node.name);
  }
  nodes_.insert_or_assign(node.name, node);
}

void NodeBook::erase(const std::string& name) {
  const auto known = nodes_.find(name);
  if (known == nodes_.end()) return;
  forget_names(known->second);
  nodes_.erase(known);
}

void NodeBook::forget_names(const kube::Node& node) {
  erase_if(by_instance_, instance_of(node), node.name);
  erase_if(by_label_, label_of(node, kHostnameLabel), node.name);
}

const kube::Node* NodeBook::find(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second;
}

const kube::Node* NodeBook::by_instance(const std::string& id) const {
  const auto found = by_instance_.find(id);
  return found == by_instance_.end() ? nullptr : find(found->second);
}

const kube::Node* NodeBook::by_dns_name(const std::string& name) const {
  if (name.empty()) return nullptr;
  for (const std::string& each : {name, name.substr(0, name.find('.'))}) {
    const auto labelled = by_label_.find(each);
    if (labelled != by_label_.end()) return find(labelled->second);
  }
  return find(name);
}

}  // namespace spotkeeper::effects
