// SPDX-License-Identifier: Apache-2.0
// The operator's policy file while the agent runs: read again when it has changed. A version that
// is wrong is said once, and the last good rules stay.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "core/rules.h"
#include "observe/log.h"

namespace spotkeeper::app {

class PolicyReload {
 public:
  using Changed = std::function<void(const std::vector<core::Rule>& rules)>;

  // `rules` hold now; `changed` is told of others. `path` is followed at each look: Kubernetes
  // swaps a symlink when a ConfigMap changes.
  PolicyReload(std::string path, std::vector<core::Rule> rules, observe::Log& log, Changed changed);

  // Looks every 5 s, the first time at once, until cancelled.
  Task<> run();

  // Reads the file if it is another than at the last look; the first look always does.
  void look();

 private:
  // What tells a file from the one that replaces it; all zero where there is none.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t modified_s = 0;
    int64_t modified_ns = 0;

    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const std::string& path);

  std::string path_;
  std::vector<core::Rule> rules_;
  observe::Log& log_;
  Changed changed_;
  Stamp seen_;
  bool looked_ = false;
};

}  // namespace spotkeeper::app
