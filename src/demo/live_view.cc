// SPDX-License-Identifier: Apache-2.0
#include "demo/live_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "demo/words.h"

namespace spotkeeper::demo {

using observe::BoardStyle;
using observe::Colour;
using observe::paint;

namespace {

const std::string kPrefix = "now on ";
constexpr int kNodeIndent = 11;

struct Word {
  std::string text;
  Colour colour;
};

Word word_of(const world::Pod& pod) {
  const std::string name = pod_name(pod);
  if (pod.deleting()) return {.text = name + " ending", .colour = Colour::kDim};
  if (pod.ready()) return {.text = name + " Ready", .colour = Colour::kGreen};
  const bool runs = pod.status.phase == world::Phase::kRunning;
  return {.text = name + (runs ? " getting ready" : " starting"), .colour = Colour::kYellow};
}

std::vector<std::string> node_paragraph(const std::string& node, const std::vector<Word>& words,
                                        const BoardStyle& style) {
  std::vector<std::string> lines{paint(kPrefix + node, Colour::kBold, style) + "  "};
  auto used = static_cast<int>(kPrefix.size() + node.size()) + 2;
  bool first = true;
  for (const Word& word : words) {
    const auto size = static_cast<int>(word.text.size());
    if (!first && used + 2 + size > style.width) {
      lines.emplace_back(kNodeIndent, ' ');
      used = kNodeIndent;
      first = true;
    }
    lines.back() += (first ? "" : "  ") + paint(word.text, word.colour, style);
    used += size + (first ? 0 : 2);
    first = false;
  }
  if (words.empty()) lines.back() += paint("nothing yet", Colour::kDim, style);
  return lines;
}

// Less the rows of pods that have left, the oldest first, until it fits.
std::vector<std::string> trimmed(std::vector<std::string> board, const core::Drain& drain, int rows,
                                 const BoardStyle& style) {
  const std::vector<const core::Track*> tracks = drain.tracks();
  const int too_many = static_cast<int>(board.size()) - rows;
  if (too_many <= 0) return board;
  int cut = 0;
  std::vector<std::string> kept{board.front()};
  for (size_t i = 0; i + 1 < board.size(); ++i) {
    const bool left = i < tracks.size() && tracks[i]->gone;
    if (left && cut <= too_many) {
      ++cut;
    } else {
      kept.push_back(board[i + 1]);
    }
  }
  if (cut > 0) {
    kept.insert(kept.begin() + 1, paint(fmt::format("({} pods that have left are not shown)", cut),
                                        Colour::kDim, style));
  }
  return kept;
}

}  // namespace

std::string legend(const BoardStyle& style) {
  const bool blocks = style.unicode;
  return paint(blocks ? "░" : "-", Colour::kYellow, style) + " not told yet   " +
         paint(blocks ? "▓" : "=", Colour::kCyan, style) + " told, shutting down   " +
         paint(blocks ? "✓" : "|", Colour::kGreen, style) + " gone   " +
         paint(blocks ? "·" : ".", Colour::kDim, style) + " time left";
}

std::vector<std::string> node_lines(const world::World& world, const BoardStyle& style) {
  std::vector<std::string> lines;
  for (const auto& node : world.list<world::Node>()) {
    if (node->meta.name == kDoomed) continue;
    std::vector<Word> words;
    for (const auto& pod : world.pods_on(node->meta.name)) {
      const bool daemon = pod->meta.owner && pod->meta.owner->kind == world::Kind::kDaemonSet;
      if (!daemon) words.push_back(word_of(*pod));
    }
    const auto paragraph = node_paragraph(node->meta.name, words, style);
    lines.insert(lines.end(), paragraph.begin(), paragraph.end());
  }
  return lines;
}

std::vector<std::string> live_view(const core::Drain& drain, const world::World& world, Time now,
                                   int rows, const BoardStyle& style) {
  const std::vector<std::string> nodes = node_lines(world, style);
  const int room = std::max(4, rows - static_cast<int>(nodes.size()) - 3);
  std::vector<std::string> lines{
      std::string(),
      observe::fit("The pods of n1, from the notice (left) to the end of the host (right):",
                   style.width, style.unicode)};
  const auto board = trimmed(observe::board(drain, now, style), drain, room, style);
  lines.insert(lines.end(), board.begin(), board.end());
  if (style.width >= 75) lines.push_back(legend(style));
  lines.insert(lines.end(), nodes.begin(), nodes.end());
  return lines;
}

}  // namespace spotkeeper::demo
