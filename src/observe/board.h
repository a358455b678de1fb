// SPDX-License-Identifier: Apache-2.0
// A drain as a picture of lines: one row a pod, its bar along the notice's time (waiting, ending,
// gone), and in a few words what it waits for or what became of it. Pure: for a terminal that is
// redrawn, for the last screen of the demo, for tests.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::observe {

enum class Colour { kPlain, kDim, kBold, kRed, kGreen, kYellow, kCyan };

struct BoardStyle {
  int width = 80;       // columns; never exceeded
  bool colour = true;   // ANSI colours
  bool unicode = true;  // blocks; else ASCII
  // Puts sentences into the words of the place that manages the hosts; none: they stay as they are.
  std::function<std::string(std::string)> words = {};
};

inline std::string in_words(std::string text, const BoardStyle& style) {
  return style.words ? style.words(std::move(text)) : text;
}

// The text between codes of that colour, or as it is.
std::string paint(const std::string& text, Colour colour, const BoardStyle& style);

std::vector<std::string> board(const core::Drain& drain, Time now, const BoardStyle& style);

// "shop/web-6b8d9c5f7-x2klp" of ReplicaSet/web-6b8d9c5f7 as "web-x2klp", what a reader keeps in
// mind; with its namespace where `with_namespace`.
std::string short_name(const core::Unit& unit, bool with_namespace);

// The text less every occurrence of `part`: a namespace that need not be said again.
std::string without(std::string text, const std::string& part);

// Cut to so many columns, the cut shown by "…" (ASCII: "~"). Counts UTF-8 characters as one column.
std::string fit(const std::string& text, int columns, bool unicode = true);

}  // namespace spotkeeper::observe
