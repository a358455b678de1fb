// SPDX-License-Identifier: Apache-2.0
#include "app/process.h"

#include <fmt/format.h>

namespace spotkeeper::app {

Result<kube::Access> find_cluster(const config::AgentOptions& options) {
  if (!options.kubeconfig.empty()) {
    return kube::from_kubeconfig(kube::kubeconfig_files("", options.kubeconfig, ""),
                                 options.kube_context);
  }
  return kube::in_cluster(options.service_account_dir, options.kubernetes_service_host,
                          options.kubernetes_service_port);
}

void say_configuration(observe::Log& log, const std::string& command, const config::Flags& flags) {
  const auto values = config::values_of(flags);
  if (log.json()) return log.info("configuration", values);
  std::string lines = command + "'s configuration:\n";
  for (const auto& [name, value] : values) lines += fmt::format("\t{}: {}\n", name, value);
  log.print(lines);
}

}  // namespace spotkeeper::app
