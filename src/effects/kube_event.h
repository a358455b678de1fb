// SPDX-License-Identifier: Apache-2.0
// Kubernetes events as NTH's users know them, and the book by which one that happens again is
// counted on and not written anew. Pure.
// Source: Kubernetes API reference, core/v1 Event.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/clock.h"
#include "kube/objects.h"

namespace spotkeeper::effects {

struct KubeEvent {
  std::string kind;  // of what it is about: "Node", "Pod"
  std::string ns;    // the same, and of the event; empty: the event's is "default"
  std::string name;
  std::string uid;
  std::string reason;
  std::string message;
  bool warning = false;
  std::map<std::string, std::string> annotations = {};
};

// `uid` is its name, by which kubectl describe finds what a kubelet says of its node.
KubeEvent about_node(const std::string& node, std::string reason, std::string message);
KubeEvent about_pod(const kube::Pod& pod, std::string reason, std::string message);

// What is to be sent for an event.
struct EventWrite {
  std::string ns;
  std::string name;    // the Event's own
  bool again = false;  // a patch of one that is there
  boost::json::object body = {};
};

class EventBook {
 public:
  // `host`: the node that says it.
  explicit EventBook(std::string host) : host_(std::move(host)) {}

  EventWrite write(const KubeEvent& event, Time now);

  // The one that was to be patched is gone: it begins anew.
  void forget(const KubeEvent& event);

  // So many are remembered.
  static constexpr size_t kMost = 256;

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  struct Known {
    std::string name;
    int count = 1;
  };
  static Key key_of(const KubeEvent& event);

  std::string host_;
  std::map<Key, Known> known_;
  std::deque<Key> order_;
  uint64_t number_ = 0;
};

}  // namespace spotkeeper::effects
