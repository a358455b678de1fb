// SPDX-License-Identifier: Apache-2.0
// A credential plugin: a program named in a kubeconfig (aws eks get-token, kubelogin,
// gke-gcloud-auth-plugin) that prints a token or a client certificate. Values, running it once, and
// reading what it printed; who runs it when is kube/plugin_credential.h.
//
// Failures name the kubeconfig, the user and the command, and never what the program printed:
// kPermanent when it cannot be started at all, else kRetryable (it may work later: an expired
// login, a cloud that does not answer). Its stderr is ours: what it says reaches the person.
// Source: Kubernetes client.authentication.k8s.io/v1 and v1beta1, "client-go credential plugins".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"

namespace spotkeeper::kube {

struct ExecPlugin {
  enum class Interactive { kNever, kIfAvailable, kAlways };

  std::string place;    // "kubeconfig /root/.kube/config: users[dev].user.exec", for messages
  std::string command;  // a path with a slash, or a name that is looked up in PATH
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> env = {};  // in addition to our own
  std::string api_version = "client.authentication.k8s.io/v1";
  Interactive interactive = Interactive::kNever;
  std::string install_hint = {};
  std::string cluster = {};             // provideClusterInfo: spec.cluster as JSON; else empty
  Millis timeout{60'000};               // then it is killed
  Millis interactive_timeout{600'000};  // the same, when it may ask a person at a terminal
};

struct ExecCredential {
  Secret token = Secret();
  std::string client_cert_pem = {};
  Secret client_key_pem = Secret();
  std::optional<Time> expires = std::nullopt;
};

// What a plugin printed; the error says only what is wrong. Pure.
Result<ExecCredential> decode_exec_credential(std::string_view text,
                                              const std::string& api_version);

// KUBERNETES_EXEC_INFO for the plugin. Pure.
std::string exec_info(const ExecPlugin& plugin, bool interactive);

Task<Result<ExecCredential>> run_exec_plugin(ExecPlugin plugin);

}  // namespace spotkeeper::kube
