// SPDX-License-Identifier: Apache-2.0
// How to reach an API server and who we are there: from the pod's service account or from
// kubeconfig files. Values only; nothing is connected here. Failures are one line that names the
// file and the key, and never what a key holds.
// Sources: kubernetes.io "Accessing the Kubernetes API from a Pod", "Organizing Cluster Access
// Using kubeconfig Files", kubeconfig (v1) reference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "http/client.h"
#include "http/message.h"
#include "kube/exec_plugin.h"

namespace spotkeeper::kube {

struct Access {
  std::string server;       // "https://host:port", without a slash at its end
  http::ClientOptions tls;  // CA, client certificate, server name, proxy
  // Where tls.ca_pem, client_cert_pem and client_key_pem came from, to be read again when they are
  // replaced; empty where they were no files.
  std::string ca_file;
  std::string client_cert_file;
  std::string client_key_file;

  std::string token_file;          // read by Api and read again when it changes; wins over token
  Secret token;                    // a fixed bearer token; may be empty
  Secret basic;                    // "user:password" for HTTP Basic; may be empty
  std::optional<ExecPlugin> exec;  // a program that prints a token or a client certificate
  http::Headers impersonate;       // Impersonate-User …: as whom we act

  std::string description;  // for logs: "in cluster", "kubeconfig /root/.kube/config, context dev"
};

// Where a pod finds its service account.
inline constexpr const char* kServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

// From the service account of our own pod. `host` and `port` are KUBERNETES_SERVICE_HOST and
// KUBERNETES_SERVICE_PORT. kPermanent when one of them is empty or a file is missing.
Result<Access> in_cluster(const std::string& service_account_dir, const std::string& host,
                          const std::string& port);

// Which kubeconfig files count, as kubectl has it: the one that was named, else those of
// `kubeconfig` (the variable KUBECONFIG: a list with colons), else ~/.kube/config. Pure.
std::vector<std::string> kubeconfig_files(const std::string& named, const std::string& kubeconfig,
                                          const std::string& home);

// From kubeconfig files as if they were one: the first that has a cluster, user, context or
// current-context of a name wins. Of several files some may be missing, but not all. Empty
// `context` means current-context. Relative file names are relative to the folder of their
// kubeconfig.
Result<Access> from_kubeconfig(const std::vector<std::string>& files,
                               const std::string& context = "");
inline Result<Access> from_kubeconfig(const std::string& file, const std::string& context = "") {
  return from_kubeconfig(std::vector<std::string>{file}, context);
}

}  // namespace spotkeeper::kube
