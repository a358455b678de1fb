// SPDX-License-Identifier: Apache-2.0
// What would happen to each pod of a host, when and why: made from a Drain that was told what is on
// the host and has done nothing. Pure.
#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::observe {

struct PlanRow {
  std::string pod;
  std::string short_pod;  // for narrow tables: see board.h
  std::string owner;
  std::string mode;
  std::optional<Millis> earliest_after;  // from now on; absent: never
  std::optional<Millis> latest_after;    // its last moment; absent: there is none
  Seconds grace{};
  std::vector<std::string> in_the_way;  // of asking it now, and what else to know
  std::string why;
};

struct PlanView {
  std::string node;
  std::string instance;  // its id, may be empty
  Time now{};
  std::optional<Time> deadline;
  std::vector<PlanRow> rows;
};

PlanView make_plan_view(const core::Drain& drain, const std::string& instance, Time now);

std::string to_table(const PlanView& view, int width = 0);

// One JSON object; moments are RFC 3339, durations whole numbers with their unit in the key.
boost::json::object to_json(const PlanView& view);

}  // namespace spotkeeper::observe
