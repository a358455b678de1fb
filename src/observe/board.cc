// SPDX-License-Identifier: Apache-2.0
#include "observe/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/verdict.h"

namespace spotkeeper::observe {
namespace {

using core::Mode;
using core::Track;
using core::Verdict;

constexpr int kNameMost = 20;
constexpr int kBarMost = 30;

struct Cell {
  const char* unicode;
  const char* ascii;
  Colour colour;
};
constexpr Cell kFuture{.unicode = "·", .ascii = ".", .colour = Colour::kDim};
constexpr Cell kWaiting{.unicode = "░", .ascii = "-", .colour = Colour::kYellow};
constexpr Cell kEnding{.unicode = "▓", .ascii = "=", .colour = Colour::kCyan};
constexpr Cell kGone{.unicode = "✓", .ascii = "|", .colour = Colour::kGreen};
constexpr Cell kAfter{.unicode = " ", .ascii = " ", .colour = Colour::kPlain};
constexpr Cell kCutOff{.unicode = "✗", .ascii = "X", .colour = Colour::kRed};

// The stretch of time that bars show: the notice's, or as long as the drain has run.
struct Axis {
  Time from;
  Millis span;
  int cells;

  int cell_of(Time at) const {
    const double part =
        static_cast<double>((at - from).count()) / static_cast<double>(span.count());
    return std::clamp(static_cast<int>(part * cells), 0, cells - 1);
  }
};

Axis axis_of(const core::Drain& drain, Time now, int cells) {
  const Time deadline = drain.notice().deadline;
  const Time to = deadline == kNever ? now : std::max(deadline, drain.started() + Seconds(1));
  return Axis{.from = drain.started(),
              .span = std::max<Millis>(to - drain.started(), Seconds(1)),
              .cells = cells};
}

int columns(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xc0') != '\x80'; }));
}

std::string padded(const std::string& text, int width) {
  return text + std::string(static_cast<size_t>(std::max(0, width - columns(text))), ' ');
}

Cell cell_at(const Track& track, const core::Drain& drain, const Axis& axis, int cell, Time now) {
  const Time deadline = drain.notice().deadline;
  if (track.gone && cell == axis.cell_of(*track.gone)) {
    return track.told || *track.gone <= deadline ? kGone : kCutOff;
  }
  if (track.gone && cell > axis.cell_of(*track.gone)) return kAfter;
  if (!track.gone && now >= deadline && cell == axis.cells - 1) {
    return core::verdict_of(track, drain.notice()) == Verdict::kUntold ? kCutOff : kEnding;
  }
  if (cell > axis.cell_of(now)) return kFuture;
  if (cell < axis.cell_of(track.seen)) return kAfter;
  return track.told && cell >= axis.cell_of(*track.told) ? kEnding : kWaiting;
}

std::string bar(const Track& track, const core::Drain& drain, const Axis& axis, Time now,
                const BoardStyle& style) {
  std::string text;
  for (int cell = 0; cell < axis.cells; ++cell) {
    const Cell look = cell_at(track, drain, axis, cell, now);
    text += paint(style.unicode ? look.unicode : look.ascii, look.colour, style);
  }
  return text;
}

std::string seconds(Millis duration) {
  return fmt::format("{:.0f} s", static_cast<double>(duration.count()) / 1000.0);
}

std::string after(const core::Drain& drain, Time at) {
  return "+" + seconds(at - drain.started());
}

struct Words {
  std::string text;
  Colour colour = Colour::kPlain;
};

Words words_of(const Track& track, const core::Drain& drain, Time now) {
  if (track.plan.mode == Mode::kNotOurs)
    return {.text = "stays: " + track.plan.why, .colour = Colour::kDim};
  const bool past = now >= drain.notice().deadline;
  if (track.gone) {
    if (!track.told)
      return {.text = "left by itself, " + after(drain, *track.gone), .colour = Colour::kGreen};
    std::string text =
        fmt::format("told {}, gone {}", after(drain, *track.told), after(drain, *track.gone));
    if (track.overruled) text += "; budget overruled";
    if (track.release.enough) text += "; replaced first";
    return {.text = std::move(text), .colour = Colour::kGreen};
  }
  if (track.told) {
    return {.text = fmt::format("told {}, ending{}", after(drain, *track.told),
                                track.overruled ? "; budget overruled" : ""),
            .colour = Colour::kCyan};
  }
  if (past) return {.text = "CUT OFF, never told", .colour = Colour::kRed};
  std::string why = track.held.empty() ? drain.obstacle(track) : track.held;
  if (drain.withdrawn())
    return {.text = "left alone: the drain was withdrawn", .colour = Colour::kDim};
  if (why.empty()) return {.text = track.asked ? "asked" : "about to be asked"};
  const std::string until = track.plan.force == kNever || now >= track.plan.force
                                ? std::string()
                                : fmt::format("to {} at most: ", after(drain, track.plan.force));
  return {.text = "waits " + until + why, .colour = Colour::kYellow};
}

std::string heading(const core::Drain& drain, Time now, const BoardStyle& style) {
  const Time deadline = drain.notice().deadline;
  std::string clock =
      fmt::format("second {:.0f}", static_cast<double>((now - drain.started()).count()) / 1000.0);
  if (deadline != kNever) {
    clock += now < deadline ? fmt::format(", the host ends in {}", seconds(deadline - now))
                            : ", the host has ended";
  }
  return paint(
      fit(fmt::format("{}  {}  {}", drain.host().value, to_string(drain.notice().kind), clock),
          style.width, style.unicode),
      Colour::kBold, style);
}

void add_services(const core::Drain& drain, Time now, const BoardStyle& style,
                  std::vector<std::string>& lines) {
  for (const core::Outages::Line& line : drain.services()) {
    const Millis dark = line.dark_until(now);
    if (dark == Millis(0)) continue;
    const std::string text =
        fmt::format("Service {}: {} Ready endpoint{} for {}", line.service.id.value,
                    line.dark_since ? "has no" : "had no", "", format_duration(dark));
    lines.push_back(paint(fit(text, style.width, style.unicode),
                          line.dark_since ? Colour::kRed : Colour::kYellow, style));
  }
}

}  // namespace

std::string paint(const std::string& text, Colour colour, const BoardStyle& style) {
  constexpr std::array<const char*, 7> kCodes{"0", "2", "1", "31", "32", "33", "36"};
  if (!style.colour || colour == Colour::kPlain || text.empty()) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<size_t>(colour)), text);
}

std::string fit(const std::string& text, int columns_most, bool unicode) {
  if (columns(text) <= columns_most) return text;
  std::string cut;
  int used = 0;
  for (const char c : text) {
    const bool begins = (c & '\xc0') != '\x80';
    if (begins && used + 1 >= columns_most) break;
    used += begins;
    cut += c;
  }
  return columns_most < 1 ? std::string() : cut + (unicode ? "…" : "~");
}

std::string without(std::string text, const std::string& part) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.erase(at, part.size());
  }
  return text;
}

std::string short_name(const core::Unit& unit, bool with_namespace) {
  const size_t slash = unit.name.find('/');
  std::string ns = slash == std::string::npos ? std::string() : unit.name.substr(0, slash + 1);
  std::string name = slash == std::string::npos ? unit.name : unit.name.substr(slash + 1);
  const std::string kind = "ReplicaSet/";
  if (unit.owner.starts_with(kind)) {
    const std::string set = unit.owner.substr(kind.size());
    const size_t hash = set.rfind('-');
    if (hash != std::string::npos && name.starts_with(set + "-")) {
      name = set.substr(0, hash) + name.substr(set.size());
    }
  }
  return with_namespace ? ns + name : name;
}

std::vector<std::string> board(const core::Drain& drain, Time now, const BoardStyle& style) {
  const std::vector<const Track*> tracks = drain.tracks();
  std::set<std::string> namespaces;
  for (const Track* track : tracks) {
    namespaces.insert(track->unit.name.substr(0, track->unit.name.find('/')));
  }
  int name_width = 8;
  for (const Track* track : tracks) {
    name_width = std::max(name_width, columns(short_name(track->unit, namespaces.size() > 1)));
  }
  name_width = std::min(name_width, kNameMost);
  const int bar_width = std::clamp(style.width - name_width - 44, 10, kBarMost);
  const int text_width = std::max(0, style.width - name_width - bar_width - 4);
  const Axis axis = axis_of(drain, now, bar_width);

  std::vector<std::string> lines{heading(drain, now, style)};
  const bool one = namespaces.size() == 1;  // then it need not be said
  for (const Track* track : tracks) {
    Words words = words_of(*track, drain, now);
    words.text = in_words(std::move(words.text), style);
    if (one) words.text = without(words.text, *namespaces.begin() + "/");
    const std::string name =
        fit(short_name(track->unit, namespaces.size() > 1), name_width, style.unicode);
    const bool stays = track->plan.mode == Mode::kNotOurs;
    lines.push_back(padded(name, name_width) + "  " +
                    (stays ? std::string(static_cast<size_t>(bar_width), ' ')
                           : bar(*track, drain, axis, now, style)) +
                    "  " + paint(fit(words.text, text_width, style.unicode), words.colour, style));
  }
  add_services(drain, now, style, lines);
  return lines;
}

}  // namespace spotkeeper::observe
