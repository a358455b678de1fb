// SPDX-License-Identifier: Apache-2.0
#include "observe/post_mortem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace spotkeeper::observe {
namespace {

namespace json = boost::json;
using core::Verdict;

std::string remark_of(const core::Track& track, Verdict verdict) {
  if (verdict == Verdict::kStays) return track.plan.why;
  if (!track.told) return track.held;
  if (!track.told_by_us) return "ended by somebody else";
  if (track.overruled) {
    std::string names;
    for (const core::BudgetId& id : track.unit.budgets) {
      names += (names.empty() ? "" : ", ") + id.value;
    }
    return "overruled budget " + (names.empty() ? "(not known to us)" : names);
  }
  if (!track.plan.fits) {
    return fmt::format("its grace of {} s was cut to what was left", track.plan.grace.count());
  }
  return {};
}

Row make_row(const core::Track& track, const core::Drain& drain) {
  Row row;
  row.pod = track.unit.name;
  row.owner = track.unit.owner.empty() ? "none" : track.unit.owner;
  row.verdict = core::verdict_of(track, drain.notice());
  row.grace = track.plan.grace;
  if (track.asked) row.asked_after = *track.asked - drain.started();
  if (track.told) row.told_after = *track.told - drain.started();
  if (track.gone) {
    row.gone_after = *track.gone - drain.started();
    row.slack = drain.notice().deadline - *track.gone;
  }
  row.overruled = track.overruled;
  row.remark = remark_of(track, row.verdict);
  return row;
}

std::string offset(const std::optional<Millis>& duration) {
  if (!duration) return "-";
  return fmt::format("{:+.1f}s", static_cast<double>(duration->count()) / 1000.0);
}

void put(json::object& to, const char* key, const std::optional<Millis>& duration) {
  if (duration) {
    to[key] = duration->count();
  } else {
    to[key] = nullptr;
  }
}

std::string closing(const PostMortem& post_mortem) {
  if (!post_mortem.listed) return "the pods of this node could never be listed: nobody was told";
  std::string text = fmt::format(
      "{} moved, {} still ending, {} untold, {} stay; {} overruled a budget", post_mortem.moved,
      post_mortem.ending, post_mortem.untold, post_mortem.stayed, post_mortem.overruled);
  if (post_mortem.left > 0) text += fmt::format("; {} left by themselves", post_mortem.left);
  return text;
}

}  // namespace

PostMortem make_post_mortem(const core::Drain& drain) {
  PostMortem result;
  result.node = drain.host().value;
  result.notice = drain.notice().id.value;
  result.kind = core::to_string(drain.notice().kind);
  result.heard = drain.started();
  result.deadline = drain.notice().deadline;
  result.listed = drain.listed();
  for (const core::Track* track : drain.tracks()) {
    Row row = make_row(*track, drain);
    result.moved += row.verdict == Verdict::kMoved;
    result.left += row.verdict == Verdict::kLeft;
    result.ending += row.verdict == Verdict::kEnding;
    result.untold += row.verdict == Verdict::kUntold;
    result.stayed += row.verdict == Verdict::kStays;
    result.overruled += row.overruled;
    result.rows.push_back(std::move(row));
  }
  return result;
}

std::string to_table(const PostMortem& post_mortem) {
  using Cells = std::array<std::string, 8>;
  std::vector<Cells> lines{{"POD", "OWNER", "GRACE", "ASKED", "TOLD", "GONE", "OUTCOME", "REMARK"}};
  for (const Row& row : post_mortem.rows) {
    lines.push_back({row.pod, row.owner, fmt::format("{}s", row.grace.count()),
                     offset(row.asked_after), offset(row.told_after), offset(row.gone_after),
                     row.verdict == Verdict::kUntold ? "UNTOLD" : to_string(row.verdict),
                     row.remark});
  }
  std::array<size_t, 8> widths{};
  for (const Cells& cells : lines) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string text = fmt::format(
      "post-mortem of {}: {}, heard {}, deadline {} ({} later)\n", post_mortem.node,
      post_mortem.kind, format_time_s(post_mortem.heard), format_time_s(post_mortem.deadline),
      format_duration(post_mortem.deadline - post_mortem.heard));
  for (const Cells& cells : lines) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) line += fmt::format("{:<{}}  ", cells[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text + closing(post_mortem) + "\n";
}

std::string to_json(const PostMortem& post_mortem) {
  json::array pods;
  for (const Row& row : post_mortem.rows) {
    json::object pod;
    pod["pod"] = row.pod;
    pod["owner"] = row.owner;
    pod["outcome"] = to_string(row.verdict);
    pod["grace_s"] = row.grace.count();
    put(pod, "asked_after_ms", row.asked_after);
    put(pod, "told_after_ms", row.told_after);
    put(pod, "gone_after_ms", row.gone_after);
    put(pod, "slack_ms", row.slack);
    pod["overruled"] = row.overruled;
    pod["remark"] = row.remark;
    pods.emplace_back(std::move(pod));
  }
  json::object root;
  root["node"] = post_mortem.node;
  root["notice"] = post_mortem.notice;
  root["kind"] = post_mortem.kind;
  root["heard"] = format_time(post_mortem.heard);
  root["deadline"] = format_time(post_mortem.deadline);
  root["listed"] = post_mortem.listed;
  root["moved"] = post_mortem.moved;
  root["left"] = post_mortem.left;
  root["ending"] = post_mortem.ending;
  root["untold"] = post_mortem.untold;
  root["stayed"] = post_mortem.stayed;
  root["overruled"] = post_mortem.overruled;
  root["pods"] = std::move(pods);
  return json::serialize(root);
}

}  // namespace spotkeeper::observe
