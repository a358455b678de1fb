// SPDX-License-Identifier: Apache-2.0
#include "kube/kubeconfig_exec.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <utility>

#include "kube/files.h"

namespace spotkeeper::kube {
namespace {

namespace json = boost::json;
using Interactive = ExecPlugin::Interactive;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";
constexpr const char* kV1Beta1 = "client.authentication.k8s.io/v1beta1";
constexpr const char* kExtension = "client.authentication.k8s.io/exec";
constexpr int kDeepest = 20;

// Linux takes no more into one variable. Aliases of aliases grow exponentially when written out.
constexpr size_t kMostText = size_t{128} * 1024;

// YAML as JSON, as Kubernetes converts it: plain scalars by their looks, quoted ones as strings.
// What is too deep, or does not fit into `room` characters any more, is null.
json::value to_json(const YAML::Node& node, size_t& room, int depth = 0) {
  const size_t size = node.Scalar().size() + 1;
  if (depth > kDeepest || size > room) return nullptr;
  room -= size;
  if (node.IsSequence()) {
    json::array list;
    for (const YAML::Node& item : node) list.push_back(to_json(item, room, depth + 1));
    return list;
  }
  if (node.IsMap()) {
    json::object map;
    for (const auto& member : node) {
      const std::string& key = member.first.Scalar();
      room -= std::min(room, key.size());
      map[key] = to_json(member.second, room, depth + 1);
    }
    return map;
  }
  if (!node.IsScalar()) return nullptr;
  if (node.Tag() == "!") return json::value(node.Scalar());
  bool flag = false;
  if (YAML::convert<bool>::decode(node, flag)) return flag;
  int64_t whole = 0;
  if (YAML::convert<int64_t>::decode(node, whole)) return whole;
  double number = 0;
  if (YAML::convert<double>::decode(node, number)) return number;
  return json::value(node.Scalar());
}

// ExecCredential's spec.cluster.
std::string cluster_info(const Section& cluster, const Access& access) {
  json::object info{{"server", access.server}};
  if (!access.tls.server_name.empty()) info["tls-server-name"] = access.tls.server_name;
  if (!access.tls.verify) info["insecure-skip-tls-verify"] = true;
  if (!access.tls.ca_pem.empty()) {
    info["certificate-authority-data"] = encode_base64(access.tls.ca_pem);
  }
  if (const Result<std::string> proxy = cluster.text("proxy-url"); proxy && !proxy->empty()) {
    info["proxy-url"] = *proxy;
  }
  info["config"] = nullptr;
  size_t room = kMostText;
  if (const auto extensions = cluster.maps("extensions")) {
    for (const Section& each : *extensions) {
      const Result<std::string> name = each.text("name");
      if (name && *name == kExtension) info["config"] = to_json(each.at("extension").node, room);
    }
  }
  return json::serialize(info);
}

// A path is relative to the kubeconfig; a mere name is looked up in PATH.
std::string command_path(const Section& exec, const std::string& command) {
  if (command.find('/') == std::string::npos) return command;
  const auto folder = std::filesystem::absolute(exec.file).parent_path();
  return (folder / command).lexically_normal().string();
}

Result<Interactive> interactive_mode(const Section& exec, const std::string& version) {
  const Result<std::string> mode = exec.text("interactiveMode");
  if (!mode) return std::unexpected(mode.error());
  if (*mode == "Never") return Interactive::kNever;
  if (*mode == "Always") return Interactive::kAlways;
  if (*mode == "IfAvailable" || (mode->empty() && version == kV1Beta1)) {
    return Interactive::kIfAvailable;
  }
  return exec.error("interactiveMode", "is not Never, IfAvailable or Always");
}

}  // namespace

Result<ExecPlugin> read_exec(const Section& user, const Section& cluster, const Access& access) {
  const Section exec = user.at("exec");
  if (!exec.node.IsMap()) return user.error("exec", "is not a map");
  const Result<std::string> command = exec.text("command");
  Result<std::string> version = exec.text("apiVersion");
  Result<std::vector<std::string>> args = exec.texts("args");
  const Result<std::vector<Section>> env = exec.maps("env");
  Result<std::string> hint = exec.text("installHint");
  const Result<bool> with_cluster = exec.flag("provideClusterInfo");
  if (!command) return std::unexpected(command.error());
  if (!version) return std::unexpected(version.error());
  if (!args) return std::unexpected(args.error());
  if (!env) return std::unexpected(env.error());
  if (!hint) return std::unexpected(hint.error());
  if (!with_cluster) return std::unexpected(with_cluster.error());
  if (command->empty()) return exec.error("command", "is not set");
  if (*version != kV1 && *version != kV1Beta1) {
    return exec.error("apiVersion", "is not " + std::string(kV1) + " or " + kV1Beta1 +
                                        "; update the plugin and its kubeconfig entry");
  }
  const Result<Interactive> interactive = interactive_mode(exec, *version);
  if (!interactive) return std::unexpected(interactive.error());

  ExecPlugin plugin{.place = "kubeconfig " + exec.file + ": " + exec.name,
                    .command = command_path(exec, *command),
                    .args = std::move(*args),
                    .api_version = std::move(*version),
                    .interactive = *interactive,
                    .install_hint = std::move(*hint)};
  for (const Section& each : *env) {
    const Result<std::string> name = each.text("name");
    const Result<std::string> value = each.text("value");
    if (!name) return std::unexpected(name.error());
    if (!value) return std::unexpected(value.error());
    if (name->empty() || name->find('=') != std::string::npos) {
      return each.error("name", "is not the name of a variable");
    }
    plugin.env.emplace_back(*name, *value);
  }
  if (*with_cluster) plugin.cluster = cluster_info(cluster, access);
  return plugin;
}

}  // namespace spotkeeper::kube
