// SPDX-License-Identifier: Apache-2.0
// The program's log, in NTH's two shapes. Console: "2026/11/21 10:00:00 WRN message key=value",
// warnings and errors to stderr, the rest to stdout. JSON: one object a line to stderr with level,
// the fields, time and message. Never throws; a line that cannot be written is lost.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/journal.h"

namespace spotkeeper::observe {

using Fields = std::vector<std::pair<std::string, std::string>>;

class Log {
 public:
  struct Options {
    bool json = false;
    core::Level level = core::Level::kInfo;  // what is less is dropped
    bool silent = false;                     // everything is
  };

  Log(const Clock& clock, Options options);

  void write(core::Level level, const std::string& message, const Fields& fields = {});
  void debug(const std::string& message, const Fields& fields = {});
  void info(const std::string& message, const Fields& fields = {});
  void warning(const std::string& message, const Fields& fields = {});
  void error(const std::string& message, const Fields& fields = {});

  bool json() const { return options_.json; }

  // A line with the members of a JSON object (not an empty one) beside level, time and message:
  // JSON mode only, whatever the level.
  void write_json(const std::string& message, const std::string& object);

  // Lines for people, without time or level, to stdout: console mode only.
  void print(const std::string& text);

 private:
  const Clock& clock_;
  Options options_;
};

// The line, without its newline. Pure; `json` chooses the shape.
std::string format_line(bool json, Time at, core::Level level, const std::string& message,
                        const Fields& fields);

// Writes a journal entry: its text is the message, host, pod and step are fields.
void write_entry(Log& log, const core::Entry& entry);

}  // namespace spotkeeper::observe
