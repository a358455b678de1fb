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

// "its budget" is nearer to a reader than its name, which is the app's anyway.
std::string about_budget(const std::string& text) {
  return text.find("allows no disruption now") != std::string::npos
             ? "its budget allows no disruption now"
             : text;
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
          .text = "runs on n1 and asks its metadata service for a notice every second"};
}

Line Words::notice() const {
  return {.at = notice_,
          .who = "AWS",
          .about = kDoomed,
          .text = fmt::format("Spot interruption notice: this host ends in {}",
                              seconds(deadline_ - notice_)),
          .colour = Colour::kRed};
}

Line Words::end(int cut_off) const {
  return {.at = deadline_,
          .who = "AWS",
          .about = kDoomed,
          .text = cut_off == 0 ? "the host ends; nothing that had to leave was left on it"
                               : fmt::format("the host ends and cuts off {} pods", cut_off),
          .colour = cut_off == 0 ? Colour::kGreen : Colour::kRed};
}

void Words::know(const world::Pod& pod) {
  names_.try_emplace(pod.meta.key().text(), pod_name(pod));
}

Line Words::storm(Time at, bool begins) {
  return {.at = at,
          .who = "cluster",
          .about = "API server",
          .text = begins ? "three of four answers are 429, 500 or 3 s late now; the metadata "
                           "service's, too"
                         : "answers as it should again",
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
                      : fmt::format("hears the notice {} after it was given",
                                    format_duration(entry.at - notice_));
      break;
    case What::kMarked:
      line.text = "cordons the node: nothing new will be placed on it";
      break;
    default:
      break;
  }
  return line;
}

// What is asked and stopped is said once, when it is written: "told".
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
      reasons_[entry.unit] = "evicted: " + text;
      return std::nullopt;
    case What::kStopped:
      reasons_[entry.unit] = "deleted: " + text;
      return std::nullopt;
    case What::kTold:
      line.text = "told to end, " + reasons_[entry.unit];
      break;
    case What::kHeld:
      line.text = "waits: " + about_budget(text);
      break;
    case What::kRefused:
      line.text = text.find("disruption budget") == std::string::npos
                      ? text
                      : "its eviction is refused: its budget allows none";
      break;
    case What::kOverruled:
      line.text = "BUDGET OVERRULED: it has held the pod to its last moment";
      break;
    default:
      line.text = text;
  }
  return line;
}

std::optional<Line> Words::of(const world::Event& event) {
  if (event.kind() != world::Kind::kPod) return std::nullopt;
  const auto& pod = world::as<world::Pod>(*event.object);
  const bool daemon = pod.meta.owner && pod.meta.owner->kind == world::Kind::kDaemonSet;
  if (daemon || pod.node.empty()) return std::nullopt;
  know(pod);
  Line line{.who = "cluster", .about = pod_name(pod)};
  if (pod.node == kDoomed && event.change == world::Change::kDeleted) {
    line.text = "has ended";
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
