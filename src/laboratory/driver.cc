// SPDX-License-Identifier: Apache-2.0
#include "laboratory/driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "effects/mark.h"
#include "effects/release.h"
#include "laboratory/translate.h"

namespace spotkeeper::laboratory {
namespace {

// As in effects/kubernetes.cc.
constexpr int kMarkTries = 6;
constexpr Millis kMarkAlone{100};
constexpr Millis kListAgain{500};

world::Key key_of(const kube::Pod& pod) {
  return {pod.ns, pod.name};
}

bool is_marked(const world::Node& node) {
  const kube::Node seen = to_kube(node);
  return seen.unschedulable && seen.annotations.contains(effects::kStateAnnotation);
}

std::string what_of(const core::Action& action) {
  return fmt::format("{} {}", core::to_string(action.kind), action.unit_name);
}

}  // namespace

struct Driver::Host {
  explicit Host(effects::PodRules rules) : units(std::move(rules)) {}
  effects::PodUnits units;
  bool watching = false;  // listed; changes follow
  bool begun = false;
  bool listed = false;  // … and told so
  bool budgets_listed = false;
  Time drain_started{};
  Time last_pod{};  // what was delivered last: a watch keeps the order
  Time last_budget{};
  Time armed = kNever;  // when it is told of the time next
};

Driver::Driver(world::World& world, Setup setup, uint64_t seed)
    : world_(world),
      setup_(std::move(setup)),
      random_(seed),
      desk_(std::make_unique<core::Desk>(setup_.policy)),
      workloads_(new_view()),
      holders_(setup_.holder, setup_.holder_ended) {
  observer_ = world_.observe([this](const world::Event& event) { world_changed(event); });
}

Driver::~Driver() {
  world_.forget(observer_);
  *life_ = 0;
}

void Driver::kill() {
  ++*life_;
  killed_ = true;
}

void Driver::restart() {
  kill();
  killed_ = false;
  holders_ = effects::Holders(setup_.holder, setup_.holder_ended);
  hosts_.clear();
  marked_.clear();
  watches_marks_ = false;
  last_node_ = {};
  news_armed_ = {};
  desk_ = std::make_unique<core::Desk>(setup_.policy);
  workloads_ = new_view();
}

void Driver::in(Millis delay, std::function<void()> what) {
  world_.at(world_.now() + delay, [this, life = life_, mine = *life_, what = std::move(what)] {
    if (*life == mine && !killed_) what();
  });
}

void Driver::hear(const std::string& node, const core::Notice& notice) {
  if (killed_) return;
  auto& host = hosts_[node];
  if (!host) host = std::make_unique<Host>(setup_.rules);
  publish(desk_->hear(core::HostId(node), notice, world_.now()));
  const Time started = desk_->find(core::HostId(node))->started();
  if (!host->begun) {
    host->begun = true;
    workloads_->tell_again();  // as effects/kubernetes.cc does
    in(kMarkAlone, [this, node] { begin_watch(node); });
  } else if (started != host->drain_started) {
    tell_everything(node);  // another drain than before
  }
  host->drain_started = started;
  keep_time(node);
  tell_news();
}

void Driver::withdraw(const std::string& node, const core::Withdrawn& why) {
  if (hosts_.contains(node) && !killed_) tell_one(node, why);
}

void Driver::change_rules(const std::vector<core::Rule>& rules) {
  setup_.policy.rules = rules;
  if (killed_) return;
  desk_->rules(rules);  // for hosts that are heard of later
  tell_hosts(core::PolicyChanged{.rules = rules});
}

const kube::Pod* Driver::find(const std::string& node, const core::UnitId& unit) const {
  const auto host = hosts_.find(node);
  return host == hosts_.end() ? nullptr : host->second->units.find(unit);
}

void Driver::tell(const std::string& node, const core::Observation& observation) {
  publish(desk_->on(core::HostId(node), observation, world_.now()));
}

void Driver::tell_all(const std::string& node,
                      const effects::PodUnits::Observations& observations) {
  for (const core::Observation& observation : observations) tell(node, observation);
  keep_time(node);
  tell_news();
}

// As app/engine.cc does.
void Driver::tell_news() {
  for (auto news = desk_->news(world_.now()); !news.empty(); news = desk_->news(world_.now())) {
    for (const auto& [host, observation] : news) {
      publish(desk_->on(host, observation, world_.now()));
      keep_time(host.value);
    }
  }
  const Time due = desk_->news_due();
  if (due == kNever || news_armed_ > world_.now()) return;
  news_armed_ = due;
  in(due - world_.now(), [this] { tell_news(); });
}

void Driver::publish(core::Output output) {
  if (killed_) return;
  const uint64_t mine = *life_;
  journal_.insert(journal_.end(), std::make_move_iterator(output.entries.begin()),
                  std::make_move_iterator(output.entries.end()));
  for (core::Action& action : output.actions) {
    if (*life_ != mine) return;
    if (on_action) on_action(action);
    carry_out(std::move(action));
  }
}

// Each host has its own alarm: what is told of one host moves no other's.
void Driver::keep_time(const std::string& node) {
  const core::Drain* drain = desk_->find(core::HostId(node));
  const Time wake = drain != nullptr ? drain->wake() : kNever;
  Host& host = *hosts_.at(node);
  if (wake >= kNever || (host.armed > world_.now() && host.armed <= wake)) return;
  host.armed = wake;
  in(wake - world_.now(), [this, node, wake] {
    if (hosts_.at(node)->armed == wake) tick(node);
  });
}

void Driver::tell_one(const std::string& node, const core::Observation& observation) {
  tell(node, observation);
  keep_time(node);
  tell_news();
}

void Driver::tick(const std::string& node) {
  hosts_.at(node)->armed = kNever;
  tell_one(node, core::Tick{});
}

void Driver::settle() {
  if (killed_) return;
  for (const auto& [node, host] : hosts_) tick(node);
}

// --- Requests ---------------------------------------------------------------------------------

Driver::Fate Driver::draw_fate() {
  if (!hostile()) return Fate::kFair;
  const Weather& weather = setup_.weather;
  const int64_t dice = random_.number(1, 100);
  if (dice <= weather.lost) return random_.chance(50) ? Fate::kLostAnswer : Fate::kLostRequest;
  if (dice <= weather.lost + weather.refused) return Fate::kRefused;
  if (dice <= weather.lost + weather.refused + weather.late) return Fate::kLate;
  return Fate::kFair;
}

Millis Driver::leg(Fate fate) {
  if (fate == Fate::kLate) return Millis(random_.number(0, setup_.weather.latest.count()));
  return random_.in(setup_.weather.request);
}

void Driver::carry_out(core::Action action) {
  if (action.kind == core::ActionKind::kMark) {
    mark(action, kMarkTries);
    return;
  }
  if (action.kind == core::ActionKind::kUndo) {
    undo(action, kMarkTries);
    return;
  }
  const auto host = hosts_.find(action.host.value);
  const kube::Pod* found = host != hosts_.end() ? host->second->units.find(action.unit) : nullptr;
  if (found == nullptr) {
    const std::string text = action.unit_name + " is not here any more";
    in(Millis(0), [this, action, text] {
      answer(action, std::unexpected(Error{.kind = ErrorKind::kGone, .message = text}));
    });
    return;
  }
  const Fate fate = draw_fate();
  const Millis there = leg(fate);
  const Millis back = leg(fate);
  const bool in_time = there + back <= action.patience;
  // What is on its way is not stopped by our end or our impatience.
  const auto life = life_;
  world_.at(world_.now() + there,
            [this, life, mine = *life_, action, pod = *found, fate, back, in_time] {
              if (*life == 0) return;
              Served served = std::string();
              if (fate == Fate::kRefused) {
                served = std::unexpected(to_error(what_of(action), any_refusal()));
              } else if (fate != Fate::kLostRequest) {
                served = serve(action, pod);
              }
              if (*life != mine || killed_ || fate == Fate::kLostAnswer ||
                  fate == Fate::kLostRequest || !in_time) {
                return;
              }
              in(back, [this, action, served] { answer(action, served); });
            });
  if (fate == Fate::kLostAnswer || fate == Fate::kLostRequest || !in_time) {
    in(action.patience,
       [this, action] { answer(action, retryable(what_of(action) + ": no answer in time")); });
  }
}

void Driver::answer(const core::Action& action, Served result) {
  tell_one(action.host.value,
           core::ActionDone{.number = action.number, .result = std::move(result)});
}

Driver::Served Driver::serve(const core::Action& action, const kube::Pod& pod) {
  world::DeleteOptions options;
  options.grace = action.grace;
  options.only_if.uid = world::Uid::parse(pod.uid);
  world::Answer<void> done;
  if (action.kind == core::ActionKind::kAsk) {
    done = setup_.may_evict
               ? world_.evict(key_of(pod), options)
               : world::Answer<void>(world::Refused(no_right(pod, "create", "pods/eviction")));
  } else if (action.kind == core::ActionKind::kStop) {
    const auto removed = world_.remove(world::Kind::kPod, key_of(pod), options);
    if (!removed) done = world::Refused(removed.error());
  } else if (action.kind == core::ActionKind::kExplain) {
    done = explain(action, pod);
  } else {
    done = relabel(action, pod);
  }
  if (on_served) on_served(action, done ? nullptr : &done.error());
  if (!done) return std::unexpected(to_error(what_of(action), done.error()));
  return std::string();
}

world::Answer<void> Driver::explain(const core::Action& action, const kube::Pod& pod) {
  const auto done = world_.update<world::Pod>(
      key_of(pod), {.uid = world::Uid::parse(pod.uid)}, [&](world::Pod& each) {
        world::set_condition(each.status.conditions, {.type = "DisruptionTarget",
                                                      .status = true,
                                                      .reason = "SpotInterruption",
                                                      .message = action.reason,
                                                      .since = world_.now()});
      });
  if (!done) return world::Refused(done.error());
  return {};
}

// As effects/kubernetes.cc: labels and annotations, from the pod as the watch shows it.
world::Answer<void> Driver::relabel(const core::Action& action, const kube::Pod& pod) {
  if (!setup_.may_patch) return world::Refused(no_right(pod, "patch", "pods"));
  boost::json::object metadata;
  if (action.kind == core::ActionKind::kForewarn) {
    metadata["annotations"] =
        boost::json::object{{effects::kNoticeAnnotation, effects::notice_word(action.notice)}};
  } else {
    const std::optional<effects::Place> place = effects::place_of(pod);
    if (!place) return world::Refused(world::not_found(world::Kind::kPod, key_of(pod)));
    metadata = action.kind == core::ActionKind::kRelease
                   ? effects::release_metadata(pod, *place, action.notice)
                   : effects::put_back_metadata(pod, *place);
  }
  const auto done =
      world_.update<world::Pod>(key_of(pod), {.uid = world::Uid::parse(pod.uid)},
                                [&](world::Pod& each) { apply_metadata(each.meta, metadata); });
  if (!done) return world::Refused(done.error());
  return {};
}

world::Refusal Driver::no_right(const kube::Pod& pod, const char* verb,
                                const char* resource) const {
  return {.code = 403,
          .reason = "Forbidden",
          .message = fmt::format("pods \"{}\" is forbidden: User \"agent\" cannot {} resource "
                                 "\"{}\" in API group \"\" in the namespace \"{}\"",
                                 pod.name, verb, resource, pod.ns),
          .causes = {},
          .name = pod.name};
}

world::Refusal Driver::any_refusal() {
  world::Refusal refusal{.reason = {}, .message = "bad weather", .causes = {}, .name = {}};
  switch (random_.number(0, 4)) {
    case 0:
      refusal.code = 401;
      break;
    case 1:
      refusal.code = 403;
      refusal.message = "admission webhook \"w\" denied the request";
      break;
    case 2:
      refusal.code = 429;
      refusal.retry_after_s = static_cast<int>(random_.number(1, 30));
      break;
    case 3:
      refusal.code = 503;
      refusal.retry_after_s = static_cast<int>(random_.number(0, 300));
      break;
    default:
      refusal.code = 500;
  }
  return refusal;
}

// GET and PATCH with the version that was read; a conflict is tried again at once.
void Driver::mark(const core::Action& action, int tries_left) {
  const std::string node = action.host.value;
  const auto finish = [this, action, node](Served result) {
    answer(action, std::move(result));
    begin_watch(node);
  };
  const Fate fate = draw_fate();
  const bool shared = !setup_.holder.empty();  // then a lost answer has had its effect
  const bool lost = fate == Fate::kLostRequest || fate == Fate::kLostAnswer;
  if (lost) in(action.patience, [finish] { finish(retryable("mark: no answer in time")); });
  if (fate == Fate::kLostRequest || (lost && !shared)) return;
  const Time sent = world_.now();
  in(leg(fate), [this, action, node, tries_left, fate, lost, sent, finish] {
    if (fate == Fate::kRefused) {
      finish(std::unexpected(to_error("patch nodes " + node, any_refusal())));
      return;
    }
    const auto found = world_.find<world::Node>({{}, node});
    if (!found) {
      finish(std::unexpected(
          to_error("get nodes " + node, world::not_found(world::Kind::kNode, {{}, node}))));
      return;
    }
    const effects::Mark wanted{.notice = action.notice,
                               .taint = setup_.policy.taint,
                               .taint_effect = setup_.policy.taint_effect,
                               .extras = action.extras,
                               .started = setup_.holder.empty() ? world_.now() : sent,
                               .holder = setup_.holder};
    const kube::Node before = to_kube(*found);
    if (const auto obstacle = holders_.obstacle(before, sent)) {
      if (!lost) finish(std::unexpected(*obstacle));
      return;
    }
    const auto patch = effects::mark_patch(before, wanted);
    if (!patch) {
      if (!lost) finish(std::string("was marked before"));
      return;
    }
    // What is on its way is not stopped by our end.
    world_.at(
        world_.now() + leg(fate) + leg(fate), [this, life = life_, mine = *life_, action, node,
                                               tries_left, lost, before, wanted, patch, finish] {
          if (*life == 0) return;
          const auto done = apply_mark(world_, node, *patch);
          if (done && on_served) on_served(action, nullptr);
          if (*life != mine || killed_ || lost) return;
          if (done) {
            const auto holder = effects::recorded_holder(before);
            const bool other = holder && !setup_.holder.empty() && holder->id != setup_.holder;
            finish((other ? "taken over from " + holder->id + ": " : std::string()) +
                   effects::mark_remark(before, wanted));
          } else if (done.error().code == 409 && tries_left > 1) {
            mark(action, tries_left - 1);
          } else {
            finish(std::unexpected(to_error("patch nodes " + node, done.error())));
          }
        });
  });
}

// The same for taking it back; see effects/node_writes.cc.
void Driver::undo(const core::Action& action, int tries_left) {
  const std::string node = action.host.value;
  const Fate fate = draw_fate();
  if (fate == Fate::kLostRequest || fate == Fate::kLostAnswer) {
    in(action.patience, [this, action] { answer(action, retryable("undo: no answer in time")); });
    return;
  }
  in(leg(fate) + leg(fate), [this, action, node, tries_left, fate] {
    if (fate == Fate::kRefused) {
      answer(action, std::unexpected(to_error("patch nodes " + node, any_refusal())));
      return;
    }
    const auto found = world_.find<world::Node>({{}, node});
    if (!found) {
      answer(action, std::unexpected(to_error("get nodes " + node,
                                              world::not_found(world::Kind::kNode, {{}, node}))));
      return;
    }
    const kube::Node before = to_kube(*found);
    if (std::string why = effects::keeps_mark(before, action.takers, world_.now()); !why.empty()) {
      answer(action, std::move(why));
      return;
    }
    const auto patch = effects::undo_patch(before);
    if (!patch) {
      answer(action, std::string("bears no mark of ours"));
      return;
    }
    in(leg(fate), [this, action, node, tries_left, before, patch] {
      const auto done = apply_mark(world_, node, *patch);
      if (done) {
        answer(action, effects::undo_remark(before));
      } else if (done.error().code == 409 && tries_left > 1) {
        undo(action, tries_left - 1);
      } else {
        answer(action, std::unexpected(to_error("patch nodes " + node, done.error())));
      }
    });
  });
}

// --- Watches ------------------------------------------------------------------------------------

std::unique_ptr<WorkloadView> Driver::new_view() {
  WorkloadView::Ways ways;
  ways.watch = [this] { return random_.in(setup_.weather.watch); };
  ways.fails = [this] { return draw_fate() != Fate::kFair; };
  ways.in = [this](Millis delay, std::function<void()> what) { in(delay, std::move(what)); };
  ways.tell = [this](const core::Observation& observation) { tell_hosts(observation); };
  ways.claims = [this](const std::string& ns, const std::set<std::string>& shared) {
    for (const auto& [node, host] : hosts_) tell_all(node, host->units.claims_known(ns, shared));
  };
  ways.doomed = [this](const std::string& node) {
    return hosts_.contains(node) || marked_.contains(node);
  };
  return std::make_unique<WorkloadView>(world_, std::move(ways), setup_.by_hash,
                                        setup_.may_read_deployments);
}

void Driver::tell_hosts(const core::Observation& observation) {
  for (const auto& [node, host] : hosts_) tell_one(node, observation);
}

// As effects/host_watch.cc does for a drain that begins later.
void Driver::tell_everything(const std::string& node) {
  const Host& host = *hosts_.at(node);
  tell_all(node, host.units.everything());
  if (host.listed) tell_one(node, core::UnitsListed{});
  if (host.budgets_listed) {
    tell_one(node, core::BudgetsListed{.watched = setup_.may_read_budgets});
  }
  workloads_->tell_again();
}

void Driver::begin_watch(const std::string& node) {
  const auto host = hosts_.find(node);
  if (host == hosts_.end() || host->second->last_pod != Time{}) return;
  host->second->last_pod = world_.now();  // once
  in(leg(Fate::kFair), [this, node] { list(node); });
}

void Driver::list(const std::string& node) {
  Host& host = *hosts_.at(node);
  if (draw_fate() != Fate::kFair) {
    in(kListAgain, [this, node] { list(node); });
    return;
  }
  host.watching = true;
  const auto pods = world_.pods_on(node);
  deliver(host, host.last_pod, node, [this, pods](Host& mine) {
    effects::PodUnits::Observations all;
    for (const auto& pod : pods) {
      auto some = mine.units.pod_changed(to_kube(*pod), world_.now());
      std::ranges::move(some, std::back_inserter(all));
    }
    all.emplace_back(core::UnitsListed{});
    mine.listed = true;
    in(Millis(0), [this, &mine] {
      const auto pods = mine.units.of_deployments();
      const bool wanted = setup_.policy.hand_over != core::HandOver::kNever && setup_.may_patch;
      if (pods.empty() || !wanted) return;
      watch_marks();
      workloads_->need(pods);
      workloads_->tell_again();
    });
    return all;
  });
  if (!setup_.may_read_budgets) {
    deliver(host, host.last_budget, node, [](Host& mine) {
      mine.budgets_listed = true;
      return effects::PodUnits::Observations{core::BudgetsListed{.watched = false}};
    });
    return;
  }
  const auto budgets = world_.list<world::Budget>();
  deliver(host, host.last_budget, node, [budgets](Host& mine) {
    effects::PodUnits::Observations all;
    for (const auto& budget : budgets) {
      auto some = mine.units.budget_changed(to_kube(*budget));
      std::ranges::move(some, std::back_inserter(all));
    }
    all.emplace_back(core::BudgetsListed{});
    mine.budgets_listed = true;
    return all;
  });
}

void Driver::world_changed(const world::Event& event) {
  if (hosts_.empty() || killed_) return;
  std::shared_ptr<const kube::Pod> shown;  // one for all
  workloads_->world_changed(event, shown);
  if (event.kind() == world::Kind::kNode && watches_marks_) {
    const world::Node& node = world::as<world::Node>(*event.object);
    node_seen(node.meta.name, event.change != world::Change::kDeleted && is_marked(node));
  }
  if (event.kind() == world::Kind::kPod) {
    const world::Pod& pod = world::as<world::Pod>(*event.object);
    const auto found = hosts_.find(pod.node);
    if (found == hosts_.end() || !found->second->watching) return;
    // Its time is kept, but there may be nothing in it that the agent looks at.
    if (!shows_in_record(event)) {
      shown.reset();
    } else if (!shown) {
      shown = std::make_shared<kube::Pod>(to_kube(pod));
    }
    deliver(*found->second, found->second->last_pod, pod.node,
            [this, shown, gone = event.change == world::Change::kDeleted](Host& mine) {
              if (!shown) return effects::PodUnits::Observations();
              return gone ? mine.units.pod_gone(*shown)
                          : mine.units.pod_changed(*shown, world_.now());
            });
  } else if (event.kind() == world::Kind::kBudget && setup_.may_read_budgets) {
    std::shared_ptr<const kube::Budget> record;  // one for all
    for (const auto& [node, host] : hosts_) {
      if (!host->watching) continue;
      if (!record) {
        record = std::make_shared<kube::Budget>(to_kube(world::as<world::Budget>(*event.object)));
      }
      deliver(*host, host->last_budget, node, [record, change = event.change](Host& mine) {
        return change == world::Change::kDeleted ? mine.units.budget_gone(*record)
                                                 : mine.units.budget_changed(*record);
      });
    }
  }
}

// As effects/watches.cc does: what others have marked, or an earlier life of ours.
void Driver::watch_marks() {
  if (std::exchange(watches_marks_, true)) return;
  for (const auto& node : world_.list<world::Node>()) {
    node_seen(node->meta.name, is_marked(*node));
  }
  in(last_node_ - world_.now(), [this] { workloads_->marks_known(); });
}

void Driver::node_seen(const std::string& node, bool marked) {
  last_node_ = std::max(last_node_, world_.now() + random_.in(setup_.weather.watch));
  in(last_node_ - world_.now(), [this, node, marked] {
    const bool changed = marked ? marked_.insert(node).second : marked_.erase(node) != 0;
    if (changed && !hosts_.contains(node)) workloads_->tell_again();
  });
}

void Driver::deliver(Host& host, Time& last, const std::string& node,
                     std::function<effects::PodUnits::Observations(Host&)> what) {
  last = std::max(last, world_.now() + random_.in(setup_.weather.watch));
  in(last - world_.now(),
     [this, &host, node, what = std::move(what)] { tell_all(node, what(host)); });
}

}  // namespace spotkeeper::laboratory
