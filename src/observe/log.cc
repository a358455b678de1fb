// SPDX-License-Identifier: Apache-2.0
#include "observe/log.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "observe/terminal.h"

namespace spotkeeper::observe {
namespace {

const char* json_level(core::Level level) {
  switch (level) {
    case core::Level::kDebug:
      return "debug";
    case core::Level::kInfo:
      return "info";
    case core::Level::kWarning:
      return "warn";
    case core::Level::kError:
      return "error";
  }
  return "info";
}

const char* console_level(core::Level level) {
  switch (level) {
    case core::Level::kDebug:
      return "DBG";
    case core::Level::kInfo:
      return "INF";
    case core::Level::kWarning:
      return "WRN";
    case core::Level::kError:
      return "ERR";
  }
  return "INF";
}

// "2026-11-21T10:00:00Z" as "2026/11/21 10:00:00".
std::string console_time(Time at) {
  std::string text = format_time_s(at);
  text[4] = text[7] = '/';
  text[10] = ' ';
  text.pop_back();
  return text;
}

bool plain(const std::string& value) {
  return !value.empty() && value.find_first_of(" \"=\n\r\t") == std::string::npos;
}

}  // namespace

Log::Log(const Clock& clock, Options options) : clock_(clock), options_(options) {}

void Log::write(core::Level level, const std::string& message, const Fields& fields) {
  if (level < options_.level || options_.silent) return;
  const bool to_stderr = options_.json || level >= core::Level::kWarning;
  // Whole lines, in one write: lines of several processes do not mix.
  write_text(to_stderr ? STDERR_FILENO : STDOUT_FILENO,
             format_line(options_.json, clock_.now(), level, message, fields) + "\n");
}

void Log::debug(const std::string& message, const Fields& fields) {
  write(core::Level::kDebug, message, fields);
}
void Log::info(const std::string& message, const Fields& fields) {
  write(core::Level::kInfo, message, fields);
}
void Log::warning(const std::string& message, const Fields& fields) {
  write(core::Level::kWarning, message, fields);
}
void Log::error(const std::string& message, const Fields& fields) {
  write(core::Level::kError, message, fields);
}

void Log::write_json(const std::string& message, const std::string& object) {
  if (options_.silent) return;
  std::string line = format_line(true, clock_.now(), core::Level::kInfo, message, {});
  line.back() = ',';
  write_text(STDERR_FILENO, line + object.substr(1) + "\n");
}

void Log::print(const std::string& text) {
  if (options_.silent) return;
  write_text(STDOUT_FILENO, text);
}

std::string format_line(bool json, Time at, core::Level level, const std::string& message,
                        const Fields& fields) {
  if (json) {
    boost::json::object line;
    line["level"] = json_level(level);
    for (const auto& [key, value] : fields) line[key] = value;
    line["time"] = format_time(at);
    line["message"] = message;
    return boost::json::serialize(line);
  }
  std::string line = console_time(at) + " " + console_level(level) + " " + message;
  for (const auto& [key, value] : fields) {
    line += " " + key + "=";
    line += plain(value) ? value : boost::json::serialize(boost::json::string(value));
  }
  return line;
}

void write_entry(Log& log, const core::Entry& entry) {
  Fields fields;
  fields.emplace_back("step", core::to_string(entry.what));
  fields.emplace_back("node", entry.host.value);
  if (!entry.unit.empty()) fields.emplace_back("pod", entry.unit);
  log.write(entry.level, entry.text, fields);
}

}  // namespace spotkeeper::observe
