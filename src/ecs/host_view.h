// SPDX-License-Identifier: Apache-2.0
// What happens on one container instance while it is drained: its tasks, read again every two
// seconds in batches (every ten where the host does not end for certain), with the definitions,
// services and target groups behind them, as observations for the core. Owned by Ecs, which spawns
// run(); nothing is read while there is no notice.
//
// Failures are weather: told as Trouble, and tried again; what cannot be read of a task's
// definition or service does not keep back that it is there.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "async/timing.h"
#include "aws/client.h"
#include "core/action.h"
#include "core/journal.h"
#include "ecs/balancers.h"
#include "ecs/instance.h"
#include "ecs/task_book.h"

namespace spotkeeper::ecs {

// Nobody is hurried while the host does not end for certain: a drain without an end may last.
Millis pause_between_looks(const core::Notice& notice, bool rests);

class HostView {
 public:
  struct Options {
    TaskRules tasks;
    Seconds margin{3};                  // as core::Policy's
    bool deregister_targets = true;     // from their target groups, at once
    bool force_new_deployment = false;  // of the services that are here: replacement first
  };
  struct Hooks {
    std::function<void(core::Observation)> report;
    std::function<void(core::Level, std::string)> say;  // what the core does not journal
  };

  HostView(aws::Client& client, const Clock& clock, boost::asio::any_io_executor executor,
           Options options, Instance instance, Hooks hooks);

  // A drain begins, or its notice has changed: what is known is reported again.
  void begin(const core::Notice& notice);

  // The mark is being written: what is to go with it from second 0 on begins, too.
  void act();

  // Something was asked of ECS: what came of it is looked at soon.
  void look_soon();

  // The drain is over: tasks are looked at more rarely, and not at all after `until`.
  void rest(Time until);

  // Looks until it is over. To be spawned once after each begin() that answers false to running().
  Task<> run();
  bool running() const { return running_; }
  void spawned() { running_ = true; }

  const Instance& instance() const { return instance_; }
  const TaskBook& book() const { return book_; }

  // One look, for a plan by hand: nothing is changed.
  Task<Result<void>> look_once();

 private:
  Task<Result<void>> read_tasks();
  Task<> read_definitions();
  Task<> read_services();
  Task<> look();
  Task<> deploy();
  void tell(const TaskBook::Observations& observations);
  void trouble(const Error& error, const std::string& what, const char* allow);
  Millis pause() const;
  bool over() const;

  aws::Client& client_;
  const Clock& clock_;
  Options options_;
  Instance instance_;
  Hooks hooks_;
  TaskBook book_;
  Balancers balancers_;
  Event wake_;
  core::Notice notice_;
  std::set<std::string> deployed_;  // services
  Time rests_until_ = kNever;       // kNever: it does not rest
  int failures_ = 0;                // looks in a row
  bool listed_ = false;
  bool acting_ = false;
  bool running_ = false;
};

}  // namespace spotkeeper::ecs
