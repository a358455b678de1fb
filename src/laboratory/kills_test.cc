// SPDX-License-Identifier: Apache-2.0
// A drain of three hosts in fair weather is recorded; then the process is killed at every one of
// its steps, right after a request was sent and right after it was served, and another begins in
// its place, with nothing but the records on the nodes and the notices. What comes of it is the
// same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "effects/mark.h"
#include "effects/release.h"
#include "laboratory/driver.h"
#include "laboratory/translate.h"
#include "world/test_world.h"

namespace spotkeeper::laboratory {
namespace {

constexpr int kNodes = 6;         // three go
constexpr Seconds kSettles{20};   // the pods have started
constexpr Seconds kHistory{135};  // from the first notice
constexpr Seconds kEnoughWord{10};
constexpr Millis kBeginsAgain{1'500};
constexpr Millis kBeginsMuchLater{15'000};

// What is done to a pod or a host, as somebody who reads the audit log would know it again.
std::string line_of(const core::Action& action) {
  return fmt::format("{} {} {}", core::to_string(action.kind), action.host.value, action.unit_name);
}

enum class When : uint8_t { kNever, kSent, kServed };

struct Kill {
  When when = When::kNever;
  size_t step = 0;  // the how manieth action, or answer
  Millis away = kBeginsAgain;
};

class Recorded {
 public:
  explicit Recorded(Kill kill = {})
      : kill_(kill), begin_(t_.start + kSettles), driver_(t_.world, setup(), 1) {
    make_workloads();
    t_.world.advance_to(begin_);
    driver_.on_action = [this](const core::Action& action) { sent(action); };
    driver_.on_served = [this](const core::Action& action, const world::Refusal* refusal) {
      if (refusal == nullptr) served(action);
    };
    announce("n1", Millis(0), Seconds(118));
    announce("n2", Millis(900), Seconds(110));
    announce("n3", Millis(4'000), Seconds(90));
    t_.world.advance_to(begin_ + kHistory);
  }

  size_t actions() const { return actions_.size(); }
  size_t answers() const { return answers_; }
  bool was_killed() const { return restarted_; }
  // By how many of each workload that were here at the beginning: told in time; untold; overruled.
  std::map<std::string, std::string> outcome() const;
  const std::set<std::string>& overruled() const { return overruled_; }
  const std::vector<std::string>& actions_sent() const { return actions_; }
  void check() const;

 private:
  static Setup setup() {
    Setup setup;
    setup.policy.taint = true;
    return setup;
  }
  void make_workloads();
  void announce(const std::string& node, Millis after, Seconds lives);
  void sent(const core::Action& action);
  void served(const core::Action& action);
  void die();
  void begin_again();
  void check_pod(const world::PodStory& pod) const;
  void check_node(const std::string& node) const;

  const Kill kill_;
  world::TestWorld t_{kNodes};
  Time begin_;
  Driver driver_;
  std::map<std::string, core::Notice> notices_;  // that the poller has heard
  std::map<std::string, core::Notice> all_;
  std::vector<std::string> actions_;
  size_t answers_ = 0;
  std::set<std::string> overruled_;
  bool restarted_ = false;
};

// Owners, graces and budgets of all kinds: open ones, closed ones, and such as let one go at a
// time.
void Recorded::make_workloads() {
  const auto slow = [](Seconds grace, Millis ends_after, Millis ready_after) {
    world::Shape shape{.grace = grace};
    shape.behaviour.ends_after = ends_after;
    shape.behaviour.ready_after = ready_after;
    return shape;
  };
  t_.make(world::make_deployment("web", 6, slow(Seconds(30), Millis(800), Millis(2'000))));
  t_.make(world::make_max_unavailable("web", {1}));
  t_.make(world::make_deployment("api", 6, slow(Seconds(20), Millis(400), Millis(5'000))));
  t_.make(world::make_min_available("api", {6}));
  t_.make(world::make_deployment("free", 6, slow(Seconds(60), Millis(3'000), Millis(1'000))));
  t_.make(world::make_stateful_set("db", 6, slow(Seconds(40), Millis(1'500), Millis(1'000))));
  t_.make(world::make_max_unavailable("db", {0}));
  world::Shape cache = slow(Seconds(30), Millis(300), Millis(500));
  cache.empty_dir = true;
  t_.make(world::make_stateful_set("cache", 3, cache));
  world::Shape batch = slow(Seconds(15), Millis(200), Millis(0));
  t_.make(world::make_job("batch", 6, batch));
  t_.make(world::make_daemon_set("logs"));
  t_.make(world::make_pod("alone", "n2", slow(Seconds(25), Millis(500), Millis(0))));
  t_.make(world::make_service("web"));
}

void Recorded::announce(const std::string& node, Millis after, Seconds lives) {
  const Time heard = begin_ + after;
  const core::Notice notice{.id = core::NoticeId("spot-itn-" + node),
                            .kind = core::NoticeKind::kSpotInterruption,
                            .instance = core::InstanceId(node),
                            .deadline = heard + lives,
                            .source = "imds",
                            .detail = "terminate",
                            .received = heard};
  all_[node] = notice;
  t_.world.at(heard, [this, node, notice] {
    notices_[node] = notice;
    driver_.hear(node, notice);
  });
  t_.world.end_host(node, notice.deadline);
}

void Recorded::sent(const core::Action& action) {
  actions_.push_back(line_of(action));
  if (action.kind == core::ActionKind::kStop) {
    const core::Drain* drain = driver_.desk().find(action.host);
    const core::Track* track = drain->find(action.unit);
    if (track != nullptr && !track->unit.budgets.empty()) overruled_.insert(action.unit_name);
  }
  if (kill_.when == When::kSent && !restarted_ && actions_.size() == kill_.step) die();
}

void Recorded::served(const core::Action&) {
  ++answers_;
  if (kill_.when == When::kServed && !restarted_ && answers_ == kill_.step) die();
}

void Recorded::die() {
  driver_.kill();
  restarted_ = true;
  t_.world.at(t_.world.now() + kill_.away, [this] { begin_again(); });
}

// As the agent does: first the record on the node, then what its source says again.
void Recorded::begin_again() {
  driver_.restart();
  const Time now = t_.world.now();
  for (const auto& [node, notice] : notices_) {
    const auto object = t_.world.find<world::Node>({{}, node});
    std::optional<core::Notice> recorded = effects::recorded_notice(to_kube(*object));
    if (!recorded || recorded->deadline <= now) continue;
    EXPECT_EQ(recorded->id, notice.id);
    recorded->received = now;
    driver_.hear(node, *recorded);
  }
  t_.world.at(now + Seconds(2), [this] {
    for (const auto& [node, notice] : notices_) {
      if (notice.deadline > t_.world.now()) driver_.hear(node, notice);
    }
  });
}

std::map<std::string, std::string> Recorded::outcome() const {
  std::map<std::string, std::string> outcome;
  std::map<std::string, int> told;
  std::map<std::string, int> all;
  for (const world::PodStory& pod : t_.world.history().pods()) {
    if (!all_.contains(pod.node) || pod.created >= begin_) continue;
    const std::string app(pod.labels.at("app"));
    ++all[app];
    told[app] += static_cast<int>(pod.told && pod.ended && !pod.cut_off);
  }
  for (const auto& [app, count] : all)
    outcome[app] = fmt::format("{} of {} moved", told[app], count);
  return outcome;
}

void Recorded::check() const {
  for (const world::PodStory& pod : t_.world.history().pods()) {
    if (all_.contains(pod.node)) check_pod(pod);
    const auto object = t_.world.find<world::Pod>(pod.key);
    if (pod.gone || !object) continue;
    EXPECT_EQ(object->meta.labels.find(effects::kReleasedLabel), nullptr) << pod.key.text();
    EXPECT_TRUE(!pod.owner || object->meta.owner) << pod.key.text() << " is left without an owner";
  }
  for (const auto& set : t_.world.list<world::ReplicaSet>()) {
    int active = 0;
    for (const auto& pod : t_.world.pods_of(set->meta.uid)) active += pod->active();
    EXPECT_EQ(active, set->spec.replicas) << set->meta.key().text();
  }
  for (const auto& [node, notice] : all_) {
    check_node(node);
    const core::Drain* drain = driver_.desk().find(core::HostId(node));
    ASSERT_NE(drain, nullptr) << node;
    EXPECT_TRUE(drain->finished()) << node;
  }
}

void Recorded::check_pod(const world::PodStory& pod) const {
  if (pod.owner && pod.owner->kind == world::Kind::kDaemonSet) return;
  const Time latest = all_.at(pod.node).deadline - std::min(pod.grace, kEnoughWord);
  if (pod.ended && *pod.ended <= latest) return;
  ASSERT_TRUE(pod.told) << pod.key.text() << " was never told";
  EXPECT_LE(*pod.told, latest) << pod.key.text();
  EXPECT_FALSE(pod.cut_off) << pod.key.text();
}

void Recorded::check_node(const std::string& node) const {
  const auto object = t_.world.find<world::Node>({{}, node});
  ASSERT_TRUE(object);
  EXPECT_TRUE(object->spec.unschedulable) << node;
  ASSERT_EQ(object->spec.taints.size(), 1U) << node;
  EXPECT_EQ(object->spec.taints[0].key, effects::taint_key(core::NoticeKind::kSpotInterruption));
  const auto recorded = effects::recorded_notice(to_kube(*object));
  ASSERT_TRUE(recorded) << node;
  EXPECT_EQ(recorded->id, all_.at(node).id);
  EXPECT_EQ(recorded->deadline, std::chrono::floor<Seconds>(all_.at(node).deadline));
  EXPECT_NE(effects::undo_patch(to_kube(*object)), std::nullopt);
}

class Kills : public testing::Test {
 protected:
  void try_all(When when, size_t steps, Millis away) {
    EXPECT_GT(steps, 30U) << "kills";
    for (size_t step = 1; step <= steps; ++step) {
      const Recorded again({.when = when, .step = step, .away = away});
      SCOPED_TRACE(fmt::format("killed when {} was {}, {}", step,
                               when == When::kSent ? "sent" : "served",
                               when == When::kSent ? whole_.actions_sent()[step - 1] : ""));
      ASSERT_TRUE(again.was_killed());
      again.check();
      EXPECT_EQ(again.outcome(), whole_.outcome());
      for (const std::string& pod : again.overruled()) {
        EXPECT_TRUE(whole_.overruled().contains(pod)) << pod << " was not overruled before";
      }
      if (HasFailure()) return;  // the first says enough
    }
  }

  const Recorded whole_;
};

TEST_F(Kills, TheRecordedDrainIsWorthKilling) {
  whole_.check();
  std::map<std::string, int> kinds;
  for (const std::string& line : whole_.actions_sent()) ++kinds[line.substr(0, line.find(' '))];
  for (const auto& [kind, count] : kinds) fmt::print("{} {}\n", count, kind);
  for (const auto& [app, what] : whole_.outcome()) fmt::print("{}: {}\n", app, what);
  EXPECT_EQ(kinds["mark"], 3);
  EXPECT_GT(kinds["ask"], 10);
  EXPECT_GT(kinds["release"], 3);
  EXPECT_GT(kinds["stop"], 2);
  EXPECT_GT(kinds["explain"], 2);
  EXPECT_FALSE(whole_.overruled().empty());
}

TEST_F(Kills, AfterAnyActionIsSentTheOutcomeIsTheSame) {
  try_all(When::kSent, whole_.actions(), kBeginsAgain);
}

TEST_F(Kills, AfterAnyActionIsServedTheOutcomeIsTheSame) {
  try_all(When::kServed, whole_.answers(), kBeginsAgain);
}

TEST_F(Kills, NorDoesItMatterThatItIsAwayForAWhile) {
  try_all(When::kServed, whole_.answers(), kBeginsMuchLater);
}

}  // namespace
}  // namespace spotkeeper::laboratory
