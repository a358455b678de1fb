// SPDX-License-Identifier: Apache-2.0
#include "demo/screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include "observe/table.h"

namespace spotkeeper::demo {

using observe::BoardStyle;
using observe::Colour;
using observe::paint;

namespace {

constexpr int kWho = 7;
constexpr int kAbout = 15;
constexpr int kText = 6 + 2 + kWho + 2 + kAbout + 2;

Colour colour_of_who(const std::string& who) {
  if (who == "AWS") return Colour::kRed;
  return who == "agent" ? Colour::kCyan : Colour::kGreen;
}

std::vector<std::string> columns(const std::string& second, const Line& line,
                                 const BoardStyle& style) {
  const std::string who = fmt::format("{:<{}}", line.who, kWho);
  const std::string about = observe::fit(line.about, kAbout, style.unicode);
  const std::vector<std::string> texts =
      observe::wrap(line.text, static_cast<size_t>(std::max(20, style.width - kText)));
  std::vector<std::string> lines;
  for (const std::string& text : texts) {
    const std::string head = lines.empty()
                                 ? paint(fmt::format("{:>6}", second), Colour::kDim, style) + "  " +
                                       paint(who, colour_of_who(line.who), style) +
                                       fmt::format("  {:<{}}  ", about, kAbout)
                                 : std::string(kText, ' ');
    lines.push_back(head + paint(text, line.colour, style));
  }
  return lines;
}

}  // namespace

std::vector<std::string> timeline_lines(const Line& line, Time notice, const BoardStyle& style) {
  return columns(fmt::format("{:.1f}", static_cast<double>((line.at - notice).count()) / 1000.0),
                 line, style);
}

std::vector<std::string> timeline_heading(const BoardStyle& style) {
  Line heading{.who = "who", .about = "about", .text = "what happens, and why"};
  BoardStyle plain = style;
  plain.colour = false;
  std::vector<std::string> lines = columns("second", heading, plain);
  for (std::string& line : lines) line = paint(line, Colour::kBold, style);
  return lines;
}

Screen::Screen(ScreenOptions options)
    : fd_(STDOUT_FILENO),
      options_(options),
      live_view_(options.live && options.colour && observe::style_of(fd_).colour),
      live_(fd_) {}

BoardStyle Screen::style() const {
  BoardStyle style = observe::style_of(fd_);
  style.colour = style.colour && options_.colour;
  return style;
}

void Screen::say(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (live_view_) {
      live_.keep(line);
    } else {
      observe::write_text(fd_, line + "\n");
    }
  }
}

void Screen::say(const std::string& text, Colour colour) {
  const BoardStyle look = style();
  std::vector<std::string> lines = observe::wrap(text, static_cast<size_t>(look.width));
  if (lines.empty()) lines.emplace_back();
  for (std::string& line : lines) line = paint(line, colour, look);
  say(lines);
}

void Screen::show(const std::vector<std::string>& lines) {
  if (live_view_) {
    live_.show(lines);
  } else {
    say(lines);
  }
}

void Screen::leave() {
  live_.leave();
}

}  // namespace spotkeeper::demo
