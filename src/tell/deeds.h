// SPDX-License-Identifier: Apache-2.0
// The journal of one host's drain as the deeds that NTH counts and writes events about: pre-drain,
// cordon, cordon-and-drain, uncordon. Each is told once a notice and outcome, however often the
// journal speaks of it. Pure.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::tell {

// Post-drain is queue mode's: the message is done with, the lifecycle hook completed.
enum class DeedKind { kPreDrain, kCordon, kCordonAndDrain, kPostDrain, kUncordon };

struct Deed {
  DeedKind kind = DeedKind::kPreDrain;
  bool done = true;      // false: it failed
  std::string why = {};  // how it failed

  bool operator==(const Deed&) const = default;
};

const char* action_label(DeedKind kind);  // "cordon-and-drain": the label node_action
const char* reason_of(const Deed& deed);  // "CordonAndDrain", "CordonAndDrainError"
// "Node successfully cordoned and drained", or what failed and how.
std::string sentence_of(const Deed& deed);

class Deeds {
 public:
  // `marks_only`: the drain does no more than that (CORDON_ONLY).
  std::vector<Deed> on(const core::Entry& entry, const core::Drain& drain, bool marks_only);

 private:
  std::vector<Deed> translated(const core::Entry& entry, const core::Drain& drain,
                               bool marks_only) const;

  core::NoticeId notice_;
  std::set<std::pair<DeedKind, bool>> told_;  // of this notice
  bool marked_ = false;
};

}  // namespace spotkeeper::tell
