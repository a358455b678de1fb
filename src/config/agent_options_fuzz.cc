// SPDX-License-Identifier: Apache-2.0
// The agent's command line and environment. Each piece up to a NUL, as in /proc/PID/cmdline, is an
// argument, or a variable when it begins with '$': "$NODE_NAME=web".
#include <map>
#include <string>
#include <vector>

#include "base/fuzz.h"
#include "config/agent_options.h"

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

void check(const config::AgentOptions& options) {
  must(!options.node_name.empty(), "there is a node");
  must(options.metadata_url.starts_with("http") && !options.metadata_url.ends_with('/'),
       "the metadata service is a URL without a slash at its end");
  must(between(1, options.metadata_tries, 100), "tries have their limits");
  must(between(100, options.imds_poll_interval.count(), 60'000), "the interval has its limits");
  must(between(0, options.prometheus_server_port, 65'535), "a port is a port");
  const core::Policy policy = config::policy_of(options);
  must(between(0, Millis(policy.margin).count(), 60'000), "the margin has its limits");
  must(policy.enough_grace > Seconds(0), "enough is more than nothing");
  must(!policy.grace_override || *policy.grace_override >= Seconds(1),
       "no grace is shorter than a second");
}

}  // namespace

void fuzz(std::string_view input) {
  const Given given = given_by(input);
  const config::Environment environment =
      [&given](const std::string& name) -> std::optional<std::string> {
    const auto found = given.environment.find(name);
    return found == given.environment.end() ? std::nullopt : std::optional(found->second);
  };
  const auto options = config::parse_agent_options(given.arguments, environment);
  if (options) return check(*options);
  must(options.error().kind == ErrorKind::kPermanent, "a bad option stays bad");
  must(is_one_line(options.error().message), "the message is one line");
}

}  // namespace spotkeeper
