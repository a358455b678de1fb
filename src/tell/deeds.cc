// SPDX-License-Identifier: Apache-2.0
#include "tell/deeds.h"

#include <fmt/format.h>

namespace spotkeeper::tell {

using core::What;

const char* action_label(DeedKind kind) {
  switch (kind) {
    case DeedKind::kPreDrain:
      return "pre-drain";
    case DeedKind::kCordon:
      return "cordon";
    case DeedKind::kCordonAndDrain:
      return "cordon-and-drain";
    case DeedKind::kPostDrain:
      return "post-drain";
    case DeedKind::kUncordon:
      return "uncordon";
  }
  return "unknown";
}

const char* reason_of(const Deed& deed) {
  switch (deed.kind) {
    case DeedKind::kPreDrain:
      return deed.done ? "PreDrain" : "PreDrainError";
    case DeedKind::kCordon:
      return deed.done ? "Cordon" : "CordonError";
    case DeedKind::kCordonAndDrain:
      return deed.done ? "CordonAndDrain" : "CordonAndDrainError";
    case DeedKind::kPostDrain:
      return deed.done ? "PostDrain" : "PostDrainError";
    case DeedKind::kUncordon:
      return deed.done ? "Uncordon" : "UncordonError";
  }
  return "Unknown";
}

std::string sentence_of(const Deed& deed) {
  switch (deed.kind) {
    case DeedKind::kPreDrain:
      return deed.done ? "Pre-drain task successfully executed"
                       : "There was a problem executing the pre-drain task: " + deed.why;
    case DeedKind::kCordon:
      return deed.done ? "Node successfully cordoned"
                       : "There was a problem while trying to cordon the node: " + deed.why;
    case DeedKind::kCordonAndDrain:
      return deed.done
                 ? "Node successfully cordoned and drained"
                 : "There was a problem while trying to cordon and drain the node: " + deed.why;
    case DeedKind::kPostDrain:
      return deed.done ? "Post-drain task successfully executed"
                       : "There was a problem executing the post-drain task: " + deed.why;
    case DeedKind::kUncordon:
      return deed.done ? "Node successfully uncordoned"
                       : "There was a problem while trying to uncordon the node: " + deed.why;
  }
  return {};
}

std::vector<Deed> Deeds::translated(const core::Entry& entry, const core::Drain& drain,
                                    bool marks_only) const {
  const DeedKind all = marks_only ? DeedKind::kCordon : DeedKind::kCordonAndDrain;
  switch (entry.what) {
    case What::kMarked:
      if (marks_only) return {{DeedKind::kPreDrain}, {DeedKind::kCordon}};
      return {{DeedKind::kPreDrain}};
    case What::kMarkFailed:
      return {{DeedKind::kPreDrain, false, entry.text}};
    case What::kDenied:
      // Of the host before it is marked: of its mark.
      if (!entry.unit.empty() || marked_) return {};
      return {{DeedKind::kPreDrain, false, entry.text}};
    case What::kUndone:
      return {{DeedKind::kUncordon}};
    case What::kFailed:
      if (!entry.unit.empty() || !drain.withdrawn()) return {};
      return {{DeedKind::kUncordon, false, entry.text}};
    case What::kFinished:
      if (drain.withdrawn()) return {};
      if (marks_only && told_.contains({all, true})) return {};
      // A warning at the end says who is still ending, each told in time.
      return {{all, entry.level != core::Level::kError && (!marks_only || marked_), entry.text}};
    default:
      return {};
  }
}

std::vector<Deed> Deeds::on(const core::Entry& entry, const core::Drain& drain, bool marks_only) {
  if (drain.notice().id != notice_) {
    notice_ = drain.notice().id;
    told_.clear();
    marked_ = false;
  }
  std::vector<Deed> news;
  for (Deed& deed : translated(entry, drain, marks_only)) {
    if (deed.done) deed.why.clear();
    if (told_.emplace(deed.kind, deed.done).second) news.push_back(std::move(deed));
  }
  marked_ = marked_ || entry.what == What::kMarked;
  return news;
}

}  // namespace spotkeeper::tell
