// SPDX-License-Identifier: Apache-2.0
#include "app/hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "async/deadline.h"
#include "async/task_group.h"
#include "config/host_file.h"
#include "effects/node_book.h"
#include "kube/calls.h"
#include "kube/list.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kCompletionTime{2'000};
constexpr size_t kFewHosts = 10;

Task<Result<std::vector<kube::Node>>> list_nodes(kube::Api& api, std::string selector) {
  kube::Listing listing = kube::listing_of("/api/v1/nodes");
  listing.label_selector = std::move(selector);
  co_return co_await kube::list_all<kube::Node>(api, std::move(listing), kube::decode_node);
}

std::unexpected<Error> nobody(const std::string& message) {
  return std::unexpected(Error{.kind = ErrorKind::kGone, .message = message});
}

// By name, instance id and hostname label; a name of one node wins against another's label.
class Names {
 public:
  void add(const kube::Node& node) {
    const auto hostname = node.labels.find("kubernetes.io/hostname");
    if (hostname != node.labels.end()) names_.try_emplace(hostname->second, node.name);
    names_.insert_or_assign(node.name, node.name);
    if (const std::string id = effects::instance_of(node); !id.empty()) {
      names_.insert_or_assign(id, node.name);
    }
  }
  // The node's name; nullptr: nobody is called so.
  const std::string* find(const std::string& host) const {
    const auto found = names_.find(host);
    return found == names_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::string, std::string> names_;
};

// "hosts.txt:3: " of the host at that place; nothing for what was typed.
std::string place_of(const config::DrainOptions& options, size_t at) {
  if (at >= options.host_lines.size()) return {};
  return fmt::format("{}:{}: ", config::name_of_host_file(options.host_file),
                     options.host_lines[at]);
}

// A few are asked for one by one; else, and where one is not called by its name, all are listed.
Task<Result<std::vector<kube::Node>>> find_named(kube::Api& api, config::DrainOptions options) {
  std::vector<kube::Node> found;
  std::set<std::string> taken;
  Names names;
  std::map<std::string, kube::Node> all;
  bool listed = false;
  for (size_t i = 0; i < options.hosts.size(); ++i) {
    const std::string& host = options.hosts[i];
    const std::string* name = names.find(host);
    if (name == nullptr && !listed && options.hosts.size() <= kFewHosts &&
        !host.starts_with("i-")) {
      Result<kube::Node> node = co_await kube::get_node(api, host);
      if (!node && node.error().kind != ErrorKind::kGone) co_return std::unexpected(node.error());
      if (node) {
        names.add(*node);
        name = names.find(host);
        all.try_emplace(node->name, std::move(*node));
      }
    }
    if (name == nullptr && !std::exchange(listed, true)) {
      Result<std::vector<kube::Node>> nodes = co_await list_nodes(api, "");
      if (!nodes) co_return std::unexpected(nodes.error());
      for (kube::Node& node : *nodes) {
        names.add(node);
        all.try_emplace(node.name, std::move(node));
      }
      name = names.find(host);
    }
    if (name == nullptr) {
      co_return nobody(place_of(options, i) + "host '" + host + "': no node of " +
                       api.access().description +
                       " has this name or instance id; see 'kubectl get nodes'");
    }
    if (taken.insert(*name).second) found.push_back(all.at(*name));
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
  if (options.selector.empty()) co_return co_await find_named(api, std::move(options));
  Result<std::vector<kube::Node>> nodes = co_await list_nodes(api, options.selector);
  if (nodes && nodes->empty()) {
    co_return nobody("--selector " + options.selector + ": no node of " + api.access().description +
                     " has these labels; see 'kubectl get nodes --show-labels'");
  }
  co_return nodes;
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
