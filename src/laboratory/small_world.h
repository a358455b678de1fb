// SPDX-License-Identifier: Apache-2.0
// A cluster so small that everything that can happen in it can be tried: one host that goes, one
// that stays, up to three pods of one or two Deployments, up to two budgets, and the real
// core::Drain. A value: copied for every step that is tried. What may happen next is a list of
// steps; nothing happens by itself. For laboratory/explorer.h.
//
// What is left out, so that it ends: events and answers that arrive do so before time goes on
// (any order between watches, the order of each kept); time goes to the next moment that the
// drain waits for; the mark is written at once; at most one fault (lost, lost after its effect,
// denied), one crash, one withdrawal in a history.
#pragma once

#include <deque>
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
};

class SmallWorld {
 public:
  explicit SmallWorld(const SmallSetup& setup);

  struct Step {
    enum class Kind {
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
    int which = 0;
  };
  std::vector<Step> steps() const;
  void take(const Step& step);
  std::string describe(const Step& step) const;

  // The same text: the same futures.
  std::string fingerprint() const;

  // What was promised and not kept; called when no step is left, too.
  const std::string& broken() const { return broken_; }
  void check_end();

 private:
  struct Pod {
    int deployment = 0;
    bool here = true;  // on the host that goes
    bool owned = true;
    bool released = false;  // its labels
    bool ready = true;
    bool gone = false;
    std::optional<Time> told;
    bool exists() const { return !gone; }
    bool active() const { return !gone && !told; }
  };
  struct Request {
    core::Action action;
    int pod = 0;
    bool served = false;
    bool answered = false;  // the answer is ready to arrive
    bool lost = false;      // none will
    bool orphaned = false;  // its process is gone
    Result<std::string> result;
  };
  struct Message {
    std::vector<core::Observation> observations;
    std::string text;  // what it says, for the fingerprint
  };
  enum Watch { kPods, kBudgets, kGroups, kWatches };

  core::Unit unit_of(int pod) const;
  core::Group group_of(int deployment) const;
  int healthy(int deployment) const;
  int allowed(int deployment) const;
  int owned(int deployment) const;
  bool frozen(int deployment) const;
  int surplus_pod(int deployment) const;
  bool quiet() const;
  Time next_moment() const;
  bool over() const;

  void tell(const core::Observation& observation);
  void act(const core::Action& action);
  void check(const core::Action& action, int pod);
  void begin();
  void say_pod(int pod);
  void say_budget(int deployment);
  void say_groups();
  void push(Watch watch, core::Observation observation, std::string text);
  void serve(Request& request);
  Result<std::string> evict(int pod);
  void tell_pod(int pod);
  void advance();
  void wrong(const std::string& what);
  std::string text_of(int pod) const;

  SmallSetup setup_;
  core::Notice notice_;
  Time now_;
  std::optional<core::Drain> drain_;
  std::vector<Pod> pods_;
  std::vector<int> allows_;        // the budgets' status
  std::vector<core::Group> seen_;  // groups as last said
  std::deque<Message> watches_[kWatches];
  std::vector<Request> requests_;
  int faults_ = 0;
  int crashes_ = 0;
  int withdrawals_ = 0;
  std::string broken_;
};

}  // namespace spotkeeper::laboratory
