// SPDX-License-Identifier: Apache-2.0
#include "kube/exec_plugin.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/json.h"
#include "kube/program.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;

constexpr size_t kMostOutput = size_t{1024} * 1024;
constexpr const char* kExecInfo = "KUBERNETES_EXEC_INFO";

// Our environment with the plugin's own settings in place of ours.
std::vector<std::string> environment(const ExecPlugin& plugin, const std::string& info) {
  std::vector<std::string> all;
  const auto is_replaced = [&](std::string_view name) {
    return name == kExecInfo ||
           std::ranges::any_of(plugin.env, [&](const auto& each) { return each.first == name; });
  };
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view line = *each;
    if (!is_replaced(line.substr(0, line.find('=')))) all.emplace_back(line);
  }
  for (const auto& [name, value] : plugin.env) all.push_back(name + "=" + value);
  all.push_back(std::string(kExecInfo) + "=" + info);
  return all;
}

std::unexpected<Error> failed(const ExecPlugin& plugin, ErrorKind kind, const std::string& what) {
  return std::unexpected(Error{.kind = kind,
                               .message = plugin.place + ": \"" + plugin.command + "\" " + what,
                               .reason = {}});
}

std::unexpected<Error> not_started(const ExecPlugin& plugin, const Error& error) {
  std::string what = error.message;
  if (error.reason == "NotFound") {
    what += plugin.command.find('/') == std::string::npos ? " in PATH" : "";
    what += "; ";
    // a hint may have several lines, an error has one
    std::string hint =
        plugin.install_hint.empty() ? "install it, or correct the command" : plugin.install_hint;
    std::ranges::replace_if(hint, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
    what += hint;
  }
  return failed(plugin, error.kind, what);
}

}  // namespace

std::string exec_info(const ExecPlugin& plugin, bool interactive) {
  json::object spec{{"interactive", interactive}};
  boost::system::error_code broken;
  if (!plugin.cluster.empty()) spec["cluster"] = json::parse(plugin.cluster, broken);
  json::object info{{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}};
  info["spec"] = std::move(spec);
  return json::serialize(info);
}

Result<ExecCredential> decode_exec_credential(std::string_view text,
                                              const std::string& api_version) {
  boost::system::error_code broken;
  const json::value answer = json::parse(text, broken);
  if (broken) return retryable("printed no JSON");
  if (text_at(answer, {"kind"}) != "ExecCredential") {
    return retryable("printed no object of kind ExecCredential");
  }
  if (text_at(answer, {"apiVersion"}) != api_version) {
    return retryable("answered in another version than " + api_version +
                     "; correct apiVersion in the kubeconfig");
  }
  ExecCredential credential{.token = Secret(text_at(answer, {"status", "token"})),
                            .client_cert_pem = text_at(answer, {"status", "clientCertificateData"}),
                            .client_key_pem = Secret(text_at(answer, {"status", "clientKeyData"}))};
  const std::string& token = credential.token.reveal();
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; })) {
    return retryable("printed a token with characters that cannot be sent");
  }
  if (credential.client_cert_pem.empty() != credential.client_key_pem.empty()) {
    return retryable("printed a client certificate without its key, or the reverse");
  }
  if (token.empty() && credential.client_cert_pem.empty()) {
    return retryable("printed neither a token nor a client certificate");
  }
  if (const json::value* expiry = find(answer, {"status", "expirationTimestamp"})) {
    Time expires;
    if (!parse_time(text_at(*expiry, {}), expires)) {
      return retryable("printed an expirationTimestamp that is no RFC 3339 time");
    }
    credential.expires = expires;
  }
  return credential;
}

Task<Result<ExecCredential>> run_exec_plugin(ExecPlugin plugin) {
  using Interactive = ExecPlugin::Interactive;
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  if (plugin.interactive == Interactive::kAlways && !terminal) {
    co_return failed(plugin, ErrorKind::kPermanent,
                     "wants to ask a person, and standard input is no terminal; use a "
                     "non-interactive way to log in");
  }
  const bool interactive = terminal && plugin.interactive != Interactive::kNever;
  Program program{.argv = {plugin.command},
                  .env = environment(plugin, exec_info(plugin, interactive)),
                  .inherits_stdin = interactive};
  program.argv.insert(program.argv.end(), plugin.args.begin(), plugin.args.end());
  const Millis at_most = interactive ? plugin.interactive_timeout : plugin.timeout;
  const Result<ProgramEnd> end = co_await run_program(std::move(program), kMostOutput, at_most);
  if (!end) co_return not_started(plugin, end.error());
  if (end->signal != 0 || end->exit_code != 0) {
    const std::string how = end->signal != 0
                                ? "was ended by signal " + std::to_string(end->signal)
                                : "ended with exit code " + std::to_string(end->exit_code);
    co_return failed(plugin, ErrorKind::kRetryable, how + "; run it by hand to see why");
  }
  Result<ExecCredential> credential = decode_exec_credential(end->output, plugin.api_version);
  if (!credential) {
    co_return failed(plugin, credential.error().kind, credential.error().message);
  }
  co_return credential;
}

}  // namespace spotkeeper::kube
