// SPDX-License-Identifier: Apache-2.0
#include "observe/plan_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "observe/board.h"
#include "observe/table.h"

namespace spotkeeper::observe {
namespace {

namespace json = boost::json;
using core::Mode;
using core::Track;

constexpr int kNarrowName = 24;

std::vector<std::string> in_the_way(const Track& track, const core::Drain& drain) {
  std::vector<std::string> all;
  if (track.told) return {"ends already"};
  if (track.plan.mode == Mode::kNotOurs) return {track.plan.why};
  if (std::string obstacle = drain.obstacle(track); !obstacle.empty()) {
    all.push_back(std::move(obstacle));
  }
  if (!track.plan.no_hand_over.empty()) {
    all.push_back("not handed over: " + track.plan.no_hand_over);
  }
  if (!track.plan.fits) all.emplace_back("its grace does not fit and is cut");
  if (track.unit.owner.empty()) all.emplace_back("nothing starts it again");
  if (track.unit.local_data) all.emplace_back("its emptyDir data ends with it");
  return all;
}

PlanRow make_row(const Track& track, const core::Drain& drain, Time now) {
  PlanRow row;
  row.pod = track.unit.name;
  row.short_pod = short_name(track.unit, false);
  row.owner = track.unit.owner.empty() ? "none" : track.unit.owner;
  row.mode = to_string(track.plan.mode);
  row.grace = track.plan.grace;
  if (track.plan.start != kNever) row.earliest_after = track.plan.start - now;
  if (track.plan.force != kNever) row.latest_after = track.plan.force - now;
  row.in_the_way = in_the_way(track, drain);
  row.why = track.plan.why;
  return row;
}

std::string offset(const std::optional<Millis>& duration, const char* never) {
  if (!duration) return never;
  if (*duration < Millis(500)) return "now";
  return fmt::format("+{:.0f}s", static_cast<double>(duration->count()) / 1000.0);
}

void put(json::object& to, const char* key, Time now, const std::optional<Millis>& after) {
  to[key] = nullptr;
  if (after) to[key] = format_time(now + *after);
}

std::string table_of(const PlanView& view, bool narrow, int width) {
  std::vector<Cells> lines{
      narrow ? Cells{"POD", "MODE", "EARLIEST", "LATEST", "GRACE", "IN THE WAY"}
             : Cells{"POD", "OWNER", "MODE", "EARLIEST", "LATEST", "GRACE", "IN THE WAY"}};
  for (const PlanRow& row : view.rows) {
    const bool stays = !row.earliest_after;
    Cells cells{narrow ? fit(row.short_pod, kNarrowName, false) : row.pod};
    if (!narrow) cells.push_back(row.owner);
    cells.push_back(row.mode);
    cells.push_back(offset(row.earliest_after, "-"));
    cells.push_back(stays ? "-" : offset(row.latest_after, "none"));
    cells.push_back(fmt::format("{}s", row.grace.count()));
    cells.push_back(fmt::format("{}", fmt::join(row.in_the_way, "; ")));
    lines.push_back(std::move(cells));
  }
  return format_table(lines, width);
}

std::string heading_of(const PlanView& view) {
  const std::string end =
      view.deadline ? fmt::format("if it ended at {}, in {}", format_time_s(*view.deadline),
                                  format_duration(*view.deadline - view.now))
                    : std::string("without a deadline: every budget is respected");
  return fmt::format("plan of {}{}, {}", view.node,
                     view.instance.empty() ? "" : " (" + view.instance + ")", end);
}

}  // namespace

PlanView make_plan_view(const core::Drain& drain, const std::string& instance, Time now) {
  PlanView view{.node = drain.host().value, .instance = instance, .now = now};
  if (drain.notice().deadline != kNever) view.deadline = drain.notice().deadline;
  for (const Track* track : drain.tracks()) view.rows.push_back(make_row(*track, drain, now));
  return view;
}

std::string to_table(const PlanView& view, int width) {
  const std::string wide = heading_of(view) + "\n" + table_of(view, false, 0);
  if (width <= 0 || widest_line(wide) <= static_cast<size_t>(width)) return wide;
  std::string text;
  for (const std::string& line : wrap(heading_of(view), static_cast<size_t>(width))) {
    text += line + "\n";
  }
  return text + table_of(view, true, width);
}

json::object to_json(const PlanView& view) {
  json::array pods;
  for (const PlanRow& row : view.rows) {
    json::object pod;
    pod["pod"] = row.pod;
    pod["owner"] = row.owner;
    pod["mode"] = row.mode;
    put(pod, "earliest", view.now, row.earliest_after);
    put(pod, "latest", view.now, row.latest_after);
    pod["grace_s"] = row.grace.count();
    pod["in_the_way"] = json::array(row.in_the_way.begin(), row.in_the_way.end());
    pod["why"] = row.why;
    pods.emplace_back(std::move(pod));
  }
  json::object root;
  root["schema"] = "spotkeeper.io/plan/v1";
  root["node"] = view.node;
  root["instance"] = view.instance;
  root["now"] = format_time(view.now);
  root["deadline"] = nullptr;
  if (view.deadline) root["deadline"] = format_time(*view.deadline);
  root["pods"] = std::move(pods);
  return root;
}

}  // namespace spotkeeper::observe
