// SPDX-License-Identifier: Apache-2.0
// What is read once of the Deployments whose pods may be handed over, and of what stands around
// them. effects/workload_watch.h follows the rest; a plan that nobody carries out has enough of
// this. What cannot be read is weather, tried a few times, or forbidden; either is a reason not to
// hand over. The Api must outlive the calls.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task.h"
#include "effects/workload_book.h"
#include "kube/api.h"

namespace spotkeeper::effects {

// "its Deployment may not be read".
std::string unread(const Error& error, const std::string& what);

// The namespace's volume claims that many hosts at once may have; none when they cannot be read.
Task<std::set<std::string>> read_shared_claims(kube::Api& api, std::string ns);

// Why nothing of the namespace can be handed over: who selects pods by the label that a release
// changes would lose them. Empty: nothing is in the way.
Task<std::string> read_hash_selectors(kube::Api& api, std::string ns);

struct WorkloadLook {
  WorkloadBook::Observations groups;  // whether they can be handed over; their pods are not counted
  std::map<std::string, std::set<std::string>> shared_claims;  // by namespace
  std::optional<Error> unread;                                 // Deployments
};

// For the sake of these pods.
Task<WorkloadLook> look_at_workloads(kube::Api& api, std::vector<kube::Pod> pods);

}  // namespace spotkeeper::effects
