// SPDX-License-Identifier: Apache-2.0
#include "core/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::core {
namespace {

constexpr int kRequestsPerStop = 3;  // a last ask, the explanation, the stop
constexpr Seconds kPastDeadlineGrace{10};

std::string why_at_once(const Unit& unit, const Plan& plan, Time end, bool hard) {
  if (!hard) return "asked now; a soft notice overrules no budget";
  if (end <= plan.start) return "asked now: the time that the notice names is as good as past";
  if (!plan.fits) {
    return fmt::format("asked now, with the {} that are left: its own grace of {} s is longer",
                       format_duration(end - plan.start), plan.grace.count());
  }
  if (unit.budgets.empty()) return "asked now, to have all the time that is left";
  return fmt::format("asked now; its budget can hold it until {}", format_time_s(plan.force));
}

}  // namespace

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::kNotOurs:
      return "stays";
    case Mode::kAtOnce:
      return "at-once";
    case Mode::kLastMoment:
      return "last-moment";
  }
  return "unknown";
}

Time end_of(const Notice& notice, const Policy& policy) {
  return notice.deadline == kNever ? kNever : notice.deadline - policy.margin;
}

Seconds needed_grace(const Unit& unit, const Policy& policy) {
  return std::min(policy.grace_override.value_or(unit.grace), policy.enough_grace);
}

Millis stop_lead(int stops_no_later, Millis slowest, const Policy& policy) {
  const double rate = std::max(policy.requests_per_s, 1.0);
  return Millis(static_cast<int64_t>(stops_no_later * kRequestsPerStop * 1000.0 / rate)) +
         kRequestsPerStop * slowest;
}

Plan plan_unit(const Unit& unit, const Notice& notice, const Policy& policy, Millis lead,
               Time now) {
  Plan plan;
  plan.grace = policy.grace_override.value_or(unit.grace);
  if (!unit.exempt.empty() || policy.mark_only) {
    plan.mode = Mode::kNotOurs;
    plan.start = kNever;
    plan.force = kNever;
    plan.why = unit.exempt.empty() ? "left alone, as CORDON_ONLY asks" : unit.exempt;
    return plan;
  }
  const Time end = end_of(notice, policy);
  const bool hard = is_hard(notice);
  const Time latest = end - needed_grace(unit, policy) - lead;
  plan.start = now;
  if (policy.start_before) {
    // Being left alone must not cost a unit its last moment.
    const Time wanted = notice.deadline - *policy.start_before;
    plan.start = std::max(now, hard ? std::min(wanted, latest) : wanted);
  }
  plan.fits = plan.start + plan.grace <= end;
  plan.force = hard ? std::max(latest, plan.start) : kNever;
  if (unit.local_data && policy.spare_local_data) {
    plan.mode = Mode::kLastMoment;
    plan.start = plan.force;
    plan.why = hard
                   ? "left alone until its last moment for its local data, which ends with the host"
                   : "left alone for its local data";
    return plan;
  }
  plan.why = why_at_once(unit, plan, end, hard);
  return plan;
}

Seconds last_grace(const Plan& plan, const Notice& notice, const Policy& policy, Time now) {
  Seconds left = std::chrono::floor<Seconds>(end_of(notice, policy) - now);
  if (left < Seconds(1)) left = std::chrono::floor<Seconds>(notice.deadline - now);
  if (left < Seconds(0)) left = kPastDeadlineGrace;
  return std::max(Seconds(1), std::min(plan.grace, left));
}

}  // namespace spotkeeper::core
