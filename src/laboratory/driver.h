// SPDX-License-Identifier: Apache-2.0
// The agent's decisions against an emulated cluster: connects a core::Desk with a world through
// effects::PodUnits and effects::mark_patch, as app/ and effects/ do, but without HTTP and on the
// world's clock. Requests and watches take their time, and the weather may be bad. Any number of
// hosts; restart() is a new process that knows nothing. Several drivers on one world are several
// processes: those with a holder's name leave a host to the one that its record names
// (effects/holders.h).
//
// Lives within the world's advance_to(). One owner; the world must outlive it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/desk.h"
#include "effects/holders.h"
#include "effects/pod_units.h"
#include "laboratory/workload_view.h"
#include "world/random.h"
#include "world/world.h"

namespace spotkeeper::laboratory {

// What happens to requests, in percent, until a time.
struct Weather {
  world::Latency request{Millis(1), Millis(10)};  // each way
  world::Latency watch{Millis(1), Millis(30)};    // from a change to its event
  int late = 0;                                   // takes up to `latest` each way
  Millis latest{4'000};
  int lost = 0;     // never answered; half of these have taken effect
  int refused = 0;  // 401, 403 of a webhook, 429 and 503 with Retry-After, 500
  Time until{};     // from then on only `request` and `watch` count
};

struct Setup {
  core::Policy policy = {};
  effects::PodRules rules = {};
  Weather weather = {};
  bool may_evict = true;             // else 403: no right to pods/eviction
  bool may_read_budgets = true;      // else they are never listed
  bool may_patch = true;             // else 403: no right to patch pods
  bool may_read_deployments = true;  // else nothing is handed over
  std::set<std::string> by_hash;     // namespaces with a Service that selects on the pods' hash
  std::string holder = {};           // our name, where several processes may drain a host
  effects::Holders::Ended holder_ended = {};
};

class Driver {
 public:
  Driver(world::World& world, Setup setup, uint64_t seed);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // The poller has heard a notice.
  void hear(const std::string& node, const core::Notice& notice);

  // Nobody wants the host drained any more.
  void withdraw(const std::string& node, const core::Withdrawn& why);

  // The operator's rules have changed.
  void change_rules(const std::vector<core::Rule>& rules);

  // Whatever is due at this moment is done.
  void settle();

  // The process ends at once, also in the middle of on_action or on_served: answers under way reach
  // nobody, and what it was about to send is not sent. It hears nothing any more.
  void kill();
  bool killed() const { return killed_; }

  // Another begins in its place (of the same name), and knows nothing.
  void restart();

  // The adapter's own record of a unit; nullptr when it is not on the node any more, as far as is
  // known.
  const kube::Pod* find(const std::string& node, const core::UnitId& unit) const;

  void set_weather(const Weather& weather) { setup_.weather = weather; }

  const core::Policy& policy() const { return setup_.policy; }
  const core::Desk& desk() const { return *desk_; }
  // Everything that was journalled, over all lives.
  const core::Journal& journal() const { return journal_; }

  // Called with every action before it is sent.
  std::function<void(const core::Action&)> on_action;
  // Called when the server has carried out (`nullptr`) or refused an action; of marks those that
  // were written.
  std::function<void(const core::Action&, const world::Refusal*)> on_served;

 private:
  struct Host;
  enum class Fate { kFair, kLate, kLostRequest, kLostAnswer, kRefused };
  using Served = Result<std::string>;

  void tell(const std::string& node, const core::Observation& observation);
  void tell_one(const std::string& node, const core::Observation& observation);
  void tell_all(const std::string& node, const effects::PodUnits::Observations& observations);
  void publish(core::Output output);
  void tell_news();
  void keep_time(const std::string& node);
  void tick(const std::string& node);
  // Calls back in this life only.
  void in(Millis delay, std::function<void()> what);

  void carry_out(core::Action action);
  void mark(const core::Action& action, int tries_left);
  void undo(const core::Action& action, int tries_left);
  void answer(const core::Action& action, Served result);
  Served serve(const core::Action& action, const kube::Pod& pod);
  world::Answer<void> explain(const core::Action& action, const kube::Pod& pod);
  world::Answer<void> relabel(const core::Action& action, const kube::Pod& pod);
  world::Refusal no_right(const kube::Pod& pod, const char* verb, const char* resource) const;
  world::Refusal any_refusal();
  Fate draw_fate();
  bool hostile() const { return world_.now() < setup_.weather.until; }
  Millis leg(Fate fate);

  std::unique_ptr<WorkloadView> new_view();
  void tell_hosts(const core::Observation& observation);
  void tell_everything(const std::string& node);
  void begin_watch(const std::string& node);
  void list(const std::string& node);
  void world_changed(const world::Event& event);
  void watch_marks();
  void node_seen(const std::string& node, bool marked);
  void deliver(Host& host, Time& last, const std::string& node,
               std::function<effects::PodUnits::Observations(Host&)> what);

  world::World& world_;
  Setup setup_;
  world::Random random_;
  uint64_t observer_ = 0;
  std::shared_ptr<uint64_t> life_ = std::make_shared<uint64_t>(1);
  std::unique_ptr<core::Desk> desk_;
  std::map<std::string, std::unique_ptr<Host>> hosts_;
  std::unique_ptr<WorkloadView> workloads_;
  std::set<std::string> marked_;  // nodes, as far as is seen
  bool watches_marks_ = false;
  Time last_node_{};
  Time news_armed_{};
  core::Journal journal_;
  effects::Holders holders_;
  bool killed_ = false;
};

}  // namespace spotkeeper::laboratory
