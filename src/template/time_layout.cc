// SPDX-License-Identifier: Apache-2.0
#include "template/time_layout.h"

#include <fmt/format.h>

#include <array>
#include <span>

namespace spotkeeper::tmpl {
namespace {

constexpr std::array<const char*, 12> kMonths = {"January",   "February", "March",    "April",
                                                 "May",       "June",     "July",     "August",
                                                 "September", "October",  "November", "December"};
constexpr std::array<const char*, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};

struct Chunk {
  std::string_view layout;
  std::string (*text)(const DateParts& parts);
};

int twelve(int hour) {
  return hour % 12 == 0 ? 12 : hour % 12;
}

// The first that fits is meant: longer ones stand before their beginnings.
constexpr Chunk kChunks[] = {
    {"January", [](const DateParts& p) { return std::string(kMonths[p.month - 1]); }},
    {"Jan", [](const DateParts& p) { return std::string(kMonths[p.month - 1], 3); }},
    {"Monday", [](const DateParts& p) { return std::string(kDays[p.weekday]); }},
    {"Mon", [](const DateParts& p) { return std::string(kDays[p.weekday], 3); }},
    {"MST", [](const DateParts&) { return std::string("UTC"); }},
    {"002", [](const DateParts& p) { return fmt::format("{:03}", p.year_day); }},
    {"01", [](const DateParts& p) { return fmt::format("{:02}", p.month); }},
    {"02", [](const DateParts& p) { return fmt::format("{:02}", p.day); }},
    {"03", [](const DateParts& p) { return fmt::format("{:02}", twelve(p.hour)); }},
    {"04", [](const DateParts& p) { return fmt::format("{:02}", p.minute); }},
    {"05", [](const DateParts& p) { return fmt::format("{:02}", p.second); }},
    {"06", [](const DateParts& p) { return fmt::format("{:02}", p.year % 100); }},
    {"15", [](const DateParts& p) { return fmt::format("{:02}", p.hour); }},
    {"1", [](const DateParts& p) { return fmt::format("{}", p.month); }},
    {"2006", [](const DateParts& p) { return fmt::format("{:04}", p.year); }},
    {"2", [](const DateParts& p) { return fmt::format("{}", p.day); }},
    {"__2", [](const DateParts& p) { return fmt::format("{:3}", p.year_day); }},
    {"_2006", [](const DateParts& p) { return fmt::format("_{:04}", p.year); }},
    {"_2", [](const DateParts& p) { return fmt::format("{:2}", p.day); }},
    {"3", [](const DateParts& p) { return fmt::format("{}", twelve(p.hour)); }},
    {"4", [](const DateParts& p) { return fmt::format("{}", p.minute); }},
    {"5", [](const DateParts& p) { return fmt::format("{}", p.second); }},
    {"PM", [](const DateParts& p) { return std::string(p.hour < 12 ? "AM" : "PM"); }},
    {"pm", [](const DateParts& p) { return std::string(p.hour < 12 ? "am" : "pm"); }},
    {"-07:00:00", [](const DateParts&) { return std::string("+00:00:00"); }},
    {"-07:00", [](const DateParts&) { return std::string("+00:00"); }},
    {"-070000", [](const DateParts&) { return std::string("+000000"); }},
    {"-0700", [](const DateParts&) { return std::string("+0000"); }},
    {"-07", [](const DateParts&) { return std::string("+00"); }},
    {"Z07:00:00", [](const DateParts&) { return std::string("Z"); }},
    {"Z07:00", [](const DateParts&) { return std::string("Z"); }},
    {"Z070000", [](const DateParts&) { return std::string("Z"); }},
    {"Z0700", [](const DateParts&) { return std::string("Z"); }},
    {"Z07", [](const DateParts&) { return std::string("Z"); }},
};

// ".000" or ",999": how many bytes, 0 when it is none. No digit may follow.
size_t fraction_size(std::string_view rest) {
  if (rest.size() < 2 || (rest[0] != '.' && rest[0] != ',') || (rest[1] != '0' && rest[1] != '9'))
    return 0;
  const size_t end = std::min(rest.find_first_not_of(rest[1], 1), rest.size());
  if (end < rest.size() && rest[end] >= '0' && rest[end] <= '9') return 0;
  return end;
}

std::string fraction(std::string_view layout, int milli) {
  std::string digits = fmt::format("{:03}000000", milli);
  const size_t count = layout.size() - 1;
  digits.resize(count, '0');
  if (layout[1] == '9') {
    while (digits.ends_with('0')) digits.pop_back();
    if (digits.empty()) return "";
  }
  return layout[0] + digits;
}

const Chunk* chunk_at(std::string_view rest) {
  for (const Chunk& chunk : kChunks) {
    if (!rest.starts_with(chunk.layout)) continue;
    // "Jan" and "Mon" are parts of a word in "Janet", "Months".
    const bool word = chunk.layout == "Jan" || chunk.layout == "Mon";
    if (word && rest.size() > 3 && rest[3] >= 'a' && rest[3] <= 'z') continue;
    return &chunk;
  }
  return nullptr;
}

}  // namespace

DateParts date_parts(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Millis> clock(time - day);
  const auto first = std::chrono::sys_days(date.year() / std::chrono::January / 1);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .weekday = std::chrono::weekday(day).c_encoding(),
          .year_day = static_cast<int>((day - first).count()) + 1,
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .milli = static_cast<int>(clock.subseconds().count())};
}

std::string format_layout(Time time, std::string_view layout) {
  const DateParts parts = date_parts(time);
  std::string out;
  while (!layout.empty()) {
    size_t taken = 1;
    if (const Chunk* chunk = chunk_at(layout)) {
      taken = chunk->layout.size();
      out += chunk->text(parts);
    } else if (const size_t size = fraction_size(layout); size > 0) {
      taken = size;
      out += fraction(layout.substr(0, size), parts.milli);
    } else {
      out += layout.front();
    }
    layout.remove_prefix(taken);
  }
  return out;
}

}  // namespace spotkeeper::tmpl
