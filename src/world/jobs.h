// SPDX-License-Identifier: Apache-2.0
// The Job controller: counts pods that ended (each has its finalizer until it is counted), backs
// off before a retry, gives up after backoffLimit. Without a podFailurePolicy a pod that is told to
// end counts as failed and is replaced without waiting for its end (podReplacementPolicy
// TerminatingOrFailed).
#pragma once

#include "world/context.h"

namespace spotkeeper::world {

inline constexpr const char* kJobFinalizer = "batch.kubernetes.io/job-tracking";

class Jobs {
 public:
  explicit Jobs(Context& context);
  void on(const Event& event);

 private:
  struct Failures {
    int in_a_row = 0;
    Time last{};
  };
  void sync(const Key& key);
  // Takes the finalizer off pods that have ended and adds them up.
  void count(const Job& job, Job::Status& status);
  void judge(const Job& job, Job::Status& status);
  void make_pods(const Job& job, Job::Status& status);

  Context& context_;
  WorkQueue queue_;
  std::map<Uid, Failures> failures_;
};

}  // namespace spotkeeper::world
