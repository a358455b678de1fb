// SPDX-License-Identifier: Apache-2.0
// A plan made true through AWS's API: each part is looked at first, and made, changed or left as it
// is. Told step by step; the first failure ends it. Hooks come last: from then on instances wait
// for somebody.
#pragma once

#include <functional>
#include <string>

#include "async/task.h"
#include "aws/client.h"
#include "base/result.h"
#include "bootstrap/plan.h"

namespace spotkeeper::app {

struct Creating {
  aws::Client& client;
  aws::Client& iam;
  bootstrap::Plan plan;
  bool dry_run = false;
  // "created", "changed", "exists", "would create", "would change"; what of: "queue spotkeeper".
  std::function<void(const std::string& done, const std::string& what)> step;
};

// Once more changes nothing. The clients must outlive it. An Error says which step failed.
Task<Result<void>> create_in_aws(Creating creating);

}  // namespace spotkeeper::app
