// SPDX-License-Identifier: Apache-2.0
// What became of each pod of a drained host, and whether anybody was cut off. Made from the Drain
// when it is over.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/verdict.h"

namespace spotkeeper::observe {

struct Row {
  std::string pod;
  std::string short_pod;  // for narrow tables: see board.h
  std::string owner;
  core::Verdict verdict = core::Verdict::kMoved;
  std::string mode;  // "at-once"
  std::string why;   // of the plan
  Seconds grace{};
  std::optional<Millis> latest_after;  // its last moment, since the notice was heard
  std::optional<Millis> asked_after;
  std::optional<Millis> replaced_after;  // handed over: enough others were Ready
  std::optional<Millis> told_after;
  std::optional<Millis> gone_after;
  std::optional<Millis> slack;  // from gone to the deadline
  bool overruled = false;
  std::vector<std::string> overruled_budgets;
  std::string remark;
};

struct ServiceRow {
  std::string service;
  Millis dark{};            // without a Ready endpoint, in all
  bool dark_still = false;  // at the end of the drain
};

struct PostMortem {
  std::string node;
  std::string notice;  // id
  std::string kind;
  std::string source;
  Time heard{};
  Time ended{};                  // of the drain
  std::optional<Time> deadline;  // absent: there was none
  Millis clock_off{0};           // the host's clock was so far behind
  bool listed = true;            // the pods could be read at all
  bool withdrawn = false;
  std::vector<Row> rows;
  std::optional<std::vector<ServiceRow>> services;  // absent: they could not be read
  int moved = 0;
  int handed_over = 0;  // of them, those whose replacement was Ready first
  int left = 0;
  int ending = 0;
  int untold = 0;
  int stayed = 0;
  int overruled = 0;
};

PostMortem make_post_mortem(const core::Drain& drain, Time now);

// For people: a table and closing sentences, each line ended by a newline. With a `width` names are
// short and remarks are wrapped; 0: lines are as long as they are.
std::string to_table(const PostMortem& post_mortem, int width = 0);

// One JSON object as docs/post-mortem.md describes it; durations are whole numbers with their unit
// in the key (`told_after_ms`).
boost::json::object to_json(const PostMortem& post_mortem);

}  // namespace spotkeeper::observe
