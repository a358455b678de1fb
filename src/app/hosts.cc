// SPDX-License-Identifier: Apache-2.0
#include "app/hosts.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "async/deadline.h"
#include "async/task_group.h"
#include "kube/calls.h"
#include "kube/list.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kCompletionTime{2'000};

Task<Result<std::vector<kube::Node>>> list_nodes(kube::Api& api, std::string selector) {
  kube::Listing listing = kube::listing_of("/api/v1/nodes");
  listing.label_selector = std::move(selector);
  co_return co_await kube::list_all<kube::Node>(api, std::move(listing), kube::decode_node);
}

bool is_called(const kube::Node& node, const std::string& host) {
  const auto hostname = node.labels.find("kubernetes.io/hostname");
  return node.name == host || instance_of(node) == host ||
         (hostname != node.labels.end() && hostname->second == host);
}

std::unexpected<Error> nobody(const std::string& message) {
  return std::unexpected(Error{.kind = ErrorKind::kGone, .message = message});
}

Task<Result<std::vector<kube::Node>>> find_named(kube::Api& api, std::vector<std::string> hosts) {
  std::vector<kube::Node> found;
  Result<std::vector<kube::Node>> all;
  bool listed = false;
  for (const std::string& host : hosts) {
    if (std::ranges::any_of(found, [&](const kube::Node& n) { return is_called(n, host); })) {
      continue;
    }
    if (!host.starts_with("i-")) {
      Result<kube::Node> node = co_await kube::get_node(api, host);
      if (node) {
        found.push_back(std::move(*node));
        continue;
      }
      if (node.error().kind != ErrorKind::kGone) co_return std::unexpected(node.error());
    }
    if (!listed) all = co_await list_nodes(api, "");
    listed = true;
    if (!all) co_return std::unexpected(all.error());
    const auto at =
        std::ranges::find_if(*all, [&](const kube::Node& n) { return is_called(n, host); });
    if (at == all->end()) {
      co_return nobody("host '" + host + "': no node of " + api.access().description +
                       " has this name or instance id; see 'kubectl get nodes'");
    }
    found.push_back(*at);
  }
  co_return found;
}

Task<> list_names(kube::Api& api, std::vector<std::string>& names) {
  const Result<std::vector<kube::Node>> nodes = co_await list_nodes(api, "");
  if (!nodes) co_return;
  for (const kube::Node& node : *nodes) names.push_back(node.name);
}

Task<> list_names_in_time(kube::Api& api, std::vector<std::string>& names) {
  co_await finish_within(kCompletionTime, list_names(api, names));
}

}  // namespace

Result<kube::Access> find_access(const config::DrainOptions& options,
                                 const config::Environment& environment) {
  const auto variable = [&](const char* name) { return environment(name).value_or(""); };
  const std::string& named = options.kubeconfig;
  const std::vector<std::string> files =
      kube::kubeconfig_files(named, variable("KUBECONFIG"), variable("HOME"));
  const bool any = std::ranges::any_of(files, [](const std::string& file) {
    std::error_code unreadable;
    return std::filesystem::exists(file, unreadable) || unreadable;
  });
  const std::string host = variable("KUBERNETES_SERVICE_HOST");
  if (!any && named.empty() && !host.empty()) {
    return kube::in_cluster(kube::kServiceAccountDir, host, variable("KUBERNETES_SERVICE_PORT"));
  }
  return kube::from_kubeconfig(files, options.context);
}

Task<Result<std::vector<kube::Node>>> find_hosts(kube::Api& api, config::DrainOptions options) {
  if (options.selector.empty()) co_return co_await find_named(api, std::move(options.hosts));
  Result<std::vector<kube::Node>> nodes = co_await list_nodes(api, options.selector);
  if (nodes && nodes->empty()) {
    co_return nobody("--selector " + options.selector + ": no node of " + api.access().description +
                     " has these labels; see 'kubectl get nodes --show-labels'");
  }
  co_return nodes;
}

std::string instance_of(const kube::Node& node) {
  const size_t slash = node.provider_id.rfind('/');
  const std::string last =
      slash == std::string::npos ? std::string() : node.provider_id.substr(slash + 1);
  return node.provider_id.starts_with("aws://") && last.starts_with("i-") ? last : std::string();
}

std::vector<std::string> host_names(const config::Environment& environment) {
  std::vector<std::string> names;
  config::DrainOptions options;
  Result<kube::Access> access = find_access(options, environment);
  if (!access) return names;
  boost::asio::io_context io(1);
  kube::Api api(io.get_executor(), std::move(*access));
  TaskGroup tasks(io.get_executor());
  tasks.spawn("nodes", list_names_in_time(api, names));
  io.run();
  return names;
}

}  // namespace spotkeeper::app
