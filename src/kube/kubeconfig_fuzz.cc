// SPDX-License-Identifier: Apache-2.0
// Kubeconfig files. A first line "# context NAME", a comment of YAML, chooses the context. Reading
// a kubeconfig must never start the plugin that it names: here that would run whatever was
// invented.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "base/fuzz.h"
#include "base/memory_file.h"
#include "kube/access.h"
#include "kube/exec_plugin.h"

namespace spotkeeper {
namespace {

constexpr std::string_view kContext = "# context ";

bool is_pem(const std::string& text) {
  return text.find("-----BEGIN ") != std::string::npos;
}

void check(const kube::ExecPlugin& plugin) {
  must(!plugin.command.empty(), "a plugin has a program");
  must(!plugin.command.contains('/') || plugin.command.starts_with('/'),
       "a program's path is absolute");
  for (const auto& [name, value] : plugin.env) {
    must(!name.empty() && !name.contains('='), "a variable has a name");
  }
  boost::system::error_code broken;
  const boost::json::value info = boost::json::parse(kube::exec_info(plugin, false), broken);
  must(!broken && info.at("apiVersion").as_string() == std::string_view(plugin.api_version) &&
           info.at("spec").is_object(),
       "what a plugin is told can be read");
}

void check(const kube::Access& access) {
  must(access.server.starts_with("http://") || access.server.starts_with("https://"),
       "the server is a URL");
  must(!access.server.ends_with('/'), "the server's URL ends without a slash");
  const http::ClientOptions& tls = access.tls;
  must(tls.ca_pem.empty() || (is_pem(tls.ca_pem) && tls.verify), "a CA is PEM, and used");
  must(tls.client_cert_pem.empty() == tls.client_key_pem.empty(), "a certificate has its key");
  must(tls.client_cert_pem.empty() ||
           (is_pem(tls.client_cert_pem) && is_pem(tls.client_key_pem.reveal())),
       "certificate and key are PEM");
  must(access.token_file.empty() || access.token_file.starts_with('/'), "file names are absolute");
  must(access.description.starts_with("kubeconfig "), "the description says where it is from");
  if (access.exec) check(*access.exec);
}

}  // namespace

void fuzz(std::string_view input) {
  static const MemoryFile file;
  file.put(input);
  std::string context;
  if (input.starts_with(kContext)) {
    context = input.substr(kContext.size(), input.find('\n') - kContext.size());
  }
  const Result<kube::Access> access = kube::from_kubeconfig(file.path(), context);
  if (access) return check(*access);
  must(access.error().kind == ErrorKind::kPermanent, "a bad file stays bad");
  must(access.error().message.starts_with("kubeconfig"), "the message names the kubeconfig");
  must(access.error().message.contains(file.path()), "the message names the file");
}

}  // namespace spotkeeper
