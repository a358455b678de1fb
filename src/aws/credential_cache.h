// SPDX-License-Identifier: Apache-2.0
// Credentials kept in memory: fetched when there are none, renewed ahead of their end (15 to 20
// minutes, spread by chance so that a fleet does not ask all at once; half their life where that is
// less), and fetched anew when AWS refused them. Owned by the app; the group's tasks must end
// before this does.
//
// One fetch at a time, shared by all. Who asks while there are good ones gets them at once, and the
// renewal runs in the background; a renewal that fails is told of once and tried again at growing
// pauses. Only without good ones do callers wait for the fetch, and get its Error; it is not tried
// again for 2 s then.
//
// Static stability (`stable`, for the instance's role): credentials that have expired go on being
// used, with one warning, while there are no others: AWS extends them when its own renewal fails.
// Credentials that AWS refused are never used again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/shared_run.h"
#include "async/task.h"
#include "async/task_group.h"
#include "aws/credentials.h"
#include "base/clock.h"

namespace spotkeeper::aws {

// Where credentials come from; each fetch() is a new one. Errors as in aws/credentials.h.
class CredentialFetcher {
 public:
  virtual ~CredentialFetcher() = default;
  virtual Task<Result<Credentials>> fetch() = 0;
};

// Told in a sentence of what is not in order, and of no secret.
using Warn = std::function<void(const std::string&)>;

// When to renew credentials that were had at `now`. `jitter` in [0, 1). Pure.
Time renew_at(Time now, Time expires, double jitter);

class CredentialCache final : public CredentialSource {
 public:
  CredentialCache(TaskGroup& tasks, std::unique_ptr<CredentialFetcher> fetcher, const Clock& clock,
                  bool stable, Warn warn);

  Task<Result<Credentials>> get() override;
  void refused(const Credentials& used) override;

 private:
  bool is_good(Time now) const;
  void keep(Credentials credentials);
  void start_renewal();
  void tell_expired();
  Task<> renew(std::unique_ptr<SharedRun::Running> running);
  Task<> run();

  TaskGroup& tasks_;
  std::unique_ptr<CredentialFetcher> fetcher_;
  const Clock& clock_;
  const bool stable_;
  Warn warn_;
  std::optional<Credentials> current_;
  Time good_until_{};
  Time renew_at_{};
  bool told_expired_ = false;
  SharedRun fetches_;
};

}  // namespace spotkeeper::aws
