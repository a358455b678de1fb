// SPDX-License-Identifier: Apache-2.0
#include "demo/verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "demo/words.h"
#include "observe/table.h"

namespace spotkeeper::demo {

using observe::BoardStyle;
using observe::Colour;
using observe::paint;

namespace {

constexpr size_t kOneByOne = 2;

std::vector<std::string> paragraph(const std::string& text, Colour colour,
                                   const BoardStyle& style) {
  std::vector<std::string> lines = observe::wrap(text, static_cast<size_t>(style.width));
  for (std::string& line : lines) line = paint(line, colour, style);
  return lines;
}

// "checkout, 3 × web"
std::string who(const std::vector<std::string>& apps) {
  std::map<std::string, int> counts;
  for (const std::string& app : apps) ++counts[app];
  std::string text;
  for (const auto& [app, count] : counts) {
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ",
                        count == 1 ? "" : fmt::format("{} x ", count), app);
  }
  return text;
}

std::string outage_text(const std::optional<Outage>& outage) {
  if (!outage) return "none";
  return fmt::format("{} ({}{})", format_duration(outage->longest), outage->app,
                     outage->still ? ", still" : "");
}

const world::PodStory* story_of(const world::History& history, const core::Track& track) {
  const auto& pods = history.pods();
  const auto found = std::ranges::find_if(
      pods, [&](const world::PodStory& pod) { return pod.uid.text() == track.unit.id.value; });
  return found == pods.end() ? nullptr : &*found;
}

std::string overruled_text(const world::PodStory& pod, const core::Track& track, Time notice) {
  std::string text = fmt::format(
      "{}: its budget was respected until second {:.0f}, its last moment, then overruled",
      pod_name(pod), static_cast<double>((*track.told - notice).count()) / 1000.0);
  if (!pod.ended || !pod.told) return text;
  const Millis took = *pod.ended - *pod.told;
  return text + (pod.killed ? fmt::format("; it had {} s of grace and did not end by itself",
                                          pod.told_grace.count())
                            : fmt::format("; of {} s of grace it needed {} to shut down",
                                          pod.told_grace.count(), format_duration(took)));
}

}  // namespace

std::vector<std::string> verdict_lines(const Outcome& outcome, uint64_t requests,
                                       const BoardStyle& style) {
  if (!outcome.cut_off.empty()) {
    return paragraph(
        fmt::format("{} of {} pods were CUT OFF by the host's end: {}. The agent "
                    "made {} API requests.",
                    outcome.cut_off.size(), outcome.pods, who(outcome.cut_off), requests),
        Colour::kRed, style);
  }
  return paragraph(
      fmt::format(
          "0 of {} pods were cut off (killed by the end of their host while they still ran): each "
          "was told in time and {}, the last one {} before the host ended. The agent made {} API "
          "requests.",
          outcome.pods,
          outcome.killed == 0
              ? "shut down by itself"
              : fmt::format("gone in time ({} killed when their grace was over)", outcome.killed),
          format_duration(*outcome.spare), requests),
      Colour::kGreen, style);
}

std::vector<std::string> replaced_lines(const core::Drain& drain, const BoardStyle& style) {
  std::vector<std::string> apps;
  for (const core::Track* track : drain.tracks()) {
    if (!track->release.enough || !track->told) continue;
    const std::string name = observe::short_name(track->unit, false);
    apps.push_back(name.substr(0, name.rfind('-')));
  }
  if (apps.empty()) return {};
  return paragraph(
      fmt::format("Replaced first: {}. A new pod was Ready on another host before the old one was "
                  "told to end, so that their Services had no gap and no disruption budget was in "
                  "the way.",
                  who(apps)),
      Colour::kGreen, style);
}

std::vector<std::string> overruled_lines(const world::History& history, const core::Drain& drain,
                                         Time notice, const BoardStyle& style) {
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  size_t in_time = 0;
  for (const core::Track* track : drain.tracks()) {
    const world::PodStory* pod = story_of(history, *track);
    if (!track->overruled || !track->told || pod == nullptr) continue;
    texts.push_back(overruled_text(*pod, *track, notice));
    in_time += pod->ended && !pod->killed && !pod->cut_off;
  }
  if (texts.size() > kOneByOne) {
    texts = {
        fmt::format("{} budgets were overruled, each at its pod's last moment; {} of these "
                    "pods shut down by themselves within their grace",
                    texts.size(), in_time)};
  }
  for (const std::string& text : texts) {
    const auto wrapped = paragraph(text + ".", Colour::kPlain, style);
    lines.insert(lines.end(), wrapped.begin(), wrapped.end());
  }
  return lines;
}

std::vector<std::string> comparison(const std::vector<Case>& cases, const BoardStyle& style) {
  constexpr int kName = 35;
  constexpr int kCutOff = 18;
  std::vector<std::string> lines{
      paint(fmt::format("{:<{}}{:<{}}{}", "the same host, the same pods", kName, "cut off", kCutOff,
                        "longest outage of a Service"),
            Colour::kBold, style)};
  for (const Case& one : cases) {
    const bool good = one.outcome.cut_off.empty();
    const std::string count =
        fmt::format("{} of {} pods", one.outcome.cut_off.size(), one.outcome.pods);
    lines.push_back(
        fmt::format("{:<{}}", one.name, kName) +
        paint(fmt::format("{:<{}}", count, kCutOff), good ? Colour::kGreen : Colour::kRed, style) +
        outage_text(one.outcome.worst));
    const std::string why = one.why.empty() ? "" : "  " + one.why;
    if (!why.empty())
      lines.push_back(paint(observe::fit(why, style.width, style.unicode), Colour::kDim, style));
  }
  return lines;
}

}  // namespace spotkeeper::demo
