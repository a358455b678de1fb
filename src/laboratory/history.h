// SPDX-License-Identifier: Apache-2.0
// One random history: a cluster, one to three of its hosts are interrupted, and the agent's core
// moves what is there. Afterwards (and with every action) the promises of docs/design.md, section
// 7, are checked against what really happened in the world. The same seed gives the same history.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "laboratory/driver.h"
#include "laboratory/ledger.h"
#include "laboratory/random_cluster.h"
#include "laboratory/second.h"

namespace spotkeeper::laboratory {

struct Tally {
  int64_t pods = 0;       // that ever were
  int64_t moved = 0;      // of doomed hosts: told in time and gone
  int64_t cut_off = 0;    // told in time, but their end took longer than the host lived
  int64_t overruled = 0;  // stopped against a budget at the last moment
  int64_t released = 0;   // handed over
  int64_t replaced = 0;   // … and enough others were Ready before they were asked
  int64_t put_back = 0;
  int64_t shared = 0;      // histories of two processes
  int64_t taken_over = 0;  // hosts, by the one from the other
  int64_t actions = 0;
  int64_t changes = 0;  // versions of objects
};

class History {
 public:
  explicit History(uint64_t seed, Size size = {});

  ~History() { world_.forget(observer_); }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void run();

  // What was promised and not kept; empty: all is well.
  const std::vector<std::string>& broken() const { return broken_; }
  const Tally& tally() const { return tally_; }
  const Driver& driver() const { return driver_; }
  // Of all processes, in the order of time; the second's hosts are called "n1 (second)".
  core::Journal journal() const;
  const world::World& world() const { return world_; }
  std::string since_begin(Time time) const { return format_duration(time - begin_); }

 private:
  struct Doomed {
    core::Notice notice;
    std::optional<core::Notice> feared;  // the soft one before it
    Time feared_at{};
    bool ends = true;  // false: a soft notice, nothing comes of it; or it is withdrawn
    std::optional<Time> withdrawn;
    bool undone = true;  // … with its mark
  };
  Setup random_setup();
  std::vector<core::Rule> random_rules();
  void random_policies();
  void plan_withdrawal(const std::string& node, Doomed& doomed);
  void doom(const std::string& node);
  void hear(const std::string& node, const core::Notice& notice);
  void plan_second();
  std::vector<Driver*> drivers();
  const Driver* who_drained(const std::string& node) const;
  bool goes(const std::string& node) const;
  void plan_surprises();
  void plan_repetitions();
  void hear_again(const std::string& node);
  void check_action(const core::Action& action);
  void check_stop(const core::Action& action, const core::Drain& drain);
  void check_release(const core::Action& action, const core::Track& track);
  void check_ask(const core::Action& action, const core::Track& track);
  void check_served(const core::Action& action, const world::Refusal* refusal);
  void check_end();
  void check_hosts();
  void check_entries();
  void check_nobody_left_out();
  void check_replica_sets();
  void check_spared(const std::string& node, const Doomed& doomed);
  const core::Track* track_of(const std::string& node, const core::UnitId& unit) const;
  bool is_never(const world::PodStory& pod) const;
  void check_host(const std::string& node, const Doomed& doomed);
  void check_pod(const world::PodStory& pod, const Doomed& doomed);
  void check_verdicts(const core::Drain& drain, const Doomed& doomed);
  bool is_exempt(const world::PodStory& pod) const;
  // The last moment at which being told counts; see docs/design.md, "Told".
  Time latest_word(const world::PodStory& pod, const core::Notice& notice) const;
  void wrong(std::string what);
  std::string at() const;  // "at 12.345 s"

  world::World world_;
  world::Random random_;
  Seconds lasts_;
  RandomCluster cluster_;
  Setup setup_;
  Driver driver_;
  std::unique_ptr<Second> second_;  // another process; most histories have none
  const Driver* judged_ = &driver_;
  Ledger ledger_;
  uint64_t observer_ = 0;
  std::set<std::string> heard_;        // nodes that go, as far as the agent was told
  std::set<std::string> forbids_new_;  // namespaces with a quota that is used up
  std::map<std::string, Doomed> doomed_;
  std::map<core::UnitId, int> requests_;
  Time begin_{};
  std::vector<std::string> broken_;
  Tally tally_;
};

}  // namespace spotkeeper::laboratory
