// SPDX-License-Identifier: Apache-2.0
// Times: sprig's functions, and the methods of Go's time.Time. All in UTC.
#include <algorithm>

#include "template/functions.h"
#include "template/time_layout.h"

namespace spotkeeper::tmpl {
namespace {

std::unexpected<std::string> wrong(std::string message) {
  return std::unexpected(std::move(message));
}

int64_t millis(const Value& time) {
  return time.time().time_since_epoch().count();
}
int64_t seconds(const Value& time) {
  return std::chrono::floor<Seconds>(time.time()).time_since_epoch().count();
}

Made formatted(const Call& call, Time time, const std::string& layout) {
  if (!call.budget.spend(layout.size() * 9)) return Value();
  return Value::text(format_layout(time, layout));
}

// A time, or seconds since 1970; anything else is now.
Time moment(const Call& call, const Value& value) {
  if (value.is(Kind::kTime)) return value.time();
  if (!value.is(Kind::kInt)) return Value::time(call.now).time();
  constexpr int64_t kMost = INT64_MAX / 1000;
  const int64_t clamped = std::min(kMost, std::max(-kMost, value.number()));
  return Value::time(Time(Seconds(clamped))).time();
}

Made now(const Call& call) {
  return Value::time(call.now);
}
Made date(const Call& call) {
  return formatted(call, moment(call, call.args[1]), call.args[0].text());
}
Made date_in_zone(const Call& call) {
  if (!is_utc(call.args[2].text())) return wrong(kOnlyUtc);
  return date(call);
}
Made html_date(const Call& call) {
  return formatted(call, moment(call, call.args[0]), "2006-01-02");
}
Made unix_epoch(const Call& call) {
  return Value::text(std::to_string(seconds(call.args[0])));
}

// ---- methods ----------------------------------------------------------------------------------

Made format(const Call& call) {
  return formatted(call, call.args[0].time(), call.args[1].text());
}
Made utc(const Call& call) {
  return call.args[0];
}
Made unix_s(const Call& call) {
  return Value::number(seconds(call.args[0]));
}
Made unix_ms(const Call& call) {
  return Value::number(millis(call.args[0]));
}
Made unix_us(const Call& call) {
  return Value::number(millis(call.args[0]) * 1000);
}
// Beyond the years 1678 to 2262 it wraps around, as Go's does.
Made unix_ns(const Call& call) {
  return Value::number(
      static_cast<int64_t>(static_cast<uint64_t>(millis(call.args[0])) * 1'000'000));
}
Made year(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).year);
}
Made day(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).day);
}
Made year_day(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).year_day);
}
Made hour(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).hour);
}
Made minute(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).minute);
}
Made second(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).second);
}
Made nanosecond(const Call& call) {
  return Value::number(date_parts(call.args[0].time()).milli * 1'000'000L);
}
Made text(const Call& call) {
  return Value::text(as_text(call.args[0], call.budget));
}
Made is_zero(const Call& call) {
  return Value::boolean(call.args[0].time() == kZeroTime);
}
Made before(const Call& call) {
  return Value::boolean(call.args[0].time() < call.args[1].time());
}
Made after(const Call& call) {
  return Value::boolean(call.args[0].time() > call.args[1].time());
}
Made equal(const Call& call) {
  return Value::boolean(call.args[0].time() == call.args[1].time());
}

constexpr Signature kFunctions[] = {
    {"now", "", now},
    {"date", "sa", date},
    {"dateInZone", "sas", date_in_zone},
    {"date_in_zone", "sas", date_in_zone},
    {"htmlDate", "a", html_date},
    {"unixEpoch", "t", unix_epoch},
};

constexpr Signature kMethods[] = {
    {"Format", "ts", format},
    {"UTC", "t", utc},
    {"Unix", "t", unix_s},
    {"UnixMilli", "t", unix_ms},
    {"UnixMicro", "t", unix_us},
    {"UnixNano", "t", unix_ns},
    {"Year", "t", year},
    {"Day", "t", day},
    {"YearDay", "t", year_day},
    {"Hour", "t", hour},
    {"Minute", "t", minute},
    {"Second", "t", second},
    {"Nanosecond", "t", nanosecond},
    {"String", "t", text},
    {"IsZero", "t", is_zero},
    {"Before", "tt", before},
    {"After", "tt", after},
    {"Equal", "tt", equal},
};

}  // namespace

bool is_utc(std::string_view zone) {
  return zone.empty() || zone == "UTC" || zone == "Etc/UTC" || zone == "Local";
}

std::span<const Signature> time_functions() {
  return kFunctions;
}
std::span<const Signature> time_methods() {
  return kMethods;
}

}  // namespace spotkeeper::tmpl
