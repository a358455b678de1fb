// SPDX-License-Identifier: Apache-2.0
#include "observe/hosts_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "observe/table.h"

namespace spotkeeper::observe {
namespace {

using core::Mode;
using core::Track;
using core::Verdict;

struct Tally {
  int ours = 0;
  int gone = 0;
  int ending = 0;
  int waiting = 0;
  std::string why;  // the first that waits does

  Tally& operator+=(const Tally& other) {
    ours += other.ours;
    gone += other.gone;
    ending += other.ending;
    waiting += other.waiting;
    return *this;
  }
};

Tally tally_of(const core::Drain& drain) {
  Tally tally;
  for (const Track* track : drain.tracks()) {
    if (track->plan.mode == Mode::kNotOurs) continue;
    ++tally.ours;
    if (track->gone) {
      ++tally.gone;
    } else if (track->told) {
      ++tally.ending;
    } else {
      ++tally.waiting;
      if (tally.why.empty()) {
        const std::string why = track->held.empty() ? drain.obstacle(*track) : track->held;
        if (!why.empty()) tally.why = short_name(track->unit, true) + ": " + why;
      }
    }
  }
  return tally;
}

std::string counted(const Tally& tally) {
  std::string text = fmt::format("{} of {} gone", tally.gone, tally.ours);
  if (tally.ending > 0) text += fmt::format(", {} ending", tally.ending);
  if (tally.waiting > 0) text += fmt::format(", {} waiting", tally.waiting);
  return text;
}

std::string line_of(const core::Drain& drain, const Tally& tally, Time now) {
  const auto seconds = std::chrono::duration_cast<Seconds>(now - drain.started()).count();
  std::string text = fmt::format("{}  {} s  {}", drain.host().value, seconds,
                                 drain.listed() ? counted(tally) : "its pods are being read");
  if (drain.withdrawn()) return text + "  withdrawn";
  return tally.why.empty() ? text : text + "  " + tally.why;
}

std::string sum_of(const HostsState& state, size_t draining, const Tally& pods, Time deadline,
                   Time now) {
  std::string text =
      fmt::format("{} hosts: {} done, {} draining", state.hosts, state.done, draining);
  if (state.waiting > 0) text += fmt::format(", {} to come", state.waiting);
  text += "; pods: " + counted(pods);
  if (deadline != kNever) {
    const auto left = std::chrono::duration_cast<Seconds>(deadline - now).count();
    text += left > 0 ? fmt::format("; they end in {} s", left) : "; they have ended";
  }
  if (state.warnings > 0) {
    text += fmt::format("; {} warning{}", state.warnings, state.warnings == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

std::vector<std::string> hosts_board(const std::vector<const core::Drain*>& drains,
                                     const HostsState& state, Time now, const BoardStyle& style) {
  std::vector<std::string> lines(1);
  Tally all;
  size_t draining = 0;
  for (const core::Drain* drain : drains) {
    const Tally tally = tally_of(*drain);
    all += tally;
    if (drain->finished()) continue;
    ++draining;
    lines.push_back(
        paint(fit(in_words(line_of(*drain, tally, now), style), style.width, style.unicode),
              tally.waiting > 0 ? Colour::kYellow : Colour::kCyan, style));
  }
  const Time deadline = drains.empty() ? kNever : drains.front()->notice().deadline;
  const std::string sum = in_words(sum_of(state, draining, all, deadline, now), style);
  lines.front() = paint(fit(sum, style.width, style.unicode), Colour::kBold, style);
  if (!state.note.empty()) {
    lines.insert(lines.begin() + 1,
                 paint(fit(state.note, style.width, style.unicode), Colour::kYellow, style));
  }
  return lines;
}

bool is_well(const PostMortem& post_mortem) {
  return post_mortem.listed && !post_mortem.withdrawn && post_mortem.untold == 0 &&
         post_mortem.ending == 0;
}

HostRow row_of(const PostMortem& post_mortem) {
  HostRow row{.host = post_mortem.node,
              .moved = post_mortem.moved + post_mortem.left,
              .ending = post_mortem.ending,
              .untold = post_mortem.untold,
              .stayed = post_mortem.stayed,
              .overruled = post_mortem.overruled,
              .well = is_well(post_mortem)};
  for (const Row& pod : post_mortem.rows) {
    if (pod.gone_after) row.took = std::max(row.took, *pod.gone_after);
    const bool left_alone = pod.verdict == Verdict::kStays && pod.mode != "stays";
    const bool bad = pod.verdict == Verdict::kUntold || pod.verdict == Verdict::kEnding;
    if (row.remark.empty() && (bad || left_alone)) {
      row.remark = pod.pod + ": " + (pod.remark.empty() ? to_string(pod.verdict) : pod.remark);
    }
  }
  if (!post_mortem.listed) row.remark = "its pods could never be listed: nobody was told";
  if (row.remark.empty() && post_mortem.withdrawn) row.remark = "the drain was withdrawn";
  return row;
}

std::string to_table(const std::vector<HostRow>& rows, size_t most_rows, int width) {
  const bool all = rows.size() <= most_rows;
  std::vector<Cells> lines{
      {"HOST", "MOVED", "ENDING", "UNTOLD", "STAY", "OVERRULED", "TOOK", "REMARK"}};
  HostRow sum;
  size_t well = 0;
  for (const HostRow& row : rows) {
    well += row.well ? 1 : 0;
    sum.moved += row.moved;
    sum.ending += row.ending;
    sum.untold += row.untold;
    sum.stayed += row.stayed;
    sum.overruled += row.overruled;
    if (row.well && !all) continue;
    lines.push_back({row.host, fmt::format("{}", row.moved), fmt::format("{}", row.ending),
                     fmt::format("{}", row.untold), fmt::format("{}", row.stayed),
                     fmt::format("{}", row.overruled), format_duration(row.took), row.remark});
  }
  std::string text = lines.size() > 1 ? format_table(lines, width) : std::string();
  const std::string sentence = fmt::format(
      "{} of {} hosts drained; pods: {} moved, {} still ending, {} untold, {} stay; {} overruled a "
      "budget",
      well, rows.size(), sum.moved, sum.ending, sum.untold, sum.stayed, sum.overruled);
  const size_t columns = width > 0 ? static_cast<size_t>(width) : sentence.size();
  for (const std::string& line : wrap(sentence, columns)) text += line + "\n";
  return text;
}

}  // namespace spotkeeper::observe
