// SPDX-License-Identifier: Apache-2.0
#include "laboratory/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "effects/release.h"

namespace spotkeeper::laboratory {
namespace {

constexpr Seconds kSettles{30};  // the cluster's pods have started
constexpr Seconds kAfter{15};    // what a host's end still stirs up
// A host that stays after all is as it was so long after it was given up: whom no budget lets go
// may hold that up for 30 s, and is put back then; a server may ask for a pause of a minute before.
constexpr Seconds kSettled{100};
constexpr Seconds kCalm{20};        // at the end nothing goes on by itself any more, for so long
constexpr int kMostRequests = 120;  // for one pod
constexpr Seconds kLateArrival{
    5};  // a request that was slow may set a grace that ends so much late

// How much later than a watch may make it, something that goes on is known of.
constexpr Millis kSeesLate{100};

world::Key group_of(const core::Track& track) {
  const std::string& id = track.unit.group.value;
  const size_t slash = id.find('/');
  return {id.substr(0, slash), id.substr(slash + 1)};
}

}  // namespace

History::History(uint64_t seed, Size size)
    : world_({.log_keeps = 0}, seed),
      random_(world::Random::mix(seed + 1)),
      lasts_(size.lasts),
      cluster_(world_, random_, size),
      setup_(Second::joins(seed) ? Second::shared(random_setup()) : random_setup()),
      driver_(world_, setup_, random_.next()),
      ledger_(world_, [this](const std::string& node) { return goes(node); }) {
  observer_ = world_.observe([this](const world::Event& event) { ledger_.on(event); });
  if (Second::joins(seed)) second_ = std::make_unique<Second>(world_, driver_, setup_, seed);
  for (Driver* each : drivers()) {
    each->on_action = [this, each](const core::Action& action) {
      judged_ = each;
      check_action(action);
    };
    each->on_served = [this](const core::Action& action, const world::Refusal* refusal) {
      check_served(action, refusal);
    };
  }
}

Setup History::random_setup() {
  Setup setup;
  setup.policy.taint = random_.chance(50);
  setup.policy.spare_local_data = random_.chance(15);
  if (random_.chance(15)) setup.policy.grace_override = Seconds(random_.number(1, 200));
  if (random_.chance(10)) setup.policy.start_before = Seconds(random_.number(20, 120));
  const int64_t hands = random_.number(1, 10);
  setup.policy.hand_over = hands == 1   ? core::HandOver::kNever
                           : hands <= 3 ? core::HandOver::kAlways
                                        : core::HandOver::kInterruptions;
  setup.policy.early_word = random_.chance(30);
  setup.policy.exclude_from_load_balancers = random_.chance(30);
  setup.policy.signal_daemons = random_.chance(20);
  setup.policy.out_of_service = random_.chance(10);
  if (random_.chance(20)) setup.policy.enough_grace = Seconds(random_.number(10, 120));
  if (random_.chance(30)) setup.policy.rules = random_rules();
  setup.may_evict = !random_.chance(5);
  setup.may_read_budgets = !random_.chance(10);
  setup.may_patch = !random_.chance(5);
  setup.may_read_deployments = !random_.chance(5);
  if (random_.chance(10)) setup.by_hash.insert("shop");
  if (random_.chance(60)) {
    setup.weather.late = static_cast<int>(random_.number(0, 5));
    setup.weather.lost = static_cast<int>(random_.number(0, 8));
    setup.weather.refused = static_cast<int>(random_.number(0, 15));
    setup.weather.request.most = Millis(random_.number(1, 200));
    setup.weather.watch.most = Millis(random_.number(1, 1'000));
  }
  return setup;
}

std::vector<core::Rule> History::random_rules() {
  std::vector<core::Rule> rules;
  const int64_t count = random_.number(1, 3);
  for (int64_t i = 0; i < count; ++i) {
    core::Rule rule;
    rule.name = "rule " + std::to_string(i + 1);
    switch (random_.number(1, 4)) {
      case 1:
        rule.namespaces = {random_.chance(50) ? "shop" : "da*"};
        break;
      case 2:
        rule.owners = {random_.chance(50) ? "Job" : "StatefulSet"};
        break;
      case 3:
        rule.notices = {core::NoticeKind::kRebalanceRecommendation};
        break;
      default:
        rule.owners = {"Deployment"};
        rule.namespaces = {"default"};
    }
    switch (random_.number(1, 8)) {
      case 1:
        rule.treatment.mode = core::Mode::kNotOurs;
        break;
      case 2:
        rule.treatment.mode = core::Mode::kLastMoment;
        break;
      case 3:
        rule.treatment.mode = core::Mode::kAtOnce;
        break;
      case 4:
        rule.treatment.mode = core::Mode::kHandOver;
        break;
      case 5:
        rule.treatment.enough_grace =
            random_.chance(50) ? core::kFullGrace : Seconds(random_.number(10, 90));
        break;
      case 6:
        rule.treatment.margin = Seconds(random_.number(1, 15));
        break;
      default:
        rule.treatment.order = static_cast<int>(random_.number(-2, 3));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

// What stands in the way of handing over.
void History::random_policies() {
  for (const char* ns : {"default", "shop", "data"}) {
    if (random_.chance(8)) world_.admit(ns, {.owner_stays = true});
    if (random_.chance(8)) world_.admit(ns, {.hash_stays = random_.chance(50) ? 422 : 403});
    if (!random_.chance(10)) continue;
    world_.at(begin_ + Millis(random_.number(0, 20'000)), [this, ns] {
      forbids_new_.insert(ns);
      world_.refuse_creations(world::Kind::kPod, ns, true);
    });
    if (random_.chance(40)) continue;
    world_.at(begin_ + Millis(random_.number(20'000, 100'000)), [this, ns] {
      forbids_new_.erase(ns);
      world_.refuse_creations(world::Kind::kPod, ns, false);
    });
  }
  if (random_.chance(10)) {
    world_.at(begin_ + Millis(random_.number(0, 45'000)), [this, rules = random_rules()] {
      for (Driver* each : drivers()) each->change_rules(rules);
    });
  }
}

void History::run() {
  world_.advance_to(world_.now() + kSettles);
  begin_ = world_.now();
  const int64_t hosts = random_.number(1, 3);
  while (static_cast<int64_t>(doomed_.size()) < hosts) {
    const auto which = random_.number(0, static_cast<int64_t>(cluster_.nodes().size()) - 1);
    const std::string& node = cluster_.nodes()[static_cast<size_t>(which)];
    if (!doomed_.contains(node)) doom(node);
  }
  random_policies();
  cluster_.trouble_begins();
  plan_surprises();
  plan_repetitions();
  plan_second();
  Time end = begin_ + lasts_;
  for (const auto& [node, doomed] : doomed_) {
    if (doomed.ends) continue;
    end = std::max(end, doomed.withdrawn.value_or(doomed.notice.deadline) + kSettled);
  }
  world_.advance_to(end);
  check_end();
}

void History::doom(const std::string& node) {
  const Time heard = begin_ + Millis(random_.number(0, 10'000));
  Doomed& doomed = doomed_[node];
  doomed.notice = {
      .id = core::NoticeId("spot-itn-" + node),
      .kind = core::NoticeKind::kSpotInterruption,
      .instance = core::InstanceId(node),
      .deadline = std::min(std::chrono::floor<Seconds>(heard + Seconds(random_.number(60, 118))),
                           std::chrono::floor<Seconds>(begin_ + lasts_ - kAfter)),
      .source = "imds",
      .detail = "terminate",
      .received = heard};
  if (random_.chance(20)) {
    doomed.ends = random_.chance(50);
    core::Notice soft = doomed.notice;
    soft.kind = core::NoticeKind::kRebalanceRecommendation;
    soft.id = core::NoticeId("rebalance-" + node);
    const Time softly = begin_ + Millis(random_.number(0, 100));
    if (!doomed.ends) {
      doomed.notice = soft;
    } else {
      doomed.feared = soft;
      doomed.feared_at = softly;
    }
    world_.at(softly, [this, node, soft] { hear(node, soft); });
  }
  if (!doomed.ends) return;
  world_.at(heard, [this, node, notice = doomed.notice] { hear(node, notice); });
  if (random_.chance(12)) {
    plan_withdrawal(node, doomed);
  } else {
    world_.end_host(node, doomed.notice.deadline + Millis(random_.number(0, 3'000)));
  }
  // Bad weather ends in time for every pod's last moment.
  const Time fair = doomed.notice.deadline - Seconds(random_.number(16, 40));
  const bool first = setup_.weather.until == Time{};
  setup_.weather.until = first ? fair : std::min(setup_.weather.until, fair);
  driver_.set_weather(setup_.weather);
}

void History::hear(const std::string& node, const core::Notice& notice) {
  if (heard_.insert(node).second) ledger_.recount();
  driver_.hear(node, notice);
}

void History::plan_withdrawal(const std::string& node, Doomed& doomed) {
  doomed.ends = false;
  const Time last = doomed.notice.deadline - Seconds(1);
  doomed.withdrawn =
      doomed.notice.received + Millis(random_.number(0, (last - doomed.notice.received).count()));
  doomed.undone = random_.chance(80);
  world_.at(*doomed.withdrawn, [this, node, undo = doomed.undone] {
    for (Driver* each : drivers()) {
      each->withdraw(node, {.undo = undo, .why = "somebody has changed their mind"});
    }
  });
}

void History::plan_surprises() {
  const int64_t surprises = random_.number(0, 60);
  for (int64_t i = 0; i < surprises; ++i) {
    const Time when = begin_ + Millis(random_.number(0, Millis(lasts_ - kCalm).count()));
    world_.at(when, [this] { cluster_.surprise(); });
  }
  if (random_.chance(5)) {
    world_.at(begin_ + Seconds(random_.number(1, 60)),
              [this] { std::ignore = world_.remove(world::Kind::kNamespace, {{}, "shop"}); });
  }
}

void History::plan_repetitions() {
  for (const auto& [node, doomed] : doomed_) {
    const Time from = doomed.notice.received + Seconds(1);
    for (int i = 0; i < 5; ++i) {
      const Time when = from + Millis(random_.number(0, 100'000));
      world_.at(when, [this, node] { hear_again(node); });
    }
  }
  if (!random_.chance(20)) return;
  // A new process, early enough to do the work.
  Time latest = begin_ + Seconds(60);
  for (const auto& [node, doomed] : doomed_) {
    latest = std::min(latest, doomed.notice.deadline - Seconds(40));
  }
  const Time when = begin_ + Millis(random_.number(0, (latest - begin_).count()));
  for (const auto& [node, doomed] : doomed_) {
    // Its mark may be gone by then, and it would not be resumed.
    if (doomed.withdrawn && when > *doomed.withdrawn - Seconds(1)) return;
  }
  world_.at(when, [this] {
    if (driver_.killed()) return;
    driver_.restart();
    // That a host goes which bears no mark yet, the new process cannot know before it hears so.
    std::erase_if(heard_, [this](const std::string& node) {
      const auto object = world_.find<world::Node>({{}, node});
      return !object || !object->spec.unschedulable;
    });
    ledger_.recount();
  });
  for (const auto& [node, doomed] : doomed_) {
    const Millis delay(random_.number(0, 3'000));
    // IMDS goes on showing both.
    if (doomed.feared) {
      world_.at(std::max(when, doomed.feared_at) + delay,
                [this, node, soft = *doomed.feared] { hear(node, soft); });
    }
    const Time again = std::max(when, doomed.notice.received) + delay;
    world_.at(again, [this, node, notice = doomed.notice] { hear(node, notice); });
  }
}

// --- With every action ---------------------------------------------------------------------------

// The same notice twice changes nothing.
void History::hear_again(const std::string& node) {
  const core::Drain* drain = driver_.desk().find(core::HostId(node));
  if (drain == nullptr || drain->withdrawn() || driver_.killed()) return;
  if (world_.now() > drain->notice().deadline) return;
  driver_.settle();
  if (drain->withdrawn()) return;
  // Whether there is time to wait for room shifts with the pace of other hosts: it looks at that
  // every second by itself, and now a little sooner.
  if (drain->waits_for_room() || drain->waits_for_others()) return;
  const size_t said = driver_.journal().size();
  const int64_t done = tally_.actions;
  driver_.hear(node, core::Notice(drain->notice()));
  if (driver_.journal().size() != said || tally_.actions != done) {
    wrong(fmt::format("{}: the same notice heard again changed something: {}", node,
                      driver_.journal().empty() ? "" : driver_.journal().back().text));
  }
}

void History::check_action(const core::Action& action) {
  ++tally_.actions;
  const auto say = [&](const char* what) {
    wrong(fmt::format("{} {} {}: {}", core::to_string(action.kind), action.host.value,
                      action.unit_name, what));
  };
  if (action.reason.empty()) say("without a reason");
  const core::Drain* drain = judged_->desk().find(action.host);
  if (!doomed_.contains(action.host.value) || drain == nullptr) {
    say("of a host that nobody spoke of");
    return;
  }
  if (action.kind == core::ActionKind::kMark || action.kind == core::ActionKind::kUndo) return;
  const world::PodStory* pod = world_.history().pod(world::Uid::parse(action.unit.value));
  if (pod == nullptr || pod->node != action.host.value) {
    say("names a unit that is not on this host");
    return;
  }
  const bool signalled =
      setup_.policy.signal_daemons && pod->owner && pod->owner->kind == world::Kind::kDaemonSet;
  if (is_exempt(*pod) && !signalled) say("touches what is not ours to move");
  if (action.grace && *action.grace < Seconds(1)) say("with a grace of 0");
  if (++requests_[action.unit] == kMostRequests) say("requests without end");
  const core::Track* track = track_of(action.host.value, action.unit);
  if (track == nullptr) {
    say("names a unit that has left");
    return;
  }
  if (track->told) say("is done to a unit that has been told");
  const std::string trespass = second_ ? second_->trespass(*judged_, action) : std::string();
  if (!trespass.empty() && world_.now() < track->plan.force) say(trespass.c_str());
  if (action.kind == core::ActionKind::kStop) check_stop(action, *drain);
  if (action.kind == core::ActionKind::kAsk) check_ask(action, *track);
  if (action.kind == core::ActionKind::kRelease) check_release(action, *track);
  if (action.kind == core::ActionKind::kPutBack) ++tally_.put_back;
}

const core::Track* History::track_of(const std::string& node, const core::UnitId& unit) const {
  const core::Drain* drain = judged_->desk().find(core::HostId(node));
  if (drain == nullptr) return nullptr;
  const core::Track* const track = drain->find(unit);
  return track == nullptr || track->gone ? nullptr : track;
}

void History::check_release(const core::Action& action, const core::Track& track) {
  ++tally_.released;
  const auto say = [&](const char* what) {
    wrong(fmt::format("release {}: {}", action.unit_name, what));
  };
  ledger_.follow(group_of(track));
  if (setup_.policy.hand_over == core::HandOver::kNever) say("though handing over is switched off");
  if (setup_.policy.hand_over == core::HandOver::kInterruptions && !core::is_hard(action.notice)) {
    say("for a soft notice");
  }
  const world::PodStory* pod = world_.history().pod(world::Uid::parse(action.unit.value));
  if (!pod->owner || pod->owner->kind != world::Kind::kReplicaSet) say("nobody would replace it");
  if (setup_.by_hash.contains(pod->key.ns)) say("a Service would lose it");
  if (world_.now() >= track.plan.force) say("after its last moment");
}

// What is handed over goes when enough others are Ready, as far as could be seen, or when its own
// grace begins.
void History::check_ask(const core::Action& action, const core::Track& track) {
  // The operator's rules may have changed their mind meanwhile.
  if (track.plan.mode != core::Mode::kHandOver) return;
  if (!track.release.out() || !track.unit.ready || world_.now() >= track.plan.ask_by) return;
  const world::Key group = group_of(track);
  int asked = 0;  // and not yet told: the server counts them still
  // Of a withdrawn drain, whose host stays: their release was never answered, and the server has
  // not heard of it. The agent counts each once, as one that serves on there; so it does, owned as
  // ever.
  int in_doubt = 0;
  for (const auto& [node, doomed] : doomed_) {
    const core::Drain* drain = judged_->desk().find(core::HostId(node));
    if (drain == nullptr) continue;
    for (const core::Track* each : drain->tracks()) {
      if (each->unit.group != track.unit.group || !each->release.out() || each->gone) continue;
      if (!each->unit.ready) continue;
      const world::PodStory* story = world_.history().pod(world::Uid::parse(each->unit.id.value));
      if (story == nullptr || story->told) continue;
      const auto pod = world_.find<world::Pod>(story->key);
      if (drain->withdrawn() && pod && pod->ready() &&
          pod->meta.labels.find(effects::kReleasedLabel) == nullptr) {
        ++in_doubt;
      }
      if (each->in_flight_with(core::ActionKind::kAsk)) ++asked;
    }
  }
  const Time since = world_.now() - 2 * setup_.weather.watch.most - kSeesLate;
  const int surplus = ledger_.most_surplus(group, since) + in_doubt;
  if (surplus < asked) {
    wrong(fmt::format("ask {}: {} of {} are asked, and {} are too many at most", action.unit_name,
                      asked, group.text(), surplus));
  }
}

// A budget is overruled only at `force` and only for hard notices.
void History::check_stop(const core::Action& action, const core::Drain& drain) {
  const core::Track* const track = drain.find(action.unit);
  if (track == nullptr || track->unit.budgets.empty() || track->stop_now) return;
  ++tally_.overruled;
  if (!core::is_hard(drain.notice())) {
    wrong(action.unit_name + ": a budget is overruled for a soft notice");
  } else if (world_.now() < track->plan.force) {
    wrong(action.unit_name + ": a budget is overruled before the last moment");
  }
}

void History::check_served(const core::Action& action, const world::Refusal* refusal) {
  if (refusal != nullptr || action.kind == core::ActionKind::kExplain) return;
  const world::PodStory* story = world_.history().pod(world::Uid::parse(action.unit.value));
  if (story == nullptr) return;
  const auto pod = world_.find<world::Pod>(story->key);
  if (!pod || pod->meta.uid != story->uid || !pod->deleting()) return;
  const Doomed& doomed = doomed_.at(action.host.value);
  // A host that outlives its deadline is another matter.
  if (world_.now() > doomed.notice.deadline) return;
  // Said of a soft notice it may have all its grace, though the host may end sooner after all.
  if (!core::is_hard(action.notice) || story->told < world_.now()) return;
  if (*pod->meta.deletion >
      std::max(doomed.notice.deadline, world_.now() + Seconds(1)) + kLateArrival) {
    wrong(fmt::format("{}: its grace of {} s reaches {} beyond the host's end", action.unit_name,
                      pod->meta.deletion_grace.count(),
                      format_duration(*pod->meta.deletion - doomed.notice.deadline)));
  }
}

void History::wrong(std::string what) {
  broken_.push_back(std::move(what) + at());
}

std::string History::at() const {
  return fmt::format(" (at {})", format_duration(world_.now() - begin_));
}

}  // namespace spotkeeper::laboratory
