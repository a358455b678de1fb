// SPDX-License-Identifier: Apache-2.0
// The options of spotkeeper-demo, checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/flags.h"
#include "demo/scenario.h"
#include "demo/screen.h"

namespace spotkeeper::demo {

struct Options {
  double speed = 2;
  std::string scenario = "shop";
  std::optional<Seconds> notice;  // else the scenario's own
  ScreenOptions screen;
  bool list = false;  // of scenarios, instead of a run
  bool help = false;
};

// Above, a request takes so much of the emulated time that the agent looks slower than it is.
inline constexpr int kHighestSpeed = 20;

config::Flags demo_flags(Options& options);

// kPermanent: one line that names the option.
Result<Options> parse_options(const std::vector<std::string>& arguments);

std::string help_text();
std::string list_text();

}  // namespace spotkeeper::demo
