// SPDX-License-Identifier: Apache-2.0
#include "kube/access.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "kube/files.h"

namespace spotkeeper::kube {

Result<Access> in_cluster(const std::string& service_account_dir, const std::string& host,
                          const std::string& port) {
  if (host.empty() || port.empty()) {
    return permanent(
        "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set");
  }
  const bool ipv6 = host.find(':') != std::string::npos && host.front() != '[';
  Access access;
  access.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  access.token_file = service_account_dir + "/token";
  access.ca_file = service_account_dir + "/ca.crt";
  access.description = "in cluster, " + access.server;
  if (const Result<std::string> token = read_file(access.token_file); !token) {
    return std::unexpected(token.error().within("service account"));
  }
  Result<std::string> ca = read_file(access.ca_file);
  if (!ca) return std::unexpected(ca.error().within("service account"));
  if (ca->find("-----BEGIN ") == std::string::npos) {
    return permanent("service account: " + access.ca_file + " is not PEM");
  }
  access.tls.ca_pem = std::move(*ca);
  return access;
}

std::vector<std::string> kubeconfig_files(const std::string& named, const std::string& kubeconfig,
                                          const std::string& home) {
  if (!named.empty()) return {named};
  std::vector<std::string> files;
  for (const auto part : std::views::split(kubeconfig, ':')) {
    std::string file(part.begin(), part.end());
    if (file.empty() || std::ranges::find(files, file) != files.end()) continue;
    files.push_back(std::move(file));
  }
  if (files.empty() && !home.empty()) files.push_back(home + "/.kube/config");
  return files;
}

}  // namespace spotkeeper::kube
