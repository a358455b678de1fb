// SPDX-License-Identifier: Apache-2.0
#include "demo/words.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

namespace spotkeeper::demo {

using core::What;
using observe::Colour;

namespace {

std::string pod_name(const world::Key& key, const std::optional<world::Owner>& owner) {
  core::Unit unit;
  unit.name = key.text();
  if (owner) unit.owner = fmt::format("{}/{}", world::kind_name(owner->kind), owner->name);
  return observe::short_name(unit, false);
}

std::string seconds(Millis duration) {
  return fmt::format("{:.0f} s", static_cast<double>(duration.count()) / 1000.0);
}

bool has(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

// The core's reasons are exact and long; a line of the timeline is short. What is not known here is
// shown as it is.
std::string told_text(const std::string& reason) {
  if (has(reason, "to have all the time")) return "told to end, to have all the time that is left";
  if (has(reason, "budget can hold it")) return "told to end: its budget lets it go";
  if (has(reason, "its own grace of")) return "told to end: its grace outlasts the notice";
  if (has(reason, "no time to wait")) return "told to end: there is no time to wait";
  if (has(reason, "its last moment")) return "told to end: this is its last moment";
  return reason.empty() ? "told to end" : "told to end: " + reason;
}

std::string held_text(const std::string& why) {
  return has(why, "allows no disruption now") ? "waits: its budget allows no disruption now"
                                              : "waits: " + why;
}

// "Service shop/db has no Ready endpoint any more" is about db.
void speak_of_service(Line& line, bool dark) {
  const std::string head = "Service ";
  const size_t end = line.text.find(' ', head.size());
  if (!line.text.starts_with(head) || end == std::string::npos) return;
  line.about = line.text.substr(head.size(), end - head.size());
  const size_t for_long = line.text.rfind("none for ");
  line.text =
      dark ? "its Service has no Ready endpoint now"
           : "its Service has one again, after " +
                 (for_long == std::string::npos ? "a while" : line.text.substr(for_long + 9));
  if (const size_t all = line.text.find(" in all"); all != std::string::npos) line.text.erase(all);
}

Colour colour_of(const core::Entry& entry) {
  switch (entry.what) {
    case What::kHeld:
    case What::kRefused:
    case What::kOverruled:
    case What::kDark:
      return Colour::kYellow;
    case What::kTold:
      return Colour::kCyan;
    case What::kBright:
      return Colour::kGreen;
    case What::kFinished:
      return entry.level == core::Level::kInfo ? Colour::kGreen : Colour::kRed;
    default:
      return entry.level >= core::Level::kError ? Colour::kRed : Colour::kPlain;
  }
}

// Where a moment stands as RFC 3339 with whole seconds: its second of the timeline.
std::string with_seconds(std::string text, Time notice) {
  constexpr size_t kLength = 20;  // 2026-11-21T10:00:00Z
  for (size_t at = 0; at + kLength <= text.size(); ++at) {
    Time moment{};
    if (text[at + 4] != '-' || !parse_time(text.substr(at, kLength), moment)) continue;
    text.replace(at, kLength,
                 fmt::format("second {}", std::chrono::floor<Seconds>(moment - notice).count()));
  }
  return text;
}

}  // namespace

std::string pod_name(const world::PodStory& pod) {
  return pod_name(pod.key, pod.owner);
}

std::string pod_name(const world::Pod& pod) {
  return pod_name(pod.meta.key(), pod.meta.owner);
}

Line Words::watching() const {
  return {.at = notice_ - Seconds(3),
          .who = "agent",
          .about = kDoomed,
          .text = "asks the metadata service every second"};
}

Line Words::notice() const {
  return {
      .at = notice_,
      .who = "AWS",
      .about = kDoomed,
      .text = fmt::format("Spot interruption notice: it ends in {}", seconds(deadline_ - notice_)),
      .colour = Colour::kRed};
}

Line Words::end(int cut_off) const {
  return {.at = deadline_,
          .who = "AWS",
          .about = kDoomed,
          .text = cut_off == 0 ? "ends; nothing that had to leave is on it"
                               : fmt::format("ends and cuts off {} pods", cut_off),
          .colour = cut_off == 0 ? Colour::kGreen : Colour::kRed};
}

void Words::know(const world::Pod& pod) {
  names_.try_emplace(pod.meta.key().text(), pod_name(pod));
}

Line Words::storm(Time at, bool begins) {
  return {.at = at,
          .who = "cluster",
          .about = "API server",
          .text = begins ? "answers 429, 500 or late; metadata, too" : "answers as it should again",
          .colour = begins ? Colour::kYellow : Colour::kPlain};
}

std::string Words::plain(std::string text) const {
  text = with_seconds(observe::without(std::move(text), std::string(kNamespace) + "/"), notice_);
  return text;
}

std::optional<Line> Words::of(const core::Entry& entry) {
  if (entry.level == core::Level::kDebug) return std::nullopt;
  if (!entry.unit.empty()) return of_pod(entry);
  Line line{.at = entry.at,
            .who = "agent",
            .about = entry.host.value,
            .text = plain(entry.text),
            .colour = colour_of(entry)};
  switch (entry.what) {
    case What::kNotice:
      line.text = entry.text.starts_with("changed") || entry.text.starts_with("withdrawn")
                      ? line.text
                      : fmt::format("hears the notice, {} after AWS gave it",
                                    format_duration(entry.at - notice_));
      break;
    case What::kMarked:
      line.text = "cordoned: nothing new is placed here";
      break;
    case What::kDark:
    case What::kBright:
      speak_of_service(line, entry.what == What::kDark);
      break;
    default:
      break;
  }
  return line;
}

// A pod's end is said once, when it is written, with the reason it was asked or stopped for.
std::optional<Line> Words::of_pod(const core::Entry& entry) {
  const auto known = names_.find(entry.unit);
  Line line{.at = entry.at,
            .who = "agent",
            .about = known == names_.end() ? plain(entry.unit) : known->second,
            .colour = colour_of(entry)};
  const std::string text = plain(entry.text);
  switch (entry.what) {
    case What::kPlanned:
    case What::kGone:
    case What::kExplained:
      return std::nullopt;
    case What::kAsked:
    case What::kStopped:
      reasons_[entry.unit] = text;
      return std::nullopt;
    case What::kOverruled:
      overruled_.insert(entry.unit);
      return std::nullopt;
    case What::kTold:
      line.text = told_text(reasons_[entry.unit]);
      if (overruled_.contains(entry.unit)) {
        line.text = "BUDGET OVERRULED: told at its last moment";
        line.colour = Colour::kYellow;
      }
      break;
    case What::kHeld:
      line.text = held_text(text);
      break;
    case What::kRefused:
      if (has(text, "disruption budget")) return std::nullopt;  // it waits, or is overruled now
      line.text = "refused: " + text;
      break;
    default:
      line.text = text;
  }
  return line;
}

std::optional<Line> Words::of(const world::Event& event, Time now) {
  if (event.kind() != world::Kind::kPod) return std::nullopt;
  const auto& pod = world::as<world::Pod>(*event.object);
  const bool daemon = pod.meta.owner && pod.meta.owner->kind == world::Kind::kDaemonSet;
  if (daemon || pod.node.empty()) return std::nullopt;
  know(pod);
  // A pod that was taken out of its Deployment keeps the name it was known by.
  Line line{.at = now, .who = "cluster", .about = names_.at(pod.meta.key().text())};
  if (pod.node == kDoomed && event.change == world::Change::kDeleted) {
    line.text = fmt::format("has ended, {} before its host", seconds(deadline_ - now));
    line.colour = Colour::kGreen;
    return line;
  }
  if (pod.node != kDoomed && pod.ready() && !pod.deleting() && ready_.insert(pod.meta.uid).second) {
    line.text = fmt::format("new pod, Ready on {}", pod.node);
    line.colour = Colour::kGreen;
    return line;
  }
  return std::nullopt;
}

}  // namespace spotkeeper::demo
