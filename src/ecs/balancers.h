// SPDX-License-Identifier: Apache-2.0
// The load balancers' side of one host's drain: how long its services' target groups need to let a
// target go, and taking its targets out of them at second 0, so that the connections they have are
// over when their tasks are told to end. The last healthy target of a group serves on as long as
// that still leaves its connections some time. Owned by HostView.
// Source: Elastic Load Balancing user guides, "Deregistration delay"; ECS developer guide, "Task
// lifecycle" (DEACTIVATING).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/client.h"
#include "aws/elb.h"
#include "core/action.h"
#include "core/journal.h"
#include "ecs/task_book.h"

namespace spotkeeper::ecs {

class Balancers {
 public:
  struct Hooks {
    std::function<void(const TaskBook::Observations&)> tell;
    std::function<void(const Error&, const std::string& what, const char* allow)> trouble;
    std::function<void(core::Level, std::string)> say;
  };

  Balancers(aws::Client& client, const Clock& clock, std::string ec2_instance_id, Hooks hooks);

  // The delays that are not known yet. `end`: of the host, margin off; nothing: it has none.
  Task<> read_delays(TaskBook& book, std::optional<Time> end);

  // Takes out what may be taken out now and is registered (again), and looks how those fare that
  // were. A call takes 3 s at most; all of it has no bound of its own, and may be cut off: the next
  // time begins with the target group that comes after.
  Task<> take_out(TaskBook& book, Time end);

  // Whether a target still waits for others to serve, or has connections left.
  bool pending() const;

 private:
  struct Group {
    std::optional<Seconds> delay;
    bool unreadable = false;       // its delay: said, not tried again
    bool refused = false;          // taking out: likewise
    bool waits = false;            // for another healthy target, and that was said
    std::set<std::string> done;    // tasks whose targets are out of it
    std::vector<aws::Target> out;  // that we took out
    Time out_since{};
    bool drained = true;  // none of `out` has connections left
    bool looked = false;  // in this look
  };
  struct Place {  // a service's tasks in one target group
    aws::EcsLoadBalancer balancer;
    std::vector<aws::EcsTask> tasks;
    Seconds stop_timeout{0};  // the longest of them
  };
  std::vector<Place> places(const TaskBook& book) const;
  Task<> take_out_of(TaskBook& book, Place place, Time end);
  void is_out(TaskBook& book, Group& group, const aws::EcsTask& task);
  void is_back(TaskBook& book, Group& group, const std::vector<std::string>& tasks);
  Task<> look_at(Group& group, std::string arn);
  void note_drained(Group& group, const std::string& arn,
                    const std::vector<aws::TargetHealth>& registered);
  void warn(const TaskBook& book, const std::string& service, Seconds delay, Time end);

  aws::Client& client_;
  const Clock& clock_;
  std::string ec2_instance_id_;
  Hooks hooks_;
  std::map<std::string, Group> groups_;  // by ARN of the target group
  std::set<std::string> warned_;         // services
  size_t turn_ = 0;                      // of the target groups
};

}  // namespace spotkeeper::ecs
