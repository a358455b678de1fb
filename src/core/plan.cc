// SPDX-License-Identifier: Apache-2.0
#include "core/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace spotkeeper::core {
namespace {

constexpr Seconds kPastDeadlineGrace{10};

// The last seconds of a host, in which DaemonSet units are told.
constexpr Seconds kDaemonGrace{10};
constexpr int kCriticalOrder = 100;

// From a Spot interruption notice to the end. Source: AWS EC2 User Guide.
constexpr Seconds kInterruptionNotice{120};

std::string why_at_once(const Unit& unit, const Plan& plan, Time end, bool hard) {
  if (!hard) return "asked now; a soft notice overrules no budget";
  if (end <= plan.start) return "asked now: the time that the notice names is as good as past";
  if (!plan.fits) {
    return fmt::format("asked now, with the {} that are left: its own grace of {} s is longer",
                       format_duration(end - plan.start), plan.grace.count());
  }
  if (unit.budgets.empty()) return "asked now, to have all the time that is left";
  return "asked now; its budget can hold it until " + format_time_s(plan.force);
}

std::string why_handed_over(const Plan& plan) {
  if (plan.ask_by == kNever) return "its replacement first; asked when enough others are Ready";
  if (plan.ask_by <= plan.start) {
    return "its replacement first, for its budget is closed; that can hold it until " +
           format_time_s(plan.force);
  }
  return "its replacement first; asked when enough others are Ready, at " +
         format_time_s(plan.ask_by) + " at the latest";
}

bool is_signalled(const Unit& unit, const Policy& policy, bool hard) {
  return unit.daemon && !unit.exempt.empty() && policy.signal_daemons && hard;
}

bool stays_for_now(const Wanted& wanted, const Plan& plan, const Policy& policy,
                   const Notice& notice) {
  return moves_only_slow(policy, notice) && plan.grace + wanted.margin <= kInterruptionNotice;
}

// Whether pods may be left alone until so long before its deadline: that of others is no end that
// AWS names, or days away, and NTH begins at once.
bool names_end(const Notice& notice) {
  return notice.kind == NoticeKind::kSpotInterruption || notice.kind == NoticeKind::kManual;
}

std::string why_it_stays(const Unit& unit, const Wanted& wanted, const Policy& policy,
                         const Notice& notice, bool signalled) {
  if (policy.mark_only) return "left alone, as CORDON_ONLY asks";
  if (marks_only(policy, notice)) return "left alone, as ENABLE_REBALANCE_MONITORING asks";
  if (!unit.exempt.empty() && !signalled) return unit.exempt;
  if (wanted.mode != Mode::kNotOurs) {
    return "left alone: the two minutes of an interruption are enough for it";
  }
  return "never moved, by " + wanted.by;
}

// The policy's own mind, where neither the unit nor a rule has one.
Mode default_mode(const Unit& unit, const Policy& policy) {
  if (unit.local_data && policy.spare_local_data) return Mode::kLastMoment;
  return unit.group.value.empty() ? Mode::kAtOnce : Mode::kHandOver;
}

std::string why_at_last(const Unit& unit, const Policy& policy, const std::string& by, bool hard) {
  if (!by.empty()) return hard ? "left alone until its last moment" : "left alone";
  if (!unit.local_data || !policy.spare_local_data) return {};
  return hard ? "left alone until its last moment for its local data, which ends with the host"
              : "left alone for its local data";
}

}  // namespace

bool marks_only(const Policy& policy, const Notice& notice) {
  const bool feared = notice.kind == NoticeKind::kRebalanceRecommendation;
  return policy.mark_only ||
         (feared && policy.recommendation_marks_only && !policy.recommendation_is_soft);
}

bool moves_only_slow(const Policy& policy, const Notice& notice) {
  return policy.recommendation_is_soft && notice.kind == NoticeKind::kRebalanceRecommendation;
}

Time end_of(const Notice& notice, Seconds margin) {
  return notice.deadline == kNever ? kNever : notice.deadline - margin;
}

Wanted wanted_for(const Unit& unit, const Notice& notice, const Policy& policy) {
  static const Treatment unruled;
  const Rule* rule = find_rule(policy.rules, unit.facts, notice.kind);
  const Treatment& ruled = rule != nullptr ? rule->treatment : unruled;
  Wanted wanted;
  wanted.mode = unit.wish.mode.value_or(ruled.mode.value_or(default_mode(unit, policy)));
  wanted.enough_grace =
      unit.wish.enough_grace.value_or(ruled.enough_grace.value_or(policy.enough_grace));
  wanted.margin = unit.wish.margin.value_or(ruled.margin.value_or(policy.margin));
  wanted.order = unit.wish.order.value_or(ruled.order.value_or(unit.critical ? kCriticalOrder : 0));
  if (unit.wish.mode) {
    wanted.by = "its annotation";
  } else if (ruled.mode) {
    wanted.by = rule->name;
  }
  return wanted;
}

Seconds needed_grace(const Unit& unit, const Wanted& wanted, const Policy& policy) {
  const Seconds granted = policy.grace_override.value_or(unit.grace);
  // A DaemonSet's unit that is told at all.
  if (unit.daemon && !unit.exempt.empty()) return std::min(granted, kDaemonGrace);
  return std::min(granted, wanted.enough_grace);
}

Millis stop_lead(int stops_no_later, int each, Millis slowest, const Policy& policy) {
  const double rate = std::max(policy.requests_per_s, 1.0);
  return Millis(static_cast<int64_t>(stops_no_later * each * 1000.0 / rate)) + each * slowest;
}

Plan plan_moments(const Unit& unit, const Wanted& wanted, const Notice& notice,
                  const Policy& policy, Millis lead, Time now) {
  Plan plan;
  plan.grace = policy.grace_override.value_or(unit.grace);
  plan.order = wanted.order;
  plan.margin = wanted.margin;
  const bool hard = is_hard(notice);
  const bool signalled = is_signalled(unit, policy, hard);
  if (marks_only(policy, notice) || (!unit.exempt.empty() && !signalled) ||
      wanted.mode == Mode::kNotOurs || stays_for_now(wanted, plan, policy, notice)) {
    plan.mode = Mode::kNotOurs;
    plan.start = plan.ask_by = plan.force = kNever;
    return plan;
  }
  const Time end = end_of(notice, wanted.margin);
  const Seconds needed = needed_grace(unit, wanted, policy);
  const Time latest = hard ? end - needed - lead : kNever;
  plan.start = now;
  if (policy.start_before && notice.deadline != kNever && names_end(notice)) {
    // Being left alone must not cost a unit its last moment.
    const Time asked_for = notice.deadline - *policy.start_before;
    plan.start = std::max(now, hard ? std::min(asked_for, latest) : asked_for);
  }
  plan.fits = end == kNever || plan.start + plan.grace <= end;
  plan.force = hard ? std::max(latest, plan.start) : kNever;
  plan.ask_by = hard ? std::clamp(end - plan.grace - lead, plan.start, plan.force) : kNever;
  plan.mode = signalled ? Mode::kLastMoment : wanted.mode;
  if (plan.mode == Mode::kLastMoment) plan.start = plan.force;
  return plan;
}

Plan plan_unit(const Unit& unit, const Wanted& wanted, const std::string& no_hand_over,
               const Notice& notice, const Policy& policy, Millis lead, Time now) {
  Plan plan = plan_moments(unit, wanted, notice, policy, lead, now);
  const bool hard = is_hard(notice);
  const bool signalled = is_signalled(unit, policy, hard);
  if (plan.mode == Mode::kNotOurs) {
    plan.why = why_it_stays(unit, wanted, policy, notice, signalled);
    return plan;
  }
  if (signalled) {
    plan.why = "a DaemonSet pod: it serves the node to its last seconds, and is told then";
    return plan;
  }
  if (plan.mode == Mode::kLastMoment) {
    plan.why = why_at_last(unit, policy, wanted.by, hard);
  } else if (plan.mode == Mode::kHandOver && no_hand_over.empty()) {
    plan.why = why_handed_over(plan);
  } else {
    plan.mode = Mode::kAtOnce;
    plan.why = why_at_once(unit, plan, end_of(notice, wanted.margin), hard);
    if (wanted.mode == Mode::kHandOver) {
      plan.no_hand_over = no_hand_over;
      plan.why += "; not handed over: " + no_hand_over;
    }
  }
  if (!wanted.by.empty()) plan.why += " (" + wanted.by + ")";
  return plan;
}

Seconds last_grace(const Plan& plan, const Notice& notice, Time now) {
  // To the nearest second: what a late timer costs is the margin's, not the unit's.
  Seconds left = std::chrono::round<Seconds>(end_of(notice, plan.margin) - now);
  if (left < Seconds(1)) left = std::chrono::floor<Seconds>(notice.deadline - now);
  if (left < Seconds(0)) left = kPastDeadlineGrace;
  return std::max(Seconds(1), std::min(plan.grace, left));
}

}  // namespace spotkeeper::core
