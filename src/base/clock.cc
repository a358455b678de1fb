// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace spotkeeper {
namespace {

using std::chrono::days;

Time wall_now() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

Millis since_boot() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return Seconds(time.tv_sec) + Millis(time.tv_nsec / 1'000'000);
}

// Reads exactly `width` digits at `pos`; false when there are none.
bool digits(const std::string& text, size_t& pos, int width, int& out) {
  int value = 0;
  for (int i = 0; i < width; ++i, ++pos) {
    if (pos >= text.size() || text[pos] < '0' || text[pos] > '9') return false;
    value = value * 10 + (text[pos] - '0');
  }
  out = value;
  return true;
}

bool literal(const std::string& text, size_t& pos, const char* allowed) {
  if (pos >= text.size() || std::string(allowed).find(text[pos]) == std::string::npos) return false;
  ++pos;
  return true;
}

// One of `names` (all three letters long) at `pos`, as its place among them; false when none is.
bool name(const std::string& text, size_t& pos, std::string_view names, unsigned& out) {
  const std::string_view word = std::string_view(text).substr(std::min(pos, text.size()), 3);
  const size_t found = names.find(word);
  if (word.size() != 3 || found == std::string_view::npos || found % 3 != 0) return false;
  out = static_cast<unsigned>(found / 3);
  pos += 3;
  return true;
}

bool parse_offset(const std::string& text, size_t& pos, Seconds& out) {
  if (literal(text, pos, "Zz")) {
    out = Seconds(0);
    return true;
  }
  const bool negative = pos < text.size() && text[pos] == '-';
  int hours = 0;
  int minutes = 0;
  if (!literal(text, pos, "+-") || !digits(text, pos, 2, hours) || !literal(text, pos, ":") ||
      !digits(text, pos, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  out = Seconds((hours * 60 + minutes) * 60 * (negative ? -1 : 1));
  return true;
}

// What format_time() can write, and a later parse_time() read; an offset may lead out of it.
bool has_four_digit_year(Time time) {
  constexpr std::chrono::sys_days kFirst(std::chrono::year(0) / 1 / 1);
  constexpr std::chrono::sys_days kEnd(std::chrono::year(10'000) / 1 / 1);
  return time >= kFirst && time < kEnd;
}

}  // namespace

SteadyClock::SteadyClock() : wall_at_anchor_(wall_now()), boot_at_anchor_(since_boot()) {}

Time SteadyClock::now() const {
  return wall_at_anchor_ + (since_boot() - boot_at_anchor_);
}

Millis SteadyClock::anchor() {
  if (corrected_) return Millis(0);
  const Time before = now();
  wall_at_anchor_ = wall_now();
  boot_at_anchor_ = since_boot();
  return wall_at_anchor_ - before;
}

void SteadyClock::correct(Millis behind) {
  corrected_ = true;
  wall_at_anchor_ += behind;
}

Millis SteadyClock::host_behind() const {
  return corrected_ ? now() - wall_now() : Millis(0);
}

// Digit by digit, because journals and plans are full of times and fmt takes ten times as long.
std::string format_time_s(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto second = (std::chrono::floor<Seconds>(time) - day).count();
  const int year = static_cast<int>(date.year());
  std::string text = "0000-00-00T00:00:00Z";
  const auto put = [&text](size_t last, int64_t number) {
    for (; number > 0; number /= 10) text[last--] = static_cast<char>('0' + number % 10);
  };
  if (year >= 0 && year <= 9999) {
    put(3, year);
  } else {
    text.replace(0, 4, fmt::format("{:04}", year));
    return text;
  }
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, second / 3600);
  put(15, second / 60 % 60);
  put(18, second % 60);
  return text;
}

std::string format_time(Time time) {
  std::string text = format_time_s(time);
  const auto millis = (time - std::chrono::floor<Seconds>(time)).count();
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, millis);
}

bool parse_time(const std::string& text, Time& out) {
  size_t pos = 0;
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!digits(text, pos, 4, year) || !literal(text, pos, "-") || !digits(text, pos, 2, month) ||
      !literal(text, pos, "-") || !digits(text, pos, 2, day) || !literal(text, pos, "Tt ") ||
      !digits(text, pos, 2, hour) || !literal(text, pos, ":") || !digits(text, pos, 2, minute) ||
      !literal(text, pos, ":") || !digits(text, pos, 2, second)) {
    return false;
  }
  Millis fraction(0);
  if (literal(text, pos, ".")) {
    int scale = 100;
    const size_t first = pos;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) {
      fraction += Millis((text[pos] - '0') * scale);
    }
    if (pos == first) return false;
  }
  Seconds offset(0);
  if (!parse_offset(text, pos, offset) || pos != text.size()) return false;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const Time time = Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + Seconds(second) + fraction - offset;
  if (!has_four_digit_year(time)) return false;
  out = time;
  return true;
}

bool parse_http_date(const std::string& text, Time& out) {
  constexpr size_t kLength = 29;
  size_t pos = 0;
  unsigned weekday = 0;
  unsigned month = 0;
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const auto mark = [&](const char* which) { return literal(text, pos, which); };
  if (text.size() != kLength || !name(text, pos, "SunMonTueWedThuFriSat", weekday) || !mark(",") ||
      !mark(" ") || !digits(text, pos, 2, day) || !mark(" ") ||
      !name(text, pos, "JanFebMarAprMayJunJulAugSepOctNovDec", month) || !mark(" ") ||
      !digits(text, pos, 4, year) || !mark(" ") || !digits(text, pos, 2, hour) || !mark(":") ||
      !digits(text, pos, 2, minute) || !mark(":") || !digits(text, pos, 2, second) ||
      text.compare(pos, std::string::npos, " GMT") != 0) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month + 1),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const std::chrono::sys_days midnight(date);
  if (std::chrono::weekday(midnight).c_encoding() != weekday) return false;
  const Time time =
      Time(midnight) + std::chrono::hours(hour) + std::chrono::minutes(minute) + Seconds(second);
  if (!has_four_digit_year(time)) return false;
  out = time;
  return true;
}

std::string format_duration(Millis duration) {
  const int64_t ms = duration.count();
  const int64_t size = std::llabs(ms);
  if (size < 1000) return fmt::format("{} ms", ms);
  if (size < 10'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000.0);
  return fmt::format("{} s", (ms >= 0 ? ms + 500 : ms - 500) / 1000);
}

}  // namespace spotkeeper
