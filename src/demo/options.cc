// SPDX-License-Identifier: Apache-2.0
#include "demo/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace spotkeeper::demo {
namespace {

constexpr int kLongestNotice = 900;

config::Expected set_speed(const std::string& text, double& target) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= 0.1 && value <= kHighestSpeed)) {
    return fmt::format("a number from 0.1 to {}", kHighestSpeed);
  }
  target = value;
  return {};
}

config::Expected set_notice(const std::string& text, std::optional<Seconds>& target) {
  int seconds = 0;
  const auto expected = config::number(seconds, kLeastNotice, kLongestNotice)(text);
  if (!expected) target = Seconds(seconds);
  return expected;
}

// A switch that turns something off.
config::Setter off(bool& target) {
  return [&target](const std::string& text) {
    bool value = true;
    config::Expected expected = config::boolean(value)(text);
    target = !value;
    return expected;
  };
}

}  // namespace

config::Flags demo_flags(Options& options) {
  return {
      {.name = "speed",
       .value = "N",
       .help = fmt::format("times as fast as real time, 0.1 to {} [2]", kHighestSpeed),
       .set = [&](const std::string& text) { return set_speed(text, options.speed); }},
      {.name = "scenario",
       .value = "NAME",
       .help = "what runs on the host, and what else happens [shop]",
       .set = config::choice(options.scenario, scenario_names()),
       .choices = scenario_names()},
      {.name = "list-scenarios", .help = "show them", .set = config::boolean(options.list)},
      {.name = "notice",
       .value = "SECONDS",
       .help = fmt::format("length of the notice, {} to {} [the scenario's]", kLeastNotice,
                           kLongestNotice),
       .set = [&](const std::string& text) { return set_notice(text, options.notice); }},
      {.name = "plain",
       .help = "lines below each other, nothing redrawn",
       .set = off(options.screen.live)},
      {.name = "no-color",
       .help = "that, and no colours; so does NO_COLOR",
       .set = off(options.screen.colour)},
      {.name = "help", .help = "show this", .set = config::boolean(options.help), .letter = 'h'},
  };
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const auto rest = config::parse_flags(demo_flags(options), "spotkeeper-demo", arguments, nothing);
  if (!rest) return std::unexpected(rest.error());
  if (!rest->empty()) {
    return permanent(
        fmt::format("'{}': no argument is expected, only options; see --help", rest->front()));
  }
  return options;
}

std::string help_text() {
  Options shown;
  std::string out =
      "spotkeeper-demo: a Spot interruption before your eyes\n\n"
      "Usage:\n  spotkeeper-demo [options]\n\n"
      "AWS takes a host back in two minutes; spotkeeper's agent moves its pods away in\n"
      "time and says why it does what. The cluster and the metadata service are\n"
      "emulated in this process, the agent is the real one. Needs nothing, changes\n"
      "nothing, listens on 127.0.0.1 only.\n\nOptions:\n";
  for (const config::Flag& flag : demo_flags(shown)) {
    std::string head = flag.letter == '\0' ? "      " : fmt::format("  -{}, ", flag.letter);
    head += "--" + flag.name + (flag.value.empty() ? "" : " " + flag.value);
    out += fmt::format("{:<26}{}\n", head, flag.help);
  }
  out +=
      "\nExamples:\n"
      "  spotkeeper-demo\n      a minute, as --speed 2 has it\n"
      "  spotkeeper-demo --scenario closed-budgets --speed 10\n"
      "      budgets that allow nothing, in 10 s\n"
      "  spotkeeper-demo --scenario short-notice --plain > timeline.txt\n"
      "      the notice comes 20 s before the end; only lines\n"
      "\nExit status:\n"
      "  0    nobody was cut off\n  1    somebody was, or a failure of its own\n"
      "  2    wrong option\n  130  interrupted\n";
  return out;
}

std::string list_text() {
  std::string out;
  for (const std::string& name : scenario_names()) {
    out += fmt::format("{:<16}{}\n", name, make_scenario(name)->summary);
  }
  return out;
}

}  // namespace spotkeeper::demo
