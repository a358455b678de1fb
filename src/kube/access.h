// SPDX-License-Identifier: Apache-2.0
// How to reach an API server and who we are there: from the pod's service account or from a
// kubeconfig file. Values only; nothing is connected here. Failures are one line that names the
// file and the key, and never what a key holds.
// Sources: kubernetes.io "Accessing the Kubernetes API from a Pod", client.authentication and
// kubeconfig (v1) reference.
#pragma once

#include <string>

#include "base/result.h"
#include "base/strong.h"
#include "http/client.h"

namespace spotkeeper::kube {

struct Access {
  std::string server;       // "https://host:port", without a slash at its end
  http::ClientOptions tls;  // CA, client certificate, server name, proxy
  std::string token_file;   // read by Api and read again when it changes; wins over token
  Secret token;             // a fixed bearer token; may be empty
  std::string description;  // for logs: "in cluster", "kubeconfig /root/.kube/config, context dev"
};

// Where a pod finds its service account.
inline constexpr const char* kServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

// From the service account of our own pod. `host` and `port` are KUBERNETES_SERVICE_HOST and
// KUBERNETES_SERVICE_PORT. kPermanent when one of them is empty or a file is missing.
Result<Access> in_cluster(const std::string& service_account_dir, const std::string& host,
                          const std::string& port);

// From one kubeconfig file; empty `context` means its current-context. Relative file names in it
// are relative to its folder. Users that need a plugin (exec, auth-provider) are kPermanent.
Result<Access> from_kubeconfig(const std::string& path, const std::string& context = "");

}  // namespace spotkeeper::kube
