// SPDX-License-Identifier: Apache-2.0
#include "app/holder.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace spotkeeper::app {
namespace {

constexpr size_t kLongestName = 256;

std::string this_machine() {
  std::array<char, kLongestName> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unnamed";
  return name.data();
}

}  // namespace

std::string this_process() {
  return this_machine() + "/" + std::to_string(getpid());
}

bool has_ended(const std::string& holder) {
  const std::string ours = this_machine() + "/";
  if (!holder.starts_with(ours)) return false;
  pid_t process = 0;
  const char* const end = holder.data() + holder.size();
  const auto [at, error] = std::from_chars(holder.data() + ours.size(), end, process);
  if (error != std::errc() || at != end || process <= 0) return false;
  return kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace spotkeeper::app
