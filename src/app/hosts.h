// SPDX-License-Identifier: Apache-2.0
// For the commands that people type: the cluster they mean, and the nodes they name.
#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "config/drain_options.h"
#include "kube/access.h"
#include "kube/api.h"
#include "kube/objects.h"

namespace spotkeeper::app {

// By --kubeconfig, KUBECONFIG, ~/.kube/config, or the service account of the pod we run in.
Result<kube::Access> find_access(const config::DrainOptions& options,
                                 const config::Environment& environment);

// The nodes that are named (by name, or by instance id; in their order), or that the selector
// selects; each once. kGone, with one line that names the host and where it stands, when one is not
// there.
Task<Result<std::vector<kube::Node>>> find_hosts(kube::Api& api, config::DrainOptions options);

// Names of all nodes, for completion: nothing when the cluster does not answer within 2 s.
std::vector<std::string> host_names(const config::Environment& environment);

}  // namespace spotkeeper::app
