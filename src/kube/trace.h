// SPDX-License-Identifier: Apache-2.0
// What a watch keeps of an object: its version, to know what has changed, and by what it is known,
// to tell that it has gone. Of pods and nodes, of which there are thousands, nothing more.
#pragma once

#include <string>
#include <utility>

#include "kube/objects.h"

namespace spotkeeper::kube {

// All of it.
template <class T>
class Trace {
 public:
  const std::string& version() const { return record_.resource_version; }
  void follow(T record) { record_ = std::move(record); }
  T last(const std::string& uid) && {
    record_.uid = uid;
    return std::move(record_);
  }

 private:
  T record_;
};

// uid, node and resourceVersion.
template <>
class Trace<Pod> {
 public:
  const std::string& version() const { return version_; }
  void follow(const Pod& pod) {
    version_ = pod.resource_version;
    if (node_ != pod.node) node_ = pod.node;
  }
  Pod last(const std::string& uid) && {
    Pod pod;
    pod.uid = uid;
    pod.node = std::move(node_);
    pod.resource_version = std::move(version_);
    return pod;
  }

 private:
  std::string version_;
  std::string node_;
};

// uid, name and resourceVersion.
template <>
class Trace<Node> {
 public:
  const std::string& version() const { return version_; }
  void follow(const Node& node) {
    version_ = node.resource_version;
    if (name_ != node.name) name_ = node.name;
  }
  Node last(const std::string& uid) && {
    Node node;
    node.uid = uid;
    node.name = std::move(name_);
    node.resource_version = std::move(version_);
    return node;
  }

 private:
  std::string version_;
  std::string name_;
};

}  // namespace spotkeeper::kube
