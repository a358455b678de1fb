// SPDX-License-Identifier: Apache-2.0
// The command line and environment of agent, plan and drain, all three from the same words. Each
// piece up to a NUL, as in /proc/PID/cmdline, is an argument, or a variable when it begins with
// '$': "$NODE_NAME=web".
#include <map>
#include <string>
#include <vector>

#include "base/fuzz.h"
#include "config/agent_options.h"
#include "config/drain_options.h"

namespace spotkeeper {
namespace {

struct Given {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
};

Given given_by(std::string_view input) {
  Given given;
  while (!input.empty()) {
    const size_t end = std::min(input.find('\0'), input.size());
    const std::string piece(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
    const size_t equals = piece.find('=');
    if (piece.starts_with('$') && equals != std::string::npos) {
      given.environment[piece.substr(1, equals - 1)] = piece.substr(equals + 1);
    } else {
      given.arguments.push_back(piece);
    }
  }
  return given;
}

bool between(int64_t least, int64_t value, int64_t most) {
  return least <= value && value <= most;
}

void check(const core::Policy& policy) {
  must(between(0, Millis(policy.margin).count(), 60'000), "the margin has its limits");
  must(policy.enough_grace > Seconds(0), "enough is more than nothing");
  must(!policy.grace_override || *policy.grace_override >= Seconds(1),
       "no grace is shorter than a second");
}

void check(const config::AgentOptions& options) {
  must(!options.node_name.empty() || options.platform != config::Platform::kKubernetes,
       "there is a node");
  must((options.metadata_url.starts_with("http://") ||
        options.metadata_url.starts_with("https://")) &&
           !options.metadata_url.ends_with('/'),
       "the metadata service is a URL without a slash at its end");
  must(between(1, options.metadata_tries, 100), "tries have their limits");
  must(between(100, options.imds_poll_interval.count(), 60'000), "the interval has its limits");
  must(between(0, options.telling.prometheus_server_port, 65'535), "a port is a port");
  must(between(0, options.telling.probes_server_port, 65'535), "the probes' too");
  check(config::policy_of(options));
}

void check(const config::DrainOptions& options) {
  must(!options.hosts.empty() + !options.selector.empty() + !options.host_file.empty() == 1,
       "hosts or a selector or a file, one of them");
  if (options.max_unavailable) {
    const size_t at_once = options.max_unavailable->of(7);
    must(at_once >= 1 && at_once <= 7, "some of the hosts, not more than all");
    must(options.deadline.from(Time{}) == kNever, "waves have all the time");
  }
  must(between(0, options.timeout.count(), 86'400'000), "the time-out has its limits");
  const Time now(Seconds(1'795'255'200));
  const Time deadline = options.deadline.from(now);
  must(!options.deadline.in || (deadline > now && deadline <= now + std::chrono::hours(24)),
       "a deadline from now on is ahead, and not far");
  Time again{};
  must(deadline == kNever || (parse_time(format_time(deadline), again) && again == deadline),
       "a deadline can be written down");
  check(config::policy_of(options));
}

template <class Options>
void check(const Result<Options>& options) {
  if (options) return check(*options);
  must(options.error().kind == ErrorKind::kPermanent, "a bad option stays bad");
  must(is_one_line(options.error().message), "the message is one line");
}

}  // namespace

void fuzz(std::string_view input) {
  const Given given = given_by(input);
  const config::Environment environment =
      [&given](const std::string& name) -> std::optional<std::string> {
    const auto found = given.environment.find(name);
    return found == given.environment.end() ? std::nullopt : std::optional(found->second);
  };
  check(config::parse_agent_options(given.arguments, environment));
  for (const auto command : {config::HandCommand::kPlan, config::HandCommand::kDrain}) {
    check(config::parse_drain_options(command, given.arguments, environment));
  }
}

}  // namespace spotkeeper
