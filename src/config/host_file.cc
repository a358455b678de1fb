// SPDX-License-Identifier: Apache-2.0
#include "config/host_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/flags.h"
#include "config/text_file.h"

namespace spotkeeper::config {
namespace {

constexpr size_t kLongestName = 253;  // of a DNS subdomain, which a node's name is
constexpr size_t kShown = 60;
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Looser than Kubernetes' own rule: a name that no node has is said later, by the cluster.
bool may_be_a_host(std::string_view text) {
  const auto fits = [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, fits);
}

}  // namespace

std::string name_of_host_file(const std::string& path) {
  return path == "-" ? "stdin" : path;
}

Result<std::vector<HostLine>> parse_hosts(std::string_view text, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<HostLine> hosts;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    std::string_view host = line;
    if (host.starts_with("node/")) host.remove_prefix(5);
    if (!may_be_a_host(host)) {
      return permanent(
          fmt::format("{}:{}: expected one host a line, a node's name or its instance id, got '{}'",
                      name, number, on_one_line(std::string(line.substr(0, kShown)))));
    }
    hosts.push_back({.host = std::string(host), .line = number});
  }
  if (hosts.empty()) return permanent(name + ": no host is in it; expected one a line");
  return hosts;
}

Result<std::vector<HostLine>> read_host_file(const std::string& path) {
  const Result<std::string> text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  return parse_hosts(*text, name_of_host_file(path));
}

}  // namespace spotkeeper::config
