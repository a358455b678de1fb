// SPDX-License-Identifier: Apache-2.0
// Drain::fingerprint(): a new member that decides anything belongs here, too. What is only told to
// people (held, last_no, planned, what a plan says of its why) is left out.
#include <fmt/format.h>

#include <iterator>

#include "core/drain.h"

namespace spotkeeper::core {
namespace {

using Text = fmt::memory_buffer;

int64_t number(Time time) {
  return time.time_since_epoch().count();
}

int64_t number(const std::optional<Time>& time) {
  return time ? number(*time) : -1;
}

template <class... T>
void add(Text& text, const T&... values) {
  (fmt::format_to(std::back_inserter(text), "{},", values), ...);
}

void add(Text& text, const Unit& unit) {
  add(text, unit.id.value, unit.grace.count(), unit.ready, unit.exempt, number(unit.ending),
      unit.ended, unit.local_data, unit.volumes, unit.daemon, unit.critical, unit.group.value,
      unit.no_hand_over, unit.released, unit.orphan, unit.facts.ns, unit.facts.owner_kind);
  for (const BudgetId& id : unit.budgets) add(text, id.value);
  for (const auto& [key, value] : unit.facts.labels) add(text, key, value);
  const Treatment& wish = unit.wish;
  add(text, wish.mode ? static_cast<int>(*wish.mode) : -1,
      wish.enough_grace.value_or(Seconds(-1)).count(), wish.margin.value_or(Seconds(-1)).count(),
      wish.order.value_or(0), wish.order.has_value());
}

void add(Text& text, const Plan& plan) {
  add(text, static_cast<int>(plan.mode), number(plan.start), number(plan.ask_by),
      number(plan.force), plan.grace.count(), plan.fits, plan.order, plan.margin.count(),
      !plan.why.empty());
}

void add(Text& text, const Track& track, const BudgetBook& budgets) {
  add(text, track.unit);
  add(text, track.plan);
  add(text, number(track.seen), track.late, static_cast<int>(track.release.step),
      number(track.release.since), number(track.release.enough), number(track.release.missing),
      track.release.refusals, track.release.why_not, track.forewarned, number(track.told),
      number(track.gone), track.told_by_us, track.overruling, track.stop_now, track.last_ask_failed,
      track.refused, track.cannot_be_stopped, track.cannot_be_asked, track.explained,
      track.in_flight != 0, track.failures, number(track.next_try));
  if (track.in_flight == 0) return;
  add(text, number(track.in_flight_since), static_cast<int>(track.in_flight_kind),
      track.in_flight_last, budgets.fingerprint(track.asked_under));
}

void add(Text& text, const MarkExtras& extras) {
  add(text, extras.exclude_from_load_balancers, extras.no_execute, extras.out_of_service);
}

void add(Text& text, const Notice& notice) {
  add(text, notice.id.value, static_cast<int>(notice.kind), number(notice.deadline));
}

}  // namespace

std::string BudgetBook::fingerprint() const {
  Text text;
  add(text, known_, watched_);
  for (const auto& [id, line] : lines_) {
    add(text, id.value, line.budget.allows, line.credit, line.in_flight, number(line.ready_again),
        number(line.unready_again), number(line.unready_rest));
  }
  return fmt::to_string(text);
}

std::string BudgetBook::fingerprint(const std::vector<Asked>& asked) const {
  Text text;
  for (const Asked& one : asked) {
    const auto found = lines_.find(one.id);
    add(text, one.id.value, one.ready, found != lines_.end() && found->second.heard > one.heard);
  }
  return fmt::to_string(text);
}

std::string GroupBook::fingerprint() const {
  Text text;
  for (const auto& [id, group] : groups_) {
    add(text, id.value, group.wanted, group.owned, group.ready, group.no_hand_over);
  }
  for (const auto& [ns, bar] : bars_) add(text, ns, number(bar.until), bar.why);
  return fmt::to_string(text);
}

std::string Drain::fingerprint() const {
  Text text;
  add(text, notice_);
  add(text, number(now_), number(started_), number(wake_), number(marked_at_),
      number(paused_until_), slowest_.count(), crowd_.count(), announced_, listed_,
      services_listed_, finished_, plans_stale_, number(empty_since_), attached_,
      outages_.any_dark(), outages_.needs_host(), withdrawn_.has_value(),
      withdrawn_ && withdrawn_->undo, number(withdrawn_at_), again_, groups_unread_);
  add(text, abilities_.mark, abilities_.ask, abilities_.stop, abilities_.explain,
      abilities_.hand_over, abilities_.forewarn);
  add(text, mark_.done, mark_.current, mark_.given_up, mark_.held, mark_.renewing,
      number(renewal_due()), mark_.in_flight != 0, mark_.undoing, mark_.undone, mark_.failures,
      number(mark_.next_try));
  add(text, mark_.extras);
  add(text, mark_.sent_extras);
  add(text, mark_.sent);
  add(text, mark_.written);
  const Pace::State at = pace().state();
  add(text, open_counted_, at.open, at.came, at.waited.count(), number(at.counted));
  add(text, budgets_.fingerprint(), groups_.fingerprint());
  for (const auto& [id, track] : tracks_) add(text, track, budgets_);
  add(text, "left");
  for (const auto& [id, track] : left_) add(text, track, budgets_);
  return fmt::to_string(text);
}

}  // namespace spotkeeper::core
