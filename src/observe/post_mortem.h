// SPDX-License-Identifier: Apache-2.0
// What became of each pod of a drained host, and whether anybody was cut off. Made from the Drain
// when it is over.
#pragma once

#include <string>
#include <vector>

#include "core/verdict.h"

namespace spotkeeper::observe {

struct Row {
  std::string pod;
  std::string owner;
  core::Verdict verdict = core::Verdict::kMoved;
  Seconds grace{};
  std::optional<Millis> asked_after;  // since the notice was heard
  std::optional<Millis> told_after;
  std::optional<Millis> gone_after;
  std::optional<Millis> slack;  // from gone to the deadline
  bool overruled = false;
  std::string remark;
};

struct PostMortem {
  std::string node;
  std::string notice;  // id
  std::string kind;
  Time heard{};
  Time deadline{};
  bool listed = true;  // the pods could be read at all
  std::vector<Row> rows;
  int moved = 0;
  int left = 0;
  int ending = 0;
  int untold = 0;
  int stayed = 0;
  int overruled = 0;
};

PostMortem make_post_mortem(const core::Drain& drain);

// For people: a table and one closing sentence, each line ended by a newline.
std::string to_table(const PostMortem& post_mortem);

// One JSON object; durations are whole numbers with their unit in the key (`told_after_ms`).
std::string to_json(const PostMortem& post_mortem);

}  // namespace spotkeeper::observe
