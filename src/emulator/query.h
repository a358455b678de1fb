// SPDX-License-Identifier: Apache-2.0
// A request's path and query, taken apart as the Kubernetes API means them. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.h"

namespace spotkeeper::emulator {

struct Query {
  std::string group;  // "apps"; empty: core
  std::string version;
  std::string ns;           // empty: cluster-wide, or all namespaces
  std::string resource;     // "pods"; empty: discovery of a group version
  std::string name;         // empty: a collection
  std::string subresource;  // "eviction"
  std::map<std::string, std::string> parameters;

  std::string parameter(const std::string& key) const;
  bool flag(const std::string& key) const;  // "1" and "true"
  std::string group_version() const { return group.empty() ? version : group + "/" + version; }
};

// Percent-decodes; '+' is a space where `form` is true.
std::string url_decode(std::string_view text, bool form = false);
std::map<std::string, std::string> parse_parameters(std::string_view query);

// nullopt: not a path below /api/VERSION or /apis/GROUP/VERSION.
std::optional<Query> parse_query(const http::ServerRequest& request);

}  // namespace spotkeeper::emulator
