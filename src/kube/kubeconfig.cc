// SPDX-License-Identifier: Apache-2.0
// Reading a kubeconfig file; see from_kubeconfig() in kube/access.h. What it says about
// precedence is client-go's: data before file, tokenFile before token.
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <vector>

#include "kube/access.h"
#include "kube/files.h"

namespace spotkeeper::kube {
namespace {

// One map of the file with the words that name it in messages.
struct Section {
  const std::string* file;
  std::string name;  // "clusters[dev].cluster"
  YAML::Node node;

  std::unexpected<Error> error(const std::string& key, const std::string& what) const {
    const std::string at = name.empty() || key.empty() ? name + key : name + "." + key;
    return permanent("kubeconfig " + *file + ": " + (at.empty() ? what : at + ": " + what));
  }

  YAML::Node child(const std::string& key) const {
    // const, because operator[] of a mutable node would add the key
    const YAML::Node& reader = node;
    return reader.IsMap() ? reader[key] : YAML::Node(YAML::NodeType::Undefined);
  }
  bool has(const std::string& key) const {
    const YAML::Node at = child(key);
    return at.IsDefined() && !at.IsNull();
  }

  // The scalar at `key`, empty where there is none.
  Result<std::string> text(const std::string& key) const {
    if (!has(key)) return std::string();
    const YAML::Node at = child(key);
    if (!at.IsScalar()) return error(key, "is not a string");
    return at.Scalar();
  }

  Result<bool> flag(const std::string& key) const {
    if (!has(key)) return false;
    const YAML::Node at = child(key);
    bool value = false;
    if (!at.IsScalar() || !YAML::convert<bool>::decode(at, value)) {
      return error(key, "is not true or false");
    }
    return value;
  }

  // A file name, made absolute by the kubeconfig's folder.
  Result<std::string> path(const std::string& key) const {
    Result<std::string> value = text(key);
    if (!value || value->empty()) return value;
    return (std::filesystem::path(*file).parent_path() / *value).string();
  }

  // PEM out of "<key>-data" or of the file that `key` names; empty where there is neither.
  Result<std::string> pem(const std::string& key) const {
    const Result<std::string> data = text(key + "-data");
    if (!data) return data;
    const Result<std::string> from = path(key);
    if (!from) return from;
    const std::string used = data->empty() ? key : key + "-data";
    Result<std::string> content = std::string();
    if (!data->empty()) {
      std::optional<std::string> plain = decode_base64(*data);
      if (!plain) return error(used, "is not base64");
      content = std::move(*plain);
    } else if (!from->empty()) {
      content = read_file(*from);
      if (!content) return error(used, content.error().message);
    }
    if (!content->empty() && content->find("-----BEGIN ") == std::string::npos) {
      return error(used, "is not PEM");
    }
    return content;
  }
};

// The entry of that name in a list such as "clusters": [{name, cluster: {…}}].
Result<Section> entry(const Section& root, const std::string& list, const std::string& inner,
                      const std::string& name) {
  const YAML::Node items = root.child(list);
  if (items.IsDefined() && items.IsSequence()) {
    for (const YAML::Node& item : items) {
      const Section outer{.file = root.file, .name = list + "[" + name + "]", .node = item};
      const Result<std::string> found = outer.text("name");
      if (!found || *found != name) continue;
      Section section{
          .file = root.file, .name = outer.name + "." + inner, .node = outer.child(inner)};
      if (!section.node.IsDefined() || !section.node.IsMap()) {
        return section.error("", "is not a map");
      }
      return section;
    }
  }
  return root.error(list, "there is no entry named \"" + name + "\"");
}

Result<void> read_cluster(const Section& cluster, Access& access) {
  Result<std::string> server = cluster.text("server");
  if (!server) return std::unexpected(server.error());
  if (!server->starts_with("https://") && !server->starts_with("http://")) {
    return cluster.error("server", "is not an http or https URL");
  }
  while (server->ends_with('/')) server->pop_back();
  const Result<std::string> ca = cluster.pem("certificate-authority");
  const Result<bool> insecure = cluster.flag("insecure-skip-tls-verify");
  const Result<std::string> server_name = cluster.text("tls-server-name");
  const Result<std::string> proxy = cluster.text("proxy-url");
  if (!ca) return std::unexpected(ca.error());
  if (!insecure) return std::unexpected(insecure.error());
  if (!server_name) return std::unexpected(server_name.error());
  if (!proxy) return std::unexpected(proxy.error());
  if (*insecure && !ca->empty()) {
    return cluster.error("insecure-skip-tls-verify", "cannot be combined with a CA");
  }
  access.server = *server;
  access.tls.ca_pem = *ca;
  access.tls.verify = !*insecure;
  access.tls.server_name = *server_name;
  access.tls.proxy = *proxy;
  return {};
}

// Ways to log in that need more than this file.
Result<void> refuse_plugins(const Section& user) {
  if (user.has("exec")) {
    const Section exec{.file = user.file, .name = user.name + ".exec", .node = user.child("exec")};
    const Result<std::string> command = exec.text("command");
    return user.error("exec", "exec credential plugins are not supported yet" +
                                  (command && !command->empty() ? " (" + *command + ")" : ""));
  }
  if (user.has("auth-provider")) {
    const Section provider{.file = user.file,
                           .name = user.name + ".auth-provider",
                           .node = user.child("auth-provider")};
    const Result<std::string> name = provider.text("name");
    return user.error("auth-provider", "auth providers are not supported yet" +
                                           (name && !name->empty() ? " (" + *name + ")" : ""));
  }
  for (const char* key : {"username", "password"}) {
    if (user.has(key)) return user.error(key, "basic authentication is not supported");
  }
  return {};
}

Result<void> read_user(const Section& user, Access& access) {
  if (const Result<void> plain = refuse_plugins(user); !plain) return plain;
  const Result<std::string> token = user.text("token");
  const Result<std::string> token_file = user.path("tokenFile");
  const Result<std::string> certificate = user.pem("client-certificate");
  const Result<std::string> key = user.pem("client-key");
  for (const Result<std::string>* each : {&token, &token_file, &certificate, &key}) {
    if (!*each) return std::unexpected(each->error());
  }
  if (!token_file->empty()) {
    if (const Result<std::string> content = read_file(*token_file); !content) {
      return user.error("tokenFile", content.error().message);
    }
  }
  if (certificate->empty() != key->empty()) {
    return certificate->empty() ? user.error("client-key", "there is no client-certificate to it")
                                : user.error("client-certificate", "there is no client-key to it");
  }
  access.token = Secret(*token);
  access.token_file = *token_file;
  access.tls.client_cert_pem = *certificate;
  access.tls.client_key_pem = Secret(*key);
  return {};
}

Result<Access> read_context(const Section& root, std::string name) {
  if (name.empty()) {
    const Result<std::string> current = root.text("current-context");
    if (!current) return std::unexpected(current.error());
    if (current->empty()) return root.error("current-context", "is not set");
    name = *current;
  }
  const Result<Section> context = entry(root, "contexts", "context", name);
  if (!context) return std::unexpected(context.error());
  const Result<std::string> cluster_name = context->text("cluster");
  if (!cluster_name) return std::unexpected(cluster_name.error());
  const Result<std::string> user_name = context->text("user");
  if (!user_name) return std::unexpected(user_name.error());

  Access access;
  access.description = "kubeconfig " + *root.file + ", context " + name;
  const Result<Section> cluster = entry(root, "clusters", "cluster", *cluster_name);
  if (!cluster) return std::unexpected(cluster.error());
  if (const Result<void> read = read_cluster(*cluster, access); !read) {
    return std::unexpected(read.error());
  }
  if (user_name->empty()) return access;  // anonymous
  const Result<Section> user = entry(root, "users", "user", *user_name);
  if (!user) return std::unexpected(user.error());
  if (const Result<void> read = read_user(*user, access); !read) {
    return std::unexpected(read.error());
  }
  return access;
}

}  // namespace

Result<Access> from_kubeconfig(const std::string& path, const std::string& context) {
  const Result<std::string> content = read_file(path);
  if (!content) return std::unexpected(content.error().within("kubeconfig"));
  try {
    const Section root{.file = &path, .name = "", .node = YAML::Load(*content)};
    if (!root.node.IsMap()) return root.error("", "is not a YAML map");
    return read_context(root, context);
  } catch (const YAML::Exception& broken) {
    return permanent("kubeconfig " + path + ": line " + std::to_string(broken.mark.line + 1) +
                     ": " + broken.msg);
  }
}

}  // namespace spotkeeper::kube
