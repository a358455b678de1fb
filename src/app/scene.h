// SPDX-License-Identifier: Apache-2.0
// Where hosts are managed, as far as one tells of them: what is known there of a host, and what is
// to be seen of it there. Owned by who runs; everybody who tells refers to it.
#pragma once

#include <map>
#include <string>

#include "core/host.h"
#include "core/unit.h"
#include "tell/instance.h"

namespace spotkeeper::app {

// What is known of a host there.
struct HostFacts {
  std::string provider_id = {};
  std::map<std::string, std::string> labels = {};
  tell::Instance instance = {};  // where no instance metadata is asked
  std::string description = {};  // of its notice, in NTH's words, where its source has them
  std::string group = {};        // of Auto Scaling, where that is known
  bool managed = false;          // it bears the tag of those that are ours to drain
};

class Scene {
 public:
  virtual ~Scene() = default;

  virtual HostFacts facts(const core::HostId&) const { return {}; }

  // What is to be seen of a host (kubectl get events), or of a unit of it. Nothing, where there is
  // no such thing.
  struct Tidings {
    std::string reason;  // "CordonAndDrain"
    std::string message;
    bool warning = false;
    std::map<std::string, std::string> annotations = {};
  };
  virtual void publish(const core::HostId&, const Tidings&) {}
  virtual void publish_of(const core::HostId&, const core::UnitId&, const Tidings&) {}

  // Why a notice could not be acted on now; empty: it could.
  virtual std::string unready() const { return {}; }
};

}  // namespace spotkeeper::app
