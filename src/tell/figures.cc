// SPDX-License-Identifier: Apache-2.0
#include "tell/figures.h"

#include <algorithm>
#include <array>

#include "core/verdict.h"

namespace spotkeeper::tell {
namespace {

using core::Verdict;
using core::What;

double seconds(Millis duration) {
  return static_cast<double>(duration.count()) / 1000.0;
}

double dark_of(const core::Drain& drain, Time now) {
  double sum = 0;
  for (const core::Outages::Line& line : drain.services()) sum += seconds(line.dark_until(now));
  return sum;
}

const core::Track* find_track(const core::Drain& drain, const std::string& unit) {
  for (const core::Track* track : drain.tracks()) {
    if (track->unit.name == unit) return track;
  }
  return nullptr;
}

}  // namespace

// What never happened is 0 and not absent: an alert can tell the two apart.
Figures::Figures(Counters& counters, Histograms& histograms, bool per_node)
    : counters_(counters), histograms_(histograms), per_node_(per_node) {
  counters_.count("actions", {}, 0);
  if (per_node_) counters_.count("actions_node", {}, 0);
  counters_.count("events_error", {}, 0);
  for (const char* name : {"pods_told", "pods_overruled", "pods_handed_over", "pods_cut_off"}) {
    counters_.count(name, {}, 0);
  }
  for (const Verdict verdict :
       {Verdict::kMoved, Verdict::kLeft, Verdict::kEnding, Verdict::kUntold, Verdict::kStays}) {
    counters_.count("pods", {{"outcome", core::to_string(verdict)}}, 0);
  }
}

void Figures::heard(const core::Notice& notice) {
  if (notice.deadline == kNever) return;
  histograms_.observe("notice_lead_seconds",
                      {{"kind", core::to_string(notice.kind)}, {"source", notice.source}},
                      {0, 5, 15, 30, 60, 90, 105, 115, 120, 300, 900, 3600, 86400},
                      seconds(notice.deadline - notice.received));
}

void Figures::noted(const core::Entry& entry, const core::Drain& drain) {
  if (entry.what == What::kMarked && marked_[drain.host()] != drain.notice().id) {
    marked_[drain.host()] = drain.notice().id;
    histograms_.observe("mark_seconds", {},
                        {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120},
                        seconds(entry.at - drain.notice().received));
  } else if (entry.what == What::kReplaced) {
    counters_.count("pods_handed_over");
  } else if (entry.what == What::kTold) {
    const core::Track* track = find_track(drain, entry.unit);
    if (track == nullptr || !track->told_by_us) return;
    counters_.count("pods_told");
    if (track->overruled) counters_.count("pods_overruled");
    if (drain.notice().deadline == kNever) return;
    histograms_.observe("pod_told_before_deadline_seconds", {},
                        {0, 3, 5, 10, 15, 30, 45, 60, 75, 90, 105, 115, 120},
                        seconds(drain.notice().deadline - entry.at));
  }
}

void Figures::did(const Deed& deed, const core::NoticeId& notice, const std::string& node) {
  const std::string status = deed.done ? "success" : "error";
  counters_.count("actions", {{"node_action", action_label(deed.kind)}, {"node_status", status}});
  if (!per_node_ || ++node_actions_ > kMostNodeActions) return;
  counters_.count("actions_node", {{"node_action", action_label(deed.kind)},
                                   {"node_event_id", notice.value},
                                   {"node_name", node},
                                   {"node_status", status}});
}

void Figures::failed(const std::string& monitor) {
  counters_.count("events_error", {{"event_error_where", monitor}});
}

void Figures::finished(const core::Drain& drain, Time now) {
  for (const core::Track* track : drain.tracks()) {
    Verdict verdict = core::verdict_of(*track, drain.notice());
    if (drain.withdrawn() && verdict == Verdict::kUntold) verdict = Verdict::kStays;
    counters_.count("pods", {{"outcome", core::to_string(verdict)}});
    if (verdict == Verdict::kUntold) counters_.count("pods_cut_off");
  }
  dark_s_ += dark_of(drain, now);
  counted_dark_[drain.host()] = drain.started();
}

double Figures::dark_seconds(const std::vector<const core::Drain*>& drains, Time now) const {
  double sum = dark_s_;
  for (const core::Drain* drain : drains) {
    const auto counted = counted_dark_.find(drain->host());
    if (counted != counted_dark_.end() && counted->second == drain->started()) continue;
    sum += dark_of(*drain, now);
  }
  return sum;
}

void Figures::forget(const core::HostId& host) {
  marked_.erase(host);
  counted_dark_.erase(host);
}

}  // namespace spotkeeper::tell
