// SPDX-License-Identifier: Apache-2.0
// Who our host is, by instance metadata: asked once, and again at growing pauses while it does not
// answer. The client must outlive it.
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "aws/imds.h"
#include "tell/instance.h"

namespace spotkeeper::app {

class Identity {
 public:
  explicit Identity(aws::ImdsClient& imds) : imds_(imds) {}

  // Ends when everything is known that is to be known.
  Task<> run();

  bool known() const { return known_; }
  const tell::Instance& instance() const { return instance_; }

 private:
  Task<bool> look();
  Task<bool> take(std::string& field, std::string path);

  aws::ImdsClient& imds_;
  tell::Instance instance_;
  bool known_ = false;
};

}  // namespace spotkeeper::app
