// SPDX-License-Identifier: Apache-2.0
// What the decoders of objects.cc and workloads.cc share.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/label_selector.h"
#include "base/result.h"

namespace spotkeeper::kube {

// What identifies every object; the kind only serves the message.
template <class T>
Result<T> with_identity(const boost::json::value& object, const char* kind) {
  T record;
  record.name = text_at(object, {"metadata", "name"});
  record.uid = text_at(object, {"metadata", "uid"});
  record.resource_version = text_at(object, {"metadata", "resourceVersion"});
  if (record.name.empty()) return permanent(std::string(kind) + " without metadata.name");
  if (record.uid.empty()) {
    return permanent(std::string(kind) + " " + record.name + " without metadata.uid");
  }
  return record;
}

// … and what every object of a namespace has beside.
template <class T>
Result<T> with_namespace(const boost::json::value& object, const char* kind) {
  Result<T> record = with_identity<T>(object, kind);
  if (!record) return record;
  record->ns = text_at(object, {"metadata", "namespace"});
  if (record->ns.empty()) {
    return permanent(std::string(kind) + " " + record->name + " without metadata.namespace");
  }
  return record;
}

Labels labels_at(const boost::json::value& root, Path path);

// Absent: there is none.
std::optional<LabelSelector> selector_at(const boost::json::value& root, Path path);

}  // namespace spotkeeper::kube
