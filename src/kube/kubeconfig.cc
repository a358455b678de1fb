// SPDX-License-Identifier: Apache-2.0
// Reading kubeconfig files; see from_kubeconfig() in kube/access.h. What it says about precedence
// is client-go's: data before file, tokenFile before token, a token before a plugin, and of several
// files the first that has an entry.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/access.h"
#include "kube/api.h"
#include "kube/files.h"
#include "kube/kubeconfig_exec.h"
#include "kube/kubeconfig_section.h"

namespace spotkeeper::kube {
namespace {

using Roots = std::vector<Section>;

// The entry of that name in lists such as "clusters": [{name, cluster: {…}}]; the first file that
// has it wins.
Result<Section> entry(const Roots& roots, const std::string& list, const std::string& inner,
                      const std::string& name) {
  for (const Section& root : roots) {
    const Section items = root.at(list);
    if (!items.node.IsDefined() || !items.node.IsSequence()) continue;
    for (const YAML::Node& item : items.node) {
      const Section outer{.file = root.file, .name = list + "[" + name + "]", .node = item};
      const Result<std::string> found = outer.text("name");
      if (!found || *found != name) continue;
      Section section = outer.at(inner);
      if (!section.node.IsDefined() || !section.node.IsMap()) {
        return section.error("", "is not a map");
      }
      return section;
    }
  }
  return roots.front().error(list, "there is no entry named \"" + name + "\"");
}

bool is_one_of(std::string_view scheme, const std::string& url) {
  return url.starts_with(scheme) && url.size() > scheme.size();
}

// Go's SOCKS client leaves the resolving of names to the proxy, which curl calls socks5h.
Result<std::string> proxy_url(const Section& cluster) {
  Result<std::string> url = cluster.text("proxy-url");
  if (!url || url->empty() || is_one_of("http://", *url) || is_one_of("https://", *url)) return url;
  constexpr std::string_view kSocks = "socks5://";
  if (is_one_of(kSocks, *url)) return "socks5h://" + url->substr(kSocks.size());
  return cluster.error("proxy-url", "is not an http, https or socks5 URL");
}

Result<void> read_cluster(const Section& cluster, Access& access) {
  Result<std::string> server = cluster.text("server");
  if (!server) return std::unexpected(server.error());
  while (server->ends_with('/')) server->pop_back();  // before the look: "https://" is no URL
  if (!server->starts_with("https://") && !server->starts_with("http://")) {
    return cluster.error("server", "is not an http or https URL");
  }
  Result<Pem> ca = cluster.pem("certificate-authority");
  const Result<bool> insecure = cluster.flag("insecure-skip-tls-verify");
  const Result<std::string> server_name = cluster.text("tls-server-name");
  const Result<std::string> proxy = proxy_url(cluster);
  if (!ca) return std::unexpected(ca.error());
  if (!insecure) return std::unexpected(insecure.error());
  if (!server_name) return std::unexpected(server_name.error());
  if (!proxy) return std::unexpected(proxy.error());
  if (*insecure && !ca->text.empty()) {
    return cluster.error("insecure-skip-tls-verify", "cannot be combined with a CA");
  }
  access.server = *server;
  access.ca_file = ca->file;
  access.tls.ca_pem = std::move(ca->text);
  access.tls.verify = !*insecure;
  access.tls.server_name = *server_name;
  access.tls.proxy = *proxy;
  return {};
}

Result<void> read_certificate(const Section& user, Access& access) {
  Result<Pem> certificate = user.pem("client-certificate");
  Result<Pem> key = user.pem("client-key");
  if (!certificate) return std::unexpected(certificate.error());
  if (!key) return std::unexpected(key.error());
  if (certificate->text.empty() != key->text.empty()) {
    return certificate->text.empty()
               ? user.error("client-key", "there is no client-certificate to it")
               : user.error("client-certificate", "there is no client-key to it");
  }
  access.client_cert_file = certificate->file;
  access.client_key_file = key->file;
  access.tls.client_cert_pem = std::move(certificate->text);
  access.tls.client_key_pem = Secret(std::move(key->text));
  return {};
}

Result<void> read_token(const Section& user, Access& access) {
  const Result<std::string> token = user.text("token");
  const Result<std::string> token_file = user.path("tokenFile");
  const Result<std::string> username = user.text("username");
  const Result<std::string> password = user.text("password");
  for (const Result<std::string>* each : {&token, &token_file, &username, &password}) {
    if (!*each) return std::unexpected((*each).error());
  }
  if (!token_file->empty()) {
    if (const Result<std::string> content = read_file(*token_file); !content) {
      return user.error("tokenFile", content.error().message);
    }
  }
  access.token = Secret(*token);
  access.token_file = *token_file;
  if (username->empty() && password->empty()) return {};
  if (!token->empty() || !token_file->empty()) {
    return user.error("username", "cannot be combined with a token");
  }
  access.basic = Secret(*username + ":" + *password);
  return {};
}

// Impersonate-User and its companions.
Result<void> read_impersonation(const Section& user, http::Headers& headers) {
  const Result<std::string> as = user.text("as");
  const Result<std::string> uid = user.text("as-uid");
  const Result<std::vector<std::string>> groups = user.texts("as-groups");
  if (!as) return std::unexpected(as.error());
  if (!uid) return std::unexpected(uid.error());
  if (!groups) return std::unexpected(groups.error());
  const bool more = !uid->empty() || !groups->empty() || user.has("as-user-extra");
  if (as->empty()) {
    return more
               ? Result<void>(user.error("as", "is not set, as-uid, as-groups or as-user-extra is"))
               : Result<void>();
  }
  headers.push_back({.name = "Impersonate-User", .value = *as});
  if (!uid->empty()) headers.push_back({.name = "Impersonate-Uid", .value = *uid});
  for (const std::string& group : *groups) {
    headers.push_back({.name = "Impersonate-Group", .value = group});
  }
  if (!user.has("as-user-extra")) return {};
  const Section extra = user.at("as-user-extra");
  if (!extra.node.IsMap()) return extra.error("", "is not a map");
  for (const auto& member : extra.node) {
    const std::string key = member.first.Scalar();
    const Result<std::vector<std::string>> values = extra.texts(key);
    if (!values) return std::unexpected(values.error());
    for (const std::string& value : *values) {
      headers.push_back({.name = "Impersonate-Extra-" + percent_encode(key), .value = value});
    }
  }
  return {};
}

Result<void> read_user(const Section& user, const Section& cluster, Access& access) {
  if (user.has("auth-provider")) {
    const Result<std::string> name = user.at("auth-provider").text("name");
    return user.error("auth-provider",
                      (name && !name->empty() ? *name + ": " : "") +
                          "Kubernetes has removed auth providers; use an exec plugin "
                          "(kubelogin, gke-gcloud-auth-plugin)");
  }
  for (const Result<void>& read : {read_certificate(user, access), read_token(user, access),
                                   read_impersonation(user, access.impersonate)}) {
    if (!read) return read;
  }
  const bool has_token =
      !access.token.empty() || !access.token_file.empty() || !access.basic.empty();
  if (!user.has("exec") || has_token) return {};
  Result<ExecPlugin> plugin = read_exec(user, cluster, access);
  if (!plugin) return std::unexpected(plugin.error());
  access.exec = std::move(*plugin);
  return {};
}

Result<std::string> current_context(const Roots& roots) {
  for (const Section& root : roots) {
    Result<std::string> current = root.text("current-context");
    if (!current || !current->empty()) return current;
  }
  return roots.front().error("current-context", "is not set");
}

Result<Access> read_context(const Roots& roots, std::string name) {
  if (name.empty()) {
    Result<std::string> current = current_context(roots);
    if (!current) return std::unexpected(current.error());
    name = std::move(*current);
  }
  const Result<Section> context = entry(roots, "contexts", "context", name);
  if (!context) return std::unexpected(context.error());
  const Result<std::string> cluster_name = context->text("cluster");
  if (!cluster_name) return std::unexpected(cluster_name.error());
  const Result<std::string> user_name = context->text("user");
  if (!user_name) return std::unexpected(user_name.error());

  Access access;
  access.description = "kubeconfig " + context->file + ", context " + name;
  const Result<Section> cluster = entry(roots, "clusters", "cluster", *cluster_name);
  if (!cluster) return std::unexpected(cluster.error());
  if (const Result<void> read = read_cluster(*cluster, access); !read) {
    return std::unexpected(read.error());
  }
  if (user_name->empty()) return access;  // anonymous
  const Result<Section> user = entry(roots, "users", "user", *user_name);
  if (!user) return std::unexpected(user.error());
  if (const Result<void> read = read_user(*user, *cluster, access); !read) {
    return std::unexpected(read.error());
  }
  return access;
}

Result<Section> load(const std::string& file) {
  const Result<std::string> content = read_file(file);
  if (!content) return std::unexpected(content.error().within("kubeconfig"));
  try {
    Section root{.file = file, .name = "", .node = YAML::Load(*content)};
    if (!root.node.IsMap()) return root.error("", "is not a YAML map");
    return root;
  } catch (const YAML::Exception& broken) {
    return permanent("kubeconfig " + file + ": line " + std::to_string(broken.mark.line + 1) +
                     ": " + broken.msg);
  }
}

std::string joined(const std::vector<std::string>& files) {
  std::string all;
  for (const std::string& file : files) all += (all.empty() ? "" : ", ") + file;
  return all;
}

}  // namespace

Result<Access> from_kubeconfig(const std::vector<std::string>& files, const std::string& context) {
  if (files.empty()) return permanent("no kubeconfig: name one, or set KUBECONFIG or HOME");
  Roots roots;
  for (const std::string& file : files) {
    std::error_code unknown;
    if (files.size() > 1 && !std::filesystem::exists(file, unknown)) continue;
    Result<Section> root = load(file);
    if (!root) return std::unexpected(root.error());
    roots.push_back(std::move(*root));
  }
  if (roots.empty()) return permanent("no kubeconfig: none of " + joined(files) + " exists");
  try {
    return read_context(roots, context);
  } catch (const YAML::Exception& broken) {
    return permanent("kubeconfig " + joined(files) + ": " + broken.msg);
  }
}

}  // namespace spotkeeper::kube
