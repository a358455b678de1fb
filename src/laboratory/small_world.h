// SPDX-License-Identifier: Apache-2.0
// A cluster so small that everything that can happen in it can be tried: one host that goes, one
// that stays, up to three pods of one or two Deployments, up to two budgets, and the real
// core::Drain. A value: copied for every step that is tried, and so kept small. What may happen
// next is a list of steps; nothing happens by itself. For laboratory/explorer.h.
//
// What is left out, so that it ends: events and answers that arrive do so before time goes on
// (any order between watches, the order of each kept); time goes to the next moment that the
// drain waits for; the mark is written at once; at most one fault (lost, lost after its effect,
// denied), one crash, one withdrawal in a history. Pods of one Deployment are alike: on the host
// that stays they are counted, not named, and on the one that goes, of two states that differ in
// which pod is which, one is tried. A Deployment whose pods here are all gone, and known to
// be, is done with: what it does from there on is not tried.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/drain.h"

namespace spotkeeper::laboratory {

struct SmallSetup {
  struct Deployment {
    int pods = 1;              // on the host that goes
    int elsewhere = 0;         // on the one that stays
    int least = -1;            // its budget's minAvailable; below 0: it has none
    bool replaced = true;      // false: nobody creates a replacement (a quota)
    bool owner_stays = false;  // an admission policy refuses its ReplicaSet to let go
  };
  std::string name;
  std::vector<Deployment> deployments;
  Seconds grace{30};
  Seconds notice{60};
  bool soft = false;  // a rebalance recommendation, handed over all the same
  int faults = 0;
  int crashes = 0;
  int withdrawals = 0;
  // While so many words of a watch are on their way the cluster does nothing of itself that would
  // add another (requests are served all the same); 0: while any word of any watch is.
  int lag = 100;
  // Requests are served, or lost, as they are sent and in that order: what the cluster may do
  // before one is served it may as well have done before it was sent, unheard. Their answers take
  // time.
  bool prompt = false;
  // For tests of the explorer: a stop is answered and never done, so that a promise is broken.
  bool broken_server = false;
  bool whole = false;  // … and nothing is left out as done with
};

class SmallWorld {
 public:
  // `setup` outlives it.
  explicit SmallWorld(const SmallSetup& setup);

  struct Step {
    enum class Kind : uint8_t {
      kEvent,     // the next of a watch arrives
      kServe,     // a request reaches the server
      kLose,      // … and its answer is lost
      kDrop,      // it never arrives
      kDeny,      // a webhook refuses it
      kAnswer,    // its answer arrives
      kLetGo,     // a ReplicaSet lets go of a released pod
      kAdopt,     // … takes one that was put back
      kCreate,    // … creates one
      kSurplus,   // … deletes one
      kReady,     // a new pod becomes Ready
      kGone,      // a told pod is gone
      kBudget,    // a budget's status is written
      kTime,      // to the next moment
      kCrash,     // the process ends and another begins
      kWithdraw,  // the drain is withdrawn
    };
    Kind kind = Kind::kTime;
    int8_t which = 0;  // watch, request, pod or Deployment
  };
  std::vector<Step> steps() const;
  void take(const Step& step);
  std::string describe(const Step& step) const;

  // The same bytes: the same futures, but for which of equal pods of a Deployment comes first.
  std::string fingerprint() const;

  // What was promised and not kept; called when no step is left, too.
  const std::string& broken() const { return broken_; }
  void check_end();

 private:
  struct Pod {  // on the host that goes; always Ready
    int8_t deployment = 0;
    bool owned = true;
    bool released = false;  // its labels
    bool told = false;
    bool late = false;  // told later than was promised
    bool gone = false;
    bool by_orphan = false;  // told by a request of a process that is gone
    bool active() const { return !gone && !told; }
    bool operator==(const Pod&) const = default;
  };
  struct Elsewhere {  // a Deployment's pods on the host that stays
    int8_t ready = 0;
    int8_t starting = 0;
    int8_t deleted = 0;  // Ready ones, of which the word is on its way
    int8_t allows = 0;   // its budget's status
    bool done = false;   // nothing of it is tried any more
    int8_t said_owned = 0;
    int8_t said_ready = 0;
    int all() const { return ready + starting; }
  };
  enum class Answer : uint8_t { kDone, kNotFound, kHeld, kDenied };
  struct Request {
    uint64_t number = 0;
    Time until{};  // patience with its answer
    core::ActionKind kind = core::ActionKind::kAsk;
    int8_t pod = 0;
    bool served = false;
    bool lost = false;      // no answer comes
    bool orphaned = false;  // its process is gone
    Answer answer = Answer::kDone;
  };
  enum Watch : uint8_t { kPods, kBudgets, kGroups, kWatches };
  struct Message {
    enum class Kind : uint8_t { kPod, kGone, kPodsListed, kBudget, kBudgetsListed, kGroup };
    Kind kind = Kind::kPod;
    int8_t which = 0;
    int8_t first = 0;   // allows; owned; a pod's owned, released, told as bits
    int8_t second = 0;  // Ready elsewhere
    bool more = false;  // the next arrives with it
  };

  // small_world_server.cc: the cluster.
  core::Unit unit_of(int pod, int bits) const;
  core::Group group_of(int deployment, int owned, int ready) const;
  const SmallSetup::Deployment& wanted(int deployment) const {
    return setup_->deployments[static_cast<size_t>(deployment)];
  }
  int size_of(int deployment) const {
    return wanted(deployment).pods + wanted(deployment).elsewhere;
  }
  int healthy(int deployment) const;
  int allowed(int deployment) const;
  int owned(int deployment) const;
  bool frozen(int deployment) const;
  bool surplus(int deployment) const;
  void delete_surplus(int deployment);
  void serve(Request& request);
  Answer evict(int pod);
  void tell_pod(int pod);
  void list();
  void say_pod(int pod);
  void say_budget(int deployment);
  void say_groups();
  core::Observation observation_of(const Message& message) const;
  static Result<std::string> result_of(Answer answer);

  // small_world.cc: what may happen, and what the agent does.
  bool quiet() const;
  Time next_moment() const;
  bool over() const;
  bool room(Watch watch) const;
  void add_request_steps(std::vector<Step>& all, size_t number) const;
  void add_server_steps(std::vector<Step>& all) const;
  void tell(const core::Observation& observation);
  void act(const core::Action& action);
  void begin();
  void deliver(Watch watch);
  void advance();
  bool settled(int deployment) const;
  void leave_out_what_is_done();

  // small_world_check.cc: what is promised, and words.
  Time latest_word() const;
  void check(const core::Action& action, int pod);
  int told_unheard(int deployment) const;
  std::string fingerprint_of(int number, bool gone_for_good) const;
  static std::string describe_event(const Message& message);
  void wrong(const std::string& what);

  const SmallSetup* setup_;
  Time now_;
  std::optional<core::Drain> drain_;
  std::vector<Pod> pods_;
  std::vector<Elsewhere> elsewhere_;  // by Deployment
  std::vector<Message> watches_[kWatches];
  std::vector<Request> requests_;  // by pod; an orphan before one of the same pod that is not
  int8_t faults_ = 0;
  int8_t crashes_ = 0;
  int8_t withdrawals_ = 0;
  std::string broken_;
};

}  // namespace spotkeeper::laboratory
