// SPDX-License-Identifier: Apache-2.0
// The hosts of `-f FILE`: one a line, a node's name or its instance id; "#" begins a comment, blank
// lines are skipped. Errors are one line with file and line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spotkeeper::config {

struct HostLine {
  std::string host;
  int line = 0;  // from 1
};

// `name` is what errors call it.
Result<std::vector<HostLine>> parse_hosts(std::string_view text, const std::string& name);

// "-" is stdin. At most 1 MiB is read: more is an error.
Result<std::vector<HostLine>> read_host_file(const std::string& path);

// "hosts.txt", or "stdin".
std::string name_of_host_file(const std::string& path);

}  // namespace spotkeeper::config
