// SPDX-License-Identifier: Apache-2.0
// Flags of a command: one table from which they are parsed, explained in --help and completed by
// the shell. Go's flag syntax: -x, --x, --x=v, --x v; a switch takes its value only behind "=", and
// an option with a letter is also -o v and -ov. Precedence: command line, environment, default; an
// environment variable that is set but empty counts as unset. Errors are one line: which option,
// where it was set, what was expected.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace spotkeeper::config {

// Sets a value; answers what was expected when the text is not that, else nothing. Shows the value
// as it is now, where it is known how.
using Expected = std::optional<std::string>;
class Setter {
 public:
  using Set = std::function<Expected(const std::string& text)>;
  using Show = std::function<std::string()>;

  Setter() = default;
  template <class F>
    requires std::is_convertible_v<F, Set>
  Setter(F set, Show show = {}) : set_(std::move(set)), show_(std::move(show)) {}

  Expected operator()(const std::string& text) const { return set_(text); }
  std::optional<std::string> shown() const { return show_ ? std::optional(show_()) : std::nullopt; }

 private:
  Set set_;
  Show show_;
};

struct Flag {
  std::string name;   // "node-name"
  std::string env;    // "NODE_NAME", empty: none
  std::string group;  // heading in --help
  std::string value;  // empty for a switch, else what stands for the value in --help: "NAME"
  std::string help;
  Setter set;
  char letter = '\0';                     // 'o' for -o
  std::vector<std::string> choices = {};  // all values there are, for completion
  bool secret = false;                    // its value is shown to nobody, in no message either
};
using Flags = std::vector<Flag>;

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Sets everything; answers the arguments that are no flags, in order. `command` ("spotkeeper
// agent") is named where an error points to --help.
Result<std::vector<std::string>> parse_flags(const Flags& flags, const std::string& command,
                                             const std::vector<std::string>& arguments,
                                             const Environment& environment);

// Each flag and its value as it is now: what can be shown, in order. Of a secret only whether it is
// set.
std::vector<std::pair<std::string, std::string>> values_of(const Flags& flags);

// Somebody's words, fit for a message of one line: line breaks and the like are written "\n",
// "\x1b".
std::string on_one_line(const std::string& words);

// Setters. The target must outlive the Flag.
Setter text(std::string& target);
Setter boolean(bool& target);  // as Go's strconv.ParseBool reads it
Setter number(int& target, int least, int most);
Setter duration(Millis& target, Millis least, Millis most);  // "500ms", "1s", "2m", seconds
Setter url(std::string& target);                             // http or https; a last slash is cut
Setter choice(std::string& target, std::vector<std::string> choices);

}  // namespace spotkeeper::config
