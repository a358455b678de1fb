// SPDX-License-Identifier: Apache-2.0
#include "observe/post_mortem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "observe/board.h"
#include "observe/table.h"

namespace spotkeeper::observe {
namespace {

namespace json = boost::json;
using core::Verdict;

constexpr int kNarrowName = 24;

std::string remark_of(const core::Track& track, const Row& row) {
  if (row.verdict == Verdict::kStays) return track.plan.why;
  if (!track.told && row.verdict == Verdict::kUntold && !track.last_no.empty()) {
    return "never told: " + track.last_no;
  }
  if (!track.told) return track.held;
  if (!track.told_by_us) return "ended by somebody else";
  if (track.overruled) {
    const bool known = !row.overruled_budgets.empty();
    return fmt::format("overruled budget {}",
                       known ? fmt::format("{}", fmt::join(row.overruled_budgets, ", "))
                             : std::string("(not known to us)"));
  }
  if (track.release.enough) return "its replacement was Ready first";
  if (track.release.step == core::Release::Step::kGivenUp && !track.release.why_not.empty()) {
    return "not handed over: " + track.release.why_not;
  }
  if (!track.plan.fits) {
    return fmt::format("its grace of {} s was cut to what was left", track.plan.grace.count());
  }
  return {};
}

Row make_row(const core::Track& track, const core::Drain& drain) {
  Row row;
  row.pod = track.unit.name;
  row.short_pod = short_name(track.unit, false);
  row.owner = track.unit.owner.empty() ? "none" : track.unit.owner;
  row.verdict = core::verdict_of(track, drain.notice());
  if (drain.withdrawn() && row.verdict == Verdict::kUntold) row.verdict = Verdict::kStays;
  row.mode = to_string(track.plan.mode);
  row.why = track.plan.why;
  row.grace = track.plan.grace;
  if (track.plan.force != kNever) row.latest_after = track.plan.force - drain.started();
  if (track.asked) row.asked_after = *track.asked - drain.started();
  if (track.release.enough) row.replaced_after = *track.release.enough - drain.started();
  if (track.told) row.told_after = *track.told - drain.started();
  if (track.gone) {
    row.gone_after = *track.gone - drain.started();
    if (drain.notice().deadline != kNever) row.slack = drain.notice().deadline - *track.gone;
  }
  row.overruled = track.overruled;
  if (track.overruled) {
    for (const core::BudgetId& id : track.unit.budgets) row.overruled_budgets.push_back(id.value);
  }
  row.remark = drain.withdrawn() && row.verdict == Verdict::kStays && row.mode != "stays"
                   ? "left alone: the drain was withdrawn"
                   : remark_of(track, row);
  return row;
}

std::string offset(const std::optional<Millis>& duration) {
  if (!duration) return "-";
  return fmt::format("{:+.1f}s", static_cast<double>(duration->count()) / 1000.0);
}

std::string slack(const std::optional<Millis>& duration) {
  if (!duration) return "-";
  return fmt::format("{:.0f}s", static_cast<double>(duration->count()) / 1000.0);
}

void put(json::object& to, const char* key, const std::optional<Millis>& duration) {
  to[key] = nullptr;
  if (duration) to[key] = duration->count();
}

json::object pod_json(const Row& row) {
  json::object pod;
  pod["pod"] = row.pod;
  pod["owner"] = row.owner;
  pod["outcome"] = to_string(row.verdict);
  pod["cut_off"] = row.verdict == Verdict::kUntold;
  pod["mode"] = row.mode;
  pod["why"] = row.why;
  pod["grace_s"] = row.grace.count();
  put(pod, "latest_after_ms", row.latest_after);
  put(pod, "asked_after_ms", row.asked_after);
  put(pod, "replaced_after_ms", row.replaced_after);
  put(pod, "told_after_ms", row.told_after);
  put(pod, "gone_after_ms", row.gone_after);
  put(pod, "slack_ms", row.slack);
  pod["overruled"] = row.overruled;
  pod["overruled_budgets"] =
      json::array(row.overruled_budgets.begin(), row.overruled_budgets.end());
  pod["remark"] = row.remark;
  return pod;
}

std::vector<ServiceRow> service_rows(const core::Drain& drain, Time now) {
  std::vector<ServiceRow> rows;
  for (const core::Outages::Line& line : drain.services()) {
    rows.push_back({.service = line.service.id.value,
                    .dark = line.dark_until(now),
                    .dark_still = line.dark_since.has_value()});
  }
  return rows;
}

std::string service_sentence(const PostMortem& post_mortem) {
  if (!post_mortem.services) return {};
  std::string dark;
  for (const ServiceRow& row : *post_mortem.services) {
    if (row.dark == Millis(0)) continue;
    dark += fmt::format("{}{} {}{}", dark.empty() ? "" : ", ", row.service,
                        format_duration(row.dark), row.dark_still ? " and still" : "");
  }
  if (post_mortem.services->empty()) return {};
  return dark.empty() ? "every Service of the host had a Ready endpoint at any time"
                      : "without a Ready endpoint: " + dark;
}

std::string pod_sentence(const PostMortem& post_mortem) {
  if (!post_mortem.listed) return "the pods of this node could never be listed: nobody was told";
  std::string text = fmt::format(
      "{} moved{}, {} still ending, {} untold, {} stay; {} overruled a budget", post_mortem.moved,
      post_mortem.handed_over == 0
          ? std::string()
          : fmt::format(" ({} once a replacement was Ready)", post_mortem.handed_over),
      post_mortem.ending, post_mortem.untold, post_mortem.stayed, post_mortem.overruled);
  if (post_mortem.left > 0) text += fmt::format("; {} left by themselves", post_mortem.left);
  return text;
}

// Wrapped to the width, where there is one; ended by a newline.
std::string lines_of(const std::string& text, int width) {
  if (width <= 0) return text + "\n";
  std::string out;
  for (const std::string& line : wrap(text, static_cast<size_t>(width))) out += line + "\n";
  return out;
}

Cells heading(bool narrow) {
  return narrow ? Cells{"POD", "GRACE", "LATEST", "TOLD", "GONE", "SLACK", "OUTCOME", "REMARK"}
                : Cells{"POD",  "OWNER", "MODE",  "GRACE",   "LATEST", "ASKED",
                        "TOLD", "GONE",  "SLACK", "OUTCOME", "REMARK"};
}

Cells cells_of(const Row& row, bool narrow) {
  const std::string outcome = row.verdict == Verdict::kUntold ? "UNTOLD" : to_string(row.verdict);
  const std::string grace = fmt::format("{}s", row.grace.count());
  const std::string latest = row.verdict == Verdict::kStays ? "-" : offset(row.latest_after);
  if (narrow) {
    return {fit(row.short_pod, kNarrowName, false),
            grace,
            latest,
            offset(row.told_after),
            offset(row.gone_after),
            slack(row.slack),
            outcome,
            row.remark};
  }
  return {row.pod,
          row.owner,
          row.mode,
          grace,
          latest,
          offset(row.asked_after),
          offset(row.told_after),
          offset(row.gone_after),
          slack(row.slack),
          outcome,
          row.remark};
}

std::string table_of(const PostMortem& post_mortem, bool narrow, int width) {
  std::set<std::string> namespaces;
  for (const Row& row : post_mortem.rows) namespaces.insert(row.pod.substr(0, row.pod.find('/')));
  std::vector<Cells> lines{heading(narrow)};
  for (const Row& row : post_mortem.rows) {
    Cells cells = cells_of(row, narrow);
    if (narrow && namespaces.size() == 1) {  // then it need not be said
      cells.back() = without(cells.back(), *namespaces.begin() + "/");
    }
    lines.push_back(std::move(cells));
  }
  return format_table(lines, width);
}

std::string heading_line(const PostMortem& post_mortem) {
  std::string text = fmt::format("post-mortem of {}: {}, heard {}", post_mortem.node,
                                 post_mortem.kind, format_time_s(post_mortem.heard));
  if (post_mortem.deadline) {
    text += fmt::format(", deadline {} ({} later)", format_time_s(*post_mortem.deadline),
                        format_duration(*post_mortem.deadline - post_mortem.heard));
  }
  return text;
}

}  // namespace

PostMortem make_post_mortem(const core::Drain& drain, Time now) {
  PostMortem result;
  result.node = drain.host().value;
  result.notice = drain.notice().id.value;
  result.kind = core::to_string(drain.notice().kind);
  result.source = drain.notice().source;
  result.heard = drain.started();
  result.ended = now;
  if (drain.notice().deadline != kNever) result.deadline = drain.notice().deadline;
  result.clock_off = drain.notice().clock_off;
  result.listed = drain.listed();
  result.withdrawn = drain.withdrawn();
  if (drain.services_listed()) result.services = service_rows(drain, now);
  for (const core::Track* track : drain.tracks()) {
    Row row = make_row(*track, drain);
    result.moved += row.verdict == Verdict::kMoved;
    result.handed_over += row.verdict == Verdict::kMoved && row.replaced_after;
    result.left += row.verdict == Verdict::kLeft;
    result.ending += row.verdict == Verdict::kEnding;
    result.untold += row.verdict == Verdict::kUntold;
    result.stayed += row.verdict == Verdict::kStays;
    result.overruled += row.overruled;
    result.rows.push_back(std::move(row));
  }
  return result;
}

std::string to_table(const PostMortem& post_mortem, int width) {
  const std::string wide = table_of(post_mortem, false, 0);
  const bool fits = width <= 0 || widest_line(wide) <= static_cast<size_t>(width);
  std::string text = lines_of(heading_line(post_mortem), width);
  text += fits ? wide : table_of(post_mortem, true, width);
  for (const std::string& sentence : {pod_sentence(post_mortem), service_sentence(post_mortem)}) {
    if (!sentence.empty()) text += lines_of(sentence, width);
  }
  return text;
}

json::object to_json(const PostMortem& post_mortem) {
  json::array pods;
  for (const Row& row : post_mortem.rows) pods.emplace_back(pod_json(row));
  json::object root;
  root["schema"] = "spotkeeper.io/post-mortem/v1";
  root["node"] = post_mortem.node;
  root["notice"] = post_mortem.notice;
  root["kind"] = post_mortem.kind;
  root["source"] = post_mortem.source;
  root["heard"] = format_time(post_mortem.heard);
  root["deadline"] = nullptr;
  if (post_mortem.deadline) root["deadline"] = format_time(*post_mortem.deadline);
  root["ended"] = format_time(post_mortem.ended);
  root["clock_off_ms"] = post_mortem.clock_off.count();
  root["listed"] = post_mortem.listed;
  root["withdrawn"] = post_mortem.withdrawn;
  root["moved"] = post_mortem.moved;
  root["handed_over"] = post_mortem.handed_over;
  root["left"] = post_mortem.left;
  root["ending"] = post_mortem.ending;
  root["untold"] = post_mortem.untold;
  root["stayed"] = post_mortem.stayed;
  root["overruled"] = post_mortem.overruled;
  root["pods"] = std::move(pods);
  root["services"] = nullptr;
  if (post_mortem.services) {
    json::array services;
    for (const ServiceRow& row : *post_mortem.services) {
      services.emplace_back(json::object{{"service", row.service},
                                         {"without_ready_endpoint_ms", row.dark.count()},
                                         {"still_without", row.dark_still}});
    }
    root["services"] = std::move(services);
  }
  return root;
}

}  // namespace spotkeeper::observe
