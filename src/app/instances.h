// SPDX-License-Identifier: Apache-2.0
// What EC2 says of instances, for what the cluster does not know: whether one bears the managed
// tag, and what the private DNS name of one is that is no node by its provider id. The tagged ones
// are listed every 30 s, so that a storm needs no call; what is asked beside goes together in one
// call and is remembered for a while. Owned by the Queue; the group, the client and the clock must
// outlive it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "async/task_group.h"
#include "async/timing.h"
#include "aws/client.h"
#include "aws/ec2.h"
#include "base/clock.h"

namespace spotkeeper::app {

class Instances {
 public:
  Instances(TaskGroup& group, aws::Client& client, const Clock& clock, std::string managed_tag);

  // Lists the tagged instances, until cancelled.
  Task<> keep_listing();

  // Told when listing fails, as often in a row.
  std::function<void(const Error&, int in_a_row)> on_failure;

  // It bears the tag, as far as was listed; false says nothing.
  bool is_tagged(const std::string& id) const { return tagged_.contains(id); }
  const std::set<std::string>& tagged() const { return tagged_; }
  bool listed() const { return listed_; }

  // What EC2 says of it; nothing: EC2 knows none of this id.
  Task<Result<std::optional<aws::Ec2Instance>>> find(std::string id);
  // What was said of it does not count any more.
  void forget(const std::string& id) { known_.erase(id); }
  bool bears_tag(const aws::Ec2Instance& instance) const {
    return instance.tags.contains(managed_tag_);
  }

 private:
  struct Known {
    std::optional<aws::Ec2Instance> instance;
    Time at{};
  };
  Task<> ask();

  TaskGroup& group_;
  aws::Client& client_;
  const Clock& clock_;
  std::string managed_tag_;
  std::set<std::string> tagged_;
  bool listed_ = false;
  std::map<std::string, Known> known_;
  std::set<std::string> wanted_;
  std::set<std::string> asked_;  // not answered yet
  std::optional<Error> failed_;  // the last question
  bool asking_ = false;
};

}  // namespace spotkeeper::app
