// SPDX-License-Identifier: Apache-2.0
// The "exec" member of a kubeconfig's user; for kubeconfig.cc only. Errors name file and key.
#pragma once

#include "base/result.h"
#include "kube/access.h"
#include "kube/exec_plugin.h"
#include "kube/kubeconfig_section.h"

namespace spotkeeper::kube {

// `access` has the cluster already: provideClusterInfo hands it to the plugin.
Result<ExecPlugin> read_exec(const Section& user, const Section& cluster, const Access& access);

}  // namespace spotkeeper::kube
