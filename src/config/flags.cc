// SPDX-License-Identifier: Apache-2.0
#include "config/flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace spotkeeper::config {
namespace {

struct Found {
  const Flag* flag = nullptr;
  std::string said;                 // how it was written: "--output", "-o"
  std::optional<std::string> text;  // behind "=", or right behind its letter
};

Found find_flag(const Flags& flags, const std::string& argument) {
  const bool one_dash = !argument.starts_with("--");
  const std::string word = argument.substr(one_dash ? 1 : 2);
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  Found found{.said = (name.size() > 1 || !one_dash ? "--" : "-") + name};
  if (equals != std::string::npos) found.text = word.substr(equals + 1);
  for (const Flag& flag : flags) {
    const bool by_letter = one_dash && name.size() == 1 && name[0] == flag.letter;
    if (name == flag.name || by_letter) {
      found.flag = &flag;
      return found;
    }
  }
  for (const Flag& flag : flags) {  // -ojson
    if (!one_dash || flag.letter == '\0' || flag.value.empty() || word[0] != flag.letter) continue;
    return Found{.flag = &flag, .said = {'-', flag.letter}, .text = word.substr(1)};
  }
  return found;
}

Result<void> set(const Flag& flag, const std::string& where, const std::string& text) {
  const Expected expected = flag.set(text);
  if (!expected) return {};
  if (flag.secret) return permanent(fmt::format("{}: expected {}", where, *expected));
  return permanent(fmt::format("{}: expected {}, got '{}'", where, *expected, on_one_line(text)));
}

Result<void> take_environment(const Flags& flags, const Environment& environment) {
  for (const Flag& flag : flags) {
    if (flag.env.empty()) continue;
    const std::optional<std::string> value = environment(flag.env);
    if (!value || value->empty()) continue;
    auto done = set(flag, "environment variable " + flag.env, *value);
    if (!done) return done;
  }
  return {};
}

Expected parse_number(const std::string& text, int least, int most, int& target) {
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return expected;
  if (value < least || value > most) return expected;
  target = value;
  return {};
}

Expected parse_duration(const std::string& text, Millis least, Millis most, Millis& target) {
  const std::string expected = fmt::format("a duration from {} to {}, such as 500ms, 2s or 1m",
                                           format_duration(least), format_duration(most));
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > INT32_MAX || number < 0) return expected;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  Millis value(0);
  if (unit == "ms") {
    value = Millis(number);
  } else if (unit.empty() || unit == "s") {
    value = Seconds(number);
  } else if (unit == "m") {
    value = std::chrono::minutes(number);
  } else if (unit == "h") {
    value = std::chrono::hours(number);
  } else {
    return expected;
  }
  if (value < least || value > most) return expected;
  target = value;
  return {};
}

}  // namespace

std::string on_one_line(const std::string& words) {
  std::string line;
  for (const char c : words) {
    if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  return line;
}

Result<std::vector<std::string>> parse_flags(const Flags& flags, const std::string& command,
                                             const std::vector<std::string>& arguments,
                                             const Environment& environment) {
  if (auto done = take_environment(flags, environment); !done) {
    return std::unexpected(done.error());
  }
  std::vector<std::string> others;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      others.insert(others.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    arguments.end());
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      others.push_back(argument);
      continue;
    }
    Found found = find_flag(flags, argument);
    if (found.flag == nullptr) {
      return permanent(fmt::format("{}: there is no such option; see '{} --help'",
                                   on_one_line(found.said), command));
    }
    const Flag& flag = *found.flag;
    if (!found.text && flag.value.empty()) found.text = "true";
    if (!found.text) {
      if (i + 1 == arguments.size()) {
        return permanent(fmt::format("{}: expected {} behind it", found.said, flag.value));
      }
      found.text = arguments[++i];
    }
    if (auto done = set(flag, found.said, *found.text); !done) {
      return std::unexpected(done.error());
    }
  }
  return others;
}

std::vector<std::pair<std::string, std::string>> values_of(const Flags& flags) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const Flag& flag : flags) {
    std::optional<std::string> value = flag.set.shown();
    if (!value) continue;
    if (flag.secret && !value->empty()) value = "<hidden>";
    values.emplace_back(flag.name, on_one_line(*value));
  }
  return values;
}

Setter text(std::string& target) {
  return {[&target](const std::string& value) -> Expected {
            target = value;
            return {};
          },
          [&target] { return target; }};
}

Setter boolean(bool& target) {
  return {[&target](const std::string& value) -> Expected {
            for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
              if (value == yes) {
                target = true;
                return {};
              }
            }
            for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
              if (value == no) {
                target = false;
                return {};
              }
            }
            return "true or false";
          },
          [&target] { return std::string(target ? "true" : "false"); }};
}

Setter number(int& target, int least, int most) {
  return {[&target, least, most](const std::string& value) {
            return parse_number(value, least, most, target);
          },
          [&target] { return std::to_string(target); }};
}

Setter duration(Millis& target, Millis least, Millis most) {
  return {[&target, least, most](const std::string& value) {
            return parse_duration(value, least, most, target);
          },
          [&target] {
            const auto whole = std::chrono::floor<Seconds>(target);
            return whole == target ? fmt::format("{}s", whole.count())
                                   : fmt::format("{}ms", target.count());
          }};
}

Setter url(std::string& target) {
  return {[&target](const std::string& value) -> Expected {
            const std::string trimmed = value.substr(0, value.find_last_not_of('/') + 1);
            if (!trimmed.starts_with("http://") && !trimmed.starts_with("https://")) {
              return "an http or https URL";
            }
            target = trimmed;
            return {};
          },
          [&target] { return target; }};
}

Setter choice(std::string& target, std::vector<std::string> choices) {
  return {[&target, choices = std::move(choices)](const std::string& value) -> Expected {
            if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
              return fmt::format("{}", fmt::join(choices, ", "));
            }
            target = value;
            return {};
          },
          [&target] { return target; }};
}

}  // namespace spotkeeper::config
