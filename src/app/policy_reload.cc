// SPDX-License-Identifier: Apache-2.0
#include "app/policy_reload.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "async/timing.h"
#include "config/policy_file.h"

namespace spotkeeper::app {
namespace {

constexpr Millis kPeriod{5'000};

std::string rules_hold(size_t number) {
  return number == 1 ? "1 rule holds" : fmt::format("{} rules hold", number);
}

}  // namespace

PolicyReload::PolicyReload(std::string path, std::vector<core::Rule> rules, observe::Log& log,
                           Changed changed)
    : path_(std::move(path)), rules_(std::move(rules)), log_(log), changed_(std::move(changed)) {}

PolicyReload::Stamp PolicyReload::stamp_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .modified_s = info.st_mtim.tv_sec,
          .modified_ns = info.st_mtim.tv_nsec};
}

Task<> PolicyReload::run() {
  for (;;) {
    look();
    co_await sleep_for(kPeriod);
  }
}

void PolicyReload::look() {
  // Before the file is read: what is written meanwhile is seen at the next look.
  const Stamp now = stamp_of(path_);
  if (std::exchange(looked_, true) && now == seen_) return;
  seen_ = now;
  auto read = config::read_policy_file(path_);
  if (!read) {
    log_.error(fmt::format("{}; what was read before stays: {} now", read.error().message,
                           rules_hold(rules_.size())));
    return;
  }
  const bool differs = *read != rules_;
  rules_ = std::move(*read);
  log_.info(fmt::format("policy: {} now", rules_hold(rules_.size())), {{"file", path_}});
  if (differs) changed_(rules_);
}

}  // namespace spotkeeper::app
