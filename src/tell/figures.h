// SPDX-License-Identifier: Apache-2.0
// The figures of drains, made from the journal: what NTH counts, by its names, and what matters
// beside. Owned by who serves the metrics; the counters and histograms must outlive it. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/counters.h"
#include "base/histograms.h"
#include "core/drain.h"
#include "tell/deeds.h"

namespace spotkeeper::tell {

class Figures {
 public:
  // `per_node`: NTH's actions_node_total, too, at most kMostNodeActions series of it.
  Figures(Counters& counters, Histograms& histograms, bool per_node);

  // A notice that is not the last one.
  void heard(const core::Notice& notice);
  // `at`: when it was.
  void noted(const core::Entry& entry, const core::Drain& drain);
  // For that notice, with the node of that name.
  void did(const Deed& deed, const core::NoticeId& notice, const std::string& node);
  // A poll of that monitor failed.
  void failed(const std::string& monitor);
  void finished(const core::Drain& drain, Time now);

  // For how long Services had no Ready endpoint, in all, the drain's that runs included.
  double dark_seconds(const core::Drain* drain, Time now) const;

  static constexpr int kMostNodeActions = 200;

 private:
  Counters& counters_;
  Histograms& histograms_;
  bool per_node_;
  int node_actions_ = 0;
  core::NoticeId marked_;
  double dark_s_ = 0;                 // of drains that are over
  std::optional<Time> counted_dark_;  // the last of them, by its start
};

}  // namespace spotkeeper::tell
