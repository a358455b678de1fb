// SPDX-License-Identifier: Apache-2.0
#include "laboratory/second.h"

#include <fmt/format.h>

#include <algorithm>

#include "effects/mark.h"
#include "laboratory/translate.h"

namespace spotkeeper::laboratory {
namespace {

constexpr int kJoins = 15;  // of 100 histories
// What the one that stays needs: to see that the other has ended, a mark in bad weather, and then
// what a new process needs anyway (see History::plan_repetitions).
constexpr Seconds kSeesTheEnd{10};
constexpr Seconds kMarks{10};
constexpr Seconds kDrains{40};
constexpr uint64_t kOwnDraws = 0x5EC0'4D00U;

}  // namespace

bool Second::joins(uint64_t seed) {
  return world::Random(world::Random::mix(seed ^ kOwnDraws)).chance(kJoins);
}

Setup Second::shared(Setup setup) {
  setup.holder = "first";
  setup.policy.renew_every = effects::kHolderRenews;
  return setup;
}

Second::Second(world::World& world, Driver& first, Setup setup, uint64_t seed)
    : world_(world),
      random_(world::Random::mix(seed ^ kOwnDraws) + 1),
      first_(first),
      one_machine_(random_.chance(50)),
      driver_(
          world,
          [&] {
            setup.holder = "second";
            setup.holder_ended = [this](const std::string&) {
              return one_machine_ && first_.killed();
            };
            return setup;
          }(),
          random_.next()) {}

void Second::plan(const std::map<std::string, Host>& hosts, Time begin,
                  std::function<void()> changed) {
  changed_ = std::move(changed);
  const bool at_once = random_.chance(60);
  const Millis after(at_once ? 200 : 10'000);
  const bool dies = random_.chance(60);
  for (const auto& [node, host] : hosts) {
    Time when = host.notice.received + Millis(random_.number(0, after.count()));
    const bool some = !dies && random_.chance(30);
    if (some || (host.withdrawn && when >= *host.withdrawn)) continue;
    world_.at(when, [this, which = node, notice = host.notice] {
      driver_.hear(which, notice);
      changed_();
    });
  }
  if (dies) plan_death(hosts, begin, after);
}

// Whoever stays has heard of all hosts, or is about to.
void Second::plan_death(const std::map<std::string, Host>& hosts, Time begin,
                        Millis notices_after) {
  Driver& victim = random_.chance(75) ? first_ : driver_;
  const Seconds lease = one_machine_ && &victim == &first_ ? Seconds(0) : effects::kHolderLease;
  Time latest = kNever;
  for (const auto& [node, host] : hosts) {
    const Time enough = host.notice.deadline - kDrains - kMarks - kSeesTheEnd - lease;
    latest = std::min(latest, enough);
    // Heard of too late to wait for the lease from there on, or taken back before it is heard of.
    if (host.notice.received + notices_after > enough || host.withdrawn) return;
  }
  const Millis longest = latest - begin;
  if (longest <= Millis(0)) return;
  world_.at(begin + Millis(random_.number(0, longest.count())), [this, &victim] {
    victim.kill();
    changed_();
  });
}

bool Second::all_know(const std::string& node) const {
  const core::HostId host(node);
  return (first_.killed() || first_.desk().find(host) != nullptr) &&
         (driver_.killed() || driver_.desk().find(host) != nullptr);
}

std::string Second::trespass(const Driver& who, const core::Action& action) const {
  if (action.kind == core::ActionKind::kMark || action.kind == core::ActionKind::kUndo) return {};
  const std::string holder = holder_of(action.host.value);
  if (holder.empty() || holder == name_of(who)) return {};
  return fmt::format("by the {}, and the {} holds the host", name_of(who), holder);
}

bool Second::is_left_by_the_dead(const std::string& node) const {
  const std::string holder = holder_of(node);
  return (holder == name_of(first_) && first_.killed()) ||
         (holder == name_of(driver_) && driver_.killed());
}

std::string Second::holder_of(const std::string& node) const {
  const auto object = world_.find<world::Node>({{}, node});
  if (!object) return {};
  const std::optional<effects::Holder> holder = effects::recorded_holder(to_kube(*object));
  return holder ? holder->id : std::string();
}

}  // namespace spotkeeper::laboratory
