// SPDX-License-Identifier: Apache-2.0
// One notion of time for the whole program: a wall-clock time that moves like a monotonic clock.
// Deadlines come from AWS as wall-clock times; a wall clock that is stepped while a drain runs must
// not move them. So the wall clock is read once, and steady time is added to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace spotkeeper {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;
using Time = std::chrono::sys_time<Millis>;

// "Never": later than every moment a notice can name.
inline constexpr Time kNever = Time(Millis(INT64_MAX / 4));

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

// A clock that may be told that it is wrong.
class HostClock : public Clock {
 public:
  // Reads the wall clock again: it may have been set right since. Answers by how much it differed.
  // For moments at which nothing is planned yet. Nothing happens once a better clock was heard.
  virtual Millis anchor() = 0;

  // A better clock than the host's (AWS's) was heard, and this one is behind it by so much; 0: it
  // is right. From here on the wall clock has no say. For moments at which nothing is planned yet.
  virtual void correct(Millis behind) = 0;

  // By how much the host's wall clock is behind now(); negative: ahead. 0 until correct().
  virtual Millis host_behind() const = 0;
};

// The process's clock: anchored to the wall clock when made or anchored anew, monotonic between. It
// goes on while the machine is suspended (CLOCK_BOOTTIME): an instance may wake from hibernation.
class SteadyClock final : public HostClock {
 public:
  SteadyClock();
  Time now() const override;
  Millis anchor() override;
  void correct(Millis behind) override;
  Millis host_behind() const override;

 private:
  Time wall_at_anchor_;
  Millis boot_at_anchor_;
  bool corrected_ = false;
};

// A clock that moves only when told to; for tests and for the emulated world.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  Time now() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  Time now_;
};

// RFC 3339 in UTC with milliseconds: "2026-11-21T10:00:00.123Z".
std::string format_time(Time time);

// RFC 3339 in UTC with whole seconds: "2026-11-21T10:00:00Z".
std::string format_time_s(Time time);

// Parses RFC 3339 ("2026-11-21T10:00:00Z", fractions and numeric offsets allowed) of what in UTC
// is in the years 0 to 9999, so that format_time() gives RFC 3339 again.
// False leaves `out` untouched.
bool parse_time(const std::string& text, Time& out);

// Parses the date of an HTTP header as RFC 7231 wants it to be written (IMF-fixdate: "Sun, 06 Nov
// 1994 08:49:37 GMT"); its obsolete forms are refused. False leaves `out` untouched.
bool parse_http_date(const std::string& text, Time& out);

// A duration for people: "250 ms", "4.5 s", "117 s", "-3.0 s".
std::string format_duration(Millis duration);

}  // namespace spotkeeper
