// SPDX-License-Identifier: Apache-2.0
// Carries out the core's actions on ECS container instances and reports what happens there. Owns
// no decision: an action is done once and answered, success or not. How the core's words map:
//
//   mark   DRAINING, which is what asks a service's tasks: nothing else does
//   ask    a standalone task's last word, so StopTask; of a service's task only the answer that
//          DRAINING has not moved it, as a budget's refusal
//   stop   StopTask, which minimumHealthyPercent does not hold; its grace is the stopTimeout
//   undo   ACTIVE again, if it was us who set DRAINING (host_mark.h)
//
// The rest (explain, forewarn, hand over) does not exist on ECS: see abilities(). The Client, the
// group and the clock must outlive it; every task it starts belongs to the group.
// Source: ECS API reference; developer guide, "Draining Amazon ECS container instances".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "async/task_group.h"
#include "aws/client.h"
#include "core/abilities.h"
#include "core/drain.h"
#include "ecs/host_mark.h"
#include "ecs/host_view.h"
#include "ecs/instance.h"

namespace spotkeeper::ecs {

// What an account may ask of ECS for its container instances' tasks in the long run, and at once.
inline constexpr double kRequestsPerS = 20;
inline constexpr double kRequestBurst = 40;

core::Abilities abilities();

class Ecs {
 public:
  using Report = std::function<void(const core::HostId&, core::Observation)>;
  using Say = std::function<void(const core::HostId&, core::Level, std::string)>;

  struct Options {
    HostView::Options view;
    // Take the instance out of its cluster when the drain is over, as the older
    // ecs-ec2-spot-auto-deregister did at once.
    bool deregister = false;
    // See HostMark::Hooks.
    std::function<Task<Result<std::string>>()> ends_anyway = {};
  };

  // `report` and `say` are called from within tasks, never from carry_out() itself.
  Ecs(aws::Client& client, TaskGroup& group, const Clock& clock, Options options, Report report,
      Say say);
  ~Ecs();

  // Which container instance the host is: until then its actions fail as weather.
  void know(const core::HostId& host, Instance instance);
  bool knows(const core::HostId& host) const { return views_.contains(host); }

  void carry_out(core::Action action);

  // Reports what concerns this host from now on; called again when its notice has changed.
  void watch(const core::HostId& host, const core::Notice& notice);

  // The drain is over: what is to be done last is done, and looking at the host ends.
  void finished(const core::Drain& drain);

  // Returns when what finished() began is done.
  Task<> settle();

 private:
  struct Later {  // what waits to be sent, in its order
    int lane;
    Time by;
    uint64_t number;
    auto operator<=>(const Later&) const = default;
  };
  void send_what_may();
  Task<> do_action(core::Action action);
  Task<Result<std::string>> on_task(HostView& view, core::Action action);
  Task<> deregister(core::HostId host);
  Task<> deregister_before(core::HostId host, Time at);
  void look(const core::HostId& host, HostView& view);

  aws::Client& client_;
  TaskGroup& group_;
  const Clock& clock_;
  Options options_;
  Report report_;
  Say say_;
  HostMark mark_;
  std::map<core::HostId, std::unique_ptr<HostView>> views_;
  std::map<core::HostId, core::Notice> waiting_;  // watched, and not known yet
  std::map<Later, core::Action> queue_;
  int under_way_ = 0;
  std::set<core::HostId> withdrawn_;     // their drains
  std::set<core::HostId> deregistered_;  // or under way
  int last_works_ = 0;
  Event settled_;
};

// When a host that is not empty by then is taken out of its cluster: shortly before its end, or
// where that is past, when the core has used the time that it takes for such a deadline.
Time deregister_at(Time deadline, Time now);

}  // namespace spotkeeper::ecs
