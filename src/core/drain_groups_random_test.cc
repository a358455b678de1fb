// SPDX-License-Identifier: Apache-2.0
// Random histories of hand-overs: replacements that come, come late or never, controllers that
// freeze, quotas, scaling, lost and hostile answers, withdrawals, restarts. A twin of the drain
// hears the same and is made to think every 100 ms as well: it must have nothing to say, or wake()
// was wrong. A failure prints the seed; SEED=n runs that one history alone, SEEDS=n the first n.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/test_cluster.h"
#include "core/verdict.h"

namespace spotkeeper::core {
namespace {

constexpr Millis kTwinStep{100};

class GroupHistory {
 public:
  explicit GroupHistory(unsigned seed)
      : cluster_(seed, [this](const Observation& seen) { tell(seen); }) {
    notice_ = spot_notice(Seconds(cluster_.number(60, 130)));
    if (cluster_.chance(25)) notice_.kind = NoticeKind::kRebalanceRecommendation;
    policy_.hand_over = HandOver::kAlways;
    policy_.early_word = cluster_.chance(30);
    policy_.signal_daemons = cluster_.chance(30);
    policy_.exclude_from_load_balancers = cluster_.chance(20);
    policy_.no_execute_at_end = cluster_.chance(20);
    cluster_.weather = {.until = notice_.deadline - Seconds(cluster_.number(20, 60)),
                        .percent = cluster_.chance(50) ? cluster_.number(0, 30) : 0,
                        .latency = cluster_.number(0, 1) * 200,
                        .no_release = cluster_.chance(4),
                        .no_put_back = cluster_.chance(4),
                        .forbid_release = cluster_.chance(4)};
  }

  void run() {
    cluster_.populate();
    begin();
    plan_surprises();
    const Time stop = notice_.deadline + Seconds(90);
    while (cluster_.now < stop && !testing::Test::HasFailure()) {
      const Time next = std::min({stop, drain_->wake(), cluster_.next()});
      let_time_pass(next);
      if (next == stop) break;
      if (drain_->wake() <= next) {
        tell(Tick{});
      } else {
        cluster_.happen();
      }
    }
    if (!testing::Test::HasFailure()) check_end();
  }

  std::string journal() const {
    std::string text;
    for (const std::string& line : log_) text += line + "\n";
    return text;
  }

 private:
  // A process starts: the first, or another one that knows nothing.
  void begin() {
    ++process_;
    drain_.emplace(HostId("n1"), notice_, policy_, cluster_.now,
                   static_cast<uint64_t>(process_) * 1'000'000);
    twin_ = drain_;
    tell(NoticeHeard{.notice = notice_});
    cluster_.tell_all();
  }

  void plan_surprises() {
    const auto most = static_cast<int>((notice_.deadline - kNoon).count());
    for (int left = cluster_.number(0, 12); left > 0; --left) {
      cluster_.at(Millis(cluster_.number(0, most)), [this] { cluster_.surprise(); });
    }
    if (cluster_.chance(20)) {  // early enough to do the work
      cluster_.at(Millis(cluster_.number(0, most - 50'000)), [this] { begin(); });
    }
    if (cluster_.chance(15)) {
      cluster_.at(Millis(cluster_.number(0, most)),
                  [this] { tell(Withdrawn{.why = "a person asked"}); });
    }
    if (cluster_.chance(15)) {
      cluster_.at(Millis(cluster_.number(0, most - 30'000)), [this] {
        const std::vector<Mode> modes{Mode::kAtOnce, Mode::kLastMoment, Mode::kNotOurs};
        const Mode mode = modes[static_cast<size_t>(cluster_.number(0, 2))];
        policy_.rules = {{.name = "rule 1", .treatment = {.mode = mode}}};
        tell(PolicyChanged{.rules = policy_.rules});
      });
    }
    if (!is_hard(notice_) && cluster_.chance(30)) {
      cluster_.at(Millis(cluster_.number(0, most - 40'000)), [this] {
        if (drain_->withdrawn()) return;
        notice_.kind = NoticeKind::kSpotInterruption;
        notice_.id = NoticeId("hard");
        tell(NoticeHeard{.notice = notice_});
      });
    }
  }

  void let_time_pass(Time next) {
    for (Time at = cluster_.now + kTwinStep; at < next; at += kTwinStep) poke(at);
    if (next - Millis(1) > cluster_.now) poke(next - Millis(1));
    cluster_.now = std::max(cluster_.now, next);
  }

  // The same notice again changes nothing, and makes it think.
  void poke(Time at) {
    const Output out = twin_->on(NoticeHeard{.notice = twin_->notice()}, at);
    ASSERT_TRUE(out.actions.empty()) << describe(out.actions) << " at +"
                                     << format_duration(at - kNoon) << ": wake() has not said so";
    // Why a unit waits is said when it is looked at.
    for (const Entry& entry : out.entries) {
      ASSERT_EQ(entry.what, What::kHeld) << entry.text << " at +" << format_duration(at - kNoon);
    }
  }

  void tell(const Observation& seen) {
    if (!drain_) return;
    Output out = drain_->on(seen, cluster_.now);
    const Output twin = twin_->on(seen, cluster_.now);
    EXPECT_EQ(describe(out.actions), describe(twin.actions)) << "the twin thinks otherwise";
    for (const Entry& entry : out.entries) {
      log_.push_back(format_duration(entry.at - kNoon) + " " + to_string(entry.what) + " " +
                     entry.unit + ": " + entry.text);
    }
    for (const Action& action : out.actions) {
      check(action);
      cluster_.carry_out(action, [this, number = action.number,
                                  process = process_](const Result<std::string>& result) {
        if (process == process_) tell(ActionDone{.number = number, .result = result});
      });
    }
  }

  const Track* track(const UnitId& id) const {
    for (const Track* each : drain_->tracks()) {
      if (each->unit.id == id) return each;
    }
    return nullptr;
  }

  void check(const Action& action) {
    EXPECT_FALSE(action.reason.empty());
    if (action.kind == ActionKind::kMark || action.kind == ActionKind::kUndo) return;
    const std::string what = describe({action});
    const Track* known = track(action.unit);
    ASSERT_NE(known, nullptr) << what << ": a unit that nobody spoke of";
    EXPECT_LE(++requests_[action.unit], 120) << what << ": requests without end";
    EXPECT_FALSE(known->told) << what << ": after it was told";
    if (action.grace) EXPECT_GE(*action.grace, Seconds(1)) << what;
    // Nobody wants it any more, and nobody else would remove it.
    const bool left_over = drain_->withdrawn() && known->unit.orphan && known->stop_now;
    if (action.kind == ActionKind::kStop && !known->unit.budgets.empty() && !left_over) {
      EXPECT_TRUE(is_hard(drain_->notice())) << what << ": a budget is overruled softly";
      EXPECT_GE(cluster_.now, known->plan.force) << what << ": a budget is overruled too early";
    }
    if (action.kind == ActionKind::kPutBack && !drain_->withdrawn()) {
      EXPECT_FALSE(known->release.enough && known->plan.mode == Mode::kHandOver)
          << what << ": its replacement was Ready";
    }
    if (action.kind == ActionKind::kAsk) check_ask(action, *known);
  }

  // Who is handed over is asked before its time only when enough others are left.
  void check_ask(const Action& action, const Track& known) {
    const bool early = cluster_.now < known.plan.ask_by && known.release.out();
    if (!early || !known.unit.ready) return;
    const Group& group = cluster_.workloads.at(known.unit.group).last;
    int left = group.ready;
    for (const Track* other : drain_->tracks()) {
      const bool out = other->unit.released && other->unit.ready && !other->told && !other->gone;
      if (other->unit.group == group.id && out && !other->leaving()) ++left;
    }
    EXPECT_GE(left, group.wanted) << describe({action}) << ": too few are left";
  }

  void check_end() {
    const bool hard = is_hard(drain_->notice()) && !drain_->withdrawn();
    EXPECT_TRUE(drain_->finished()) << "it never ends";
    for (const auto& [id, pod] : cluster_.pods) {
      if (!pod.here || pod.gone) continue;
      const Track* known = track(id);
      ASSERT_NE(known, nullptr) << pod.unit.name;
      if (known->plan.mode != Mode::kNotOurs && hard) {
        EXPECT_TRUE(pod.told) << pod.unit.name << " was never told";
        EXPECT_NE(verdict_of(*known, drain_->notice()), Verdict::kUntold) << pod.unit.name;
      }
      const bool out = pod.unit.released || (pod.unit.orphan && !pod.unit.group.value.empty());
      const Workload* work = workload(pod);
      const bool nobody_takes_it = work != nullptr && !work->there && !pod.unit.released;
      if (!pod.told && !cluster_.put_back_denied && !nobody_takes_it) {
        EXPECT_FALSE(out) << pod.unit.name << " is left without an owner";
      }
    }
  }

  using Workload = TestCluster::Workload;
  const Workload* workload(const TestCluster::Pod& pod) const {
    const auto found = cluster_.workloads.find(pod.unit.group);
    return found == cluster_.workloads.end() ? nullptr : &found->second;
  }

  TestCluster cluster_;
  Notice notice_;
  Policy policy_;
  std::optional<Drain> drain_;
  std::optional<Drain> twin_;
  int process_ = 0;
  std::map<UnitId, int> requests_;
  std::vector<std::string> log_;
};

TEST(GroupHistories, KeepTheirPromises) {
  const char* only = std::getenv("SEED");
  const unsigned first = only != nullptr ? static_cast<unsigned>(std::atoi(only)) : 1;
  const char* many = std::getenv("SEEDS");
  const unsigned seeds = many != nullptr ? static_cast<unsigned>(std::atoi(many)) : 300;
  const unsigned last = only != nullptr ? first : seeds;
  for (unsigned seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    GroupHistory history(seed);
    history.run();
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << history.journal();
      break;
    }
  }
}

}  // namespace
}  // namespace spotkeeper::core
