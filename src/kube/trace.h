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

// uid, resourceVersion and one field more.
template <class T, std::string T::* kField>
class ShortTrace {
 public:
  const std::string& version() const { return version_; }
  void follow(const T& record) {
    version_ = record.resource_version;
    if (field_ != record.*kField) field_ = record.*kField;
  }
  T last(const std::string& uid) && {
    T record;
    record.uid = uid;
    record.resource_version = std::move(version_);
    record.*kField = std::move(field_);
    return record;
  }

 private:
  std::string version_;
  std::string field_;
};

template <>
class Trace<Pod> : public ShortTrace<Pod, &Pod::node> {};

template <>
class Trace<Node> : public ShortTrace<Node, &Node::name> {};

}  // namespace spotkeeper::kube
