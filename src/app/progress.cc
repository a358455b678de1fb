// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "observe/table.h"

namespace spotkeeper::app {
namespace {

observe::Colour colour_of(core::Level level) {
  switch (level) {
    case core::Level::kDebug:
      return observe::Colour::kDim;
    case core::Level::kInfo:
      return observe::Colour::kPlain;
    case core::Level::kWarning:
      return observe::Colour::kYellow;
    case core::Level::kError:
      return observe::Colour::kRed;
  }
  return observe::Colour::kPlain;
}

}  // namespace

Progress::Progress(bool documents, std::function<std::string(std::string)> words)
    : fd_(documents ? STDERR_FILENO : STDOUT_FILENO),
      live_view_(observe::can_redraw(fd_)),
      style_(observe::style_of(fd_)),
      live_(fd_) {
  style_.words = std::move(words);
}

void Progress::entry(const core::Entry& entry, Time started) {
  if (entry.level == core::Level::kDebug) return;
  // What the board shows anyway is not said twice.
  if (live_view_ && entry.level == core::Level::kInfo) return;
  if (live_view_ && many_hosts_) {
    if (entry.what != core::What::kNotice) ++warnings_;
    return;
  }
  const std::string who = entry.unit.empty() ? entry.host.value
                          : several_hosts_   ? entry.host.value + " " + entry.unit
                                             : entry.unit;
  const std::string line = fmt::format("{:+6.1f}s  {}  {}: {}",
                                       static_cast<double>((entry.at - started).count()) / 1000.0,
                                       who, to_string(entry.what), in_words(entry.text, style_));
  say(line, colour_of(entry.level));
}

// A terminal may be resized.
void Progress::measure() {
  auto words = std::move(style_.words);
  style_ = observe::style_of(fd_);
  style_.words = std::move(words);
}

void Progress::show(const std::vector<const core::Drain*>& drains, Time now) {
  if (!live_view_) return;
  measure();
  std::vector<std::string> lines;
  for (const core::Drain* drain : drains) {
    const std::vector<std::string> board = observe::board(*drain, now, style_);
    lines.insert(lines.end(), board.begin(), board.end());
  }
  live_.show(lines);
}

void Progress::show_hosts(const std::vector<const core::Drain*>& drains, observe::HostsState state,
                          Time now) {
  if (!live_view_) return;
  measure();
  state.warnings = warnings_;
  live_.show(observe::hosts_board(drains, state, now, style_));
}

void Progress::say(const std::string& line, observe::Colour colour) {
  if (live_view_) {
    for (const std::string& part : observe::wrap(line, static_cast<size_t>(style_.width))) {
      live_.keep(observe::paint(part, colour, style_));
    }
  } else {
    observe::write_text(fd_, line + "\n");
  }
}

}  // namespace spotkeeper::app
