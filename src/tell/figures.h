// SPDX-License-Identifier: Apache-2.0
// The figures of drains, made from the journal: what NTH counts, by its names, and what matters
// beside. Owned by who serves the metrics; the counters and histograms must outlive it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

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

  // For how long Services had no Ready endpoint, in all, those drains' that run included.
  double dark_seconds(const std::vector<const core::Drain*>& drains, Time now) const;

  // Nothing more is heard of the host's last drain.
  void forget(const core::HostId& host);

  static constexpr int kMostNodeActions = 200;

 private:
  Counters& counters_;
  Histograms& histograms_;
  bool per_node_;
  int node_actions_ = 0;
  std::map<core::HostId, core::NoticeId> marked_;  // the last notice each was marked for
  double dark_s_ = 0;                              // of drains that are over
  std::map<core::HostId, Time> counted_dark_;      // the last of each host, by its start
};

}  // namespace spotkeeper::tell
