// SPDX-License-Identifier: Apache-2.0
#include "kube/access.h"

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
  access.tls.ca_file = service_account_dir + "/ca.crt";
  access.description = "in cluster, " + access.server;
  for (const std::string& file : {access.token_file, access.tls.ca_file}) {
    if (const Result<std::string> content = read_file(file); !content) {
      return std::unexpected(content.error().within("service account"));
    }
  }
  return access;
}

}  // namespace spotkeeper::kube
