// SPDX-License-Identifier: Apache-2.0
#include "core/group_book.h"

#include <utility>

namespace spotkeeper::core {
void GroupBook::seen(const Group& group) {
  groups_[group.id] = group;
}

const Group* GroupBook::find(const GroupId& id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

void GroupBook::bar(const std::string& ns, Time until, std::string why) {
  bars_[ns] = Bar{.until = until, .why = std::move(why)};
}

std::string GroupBook::barred(const std::string& ns, Time now) const {
  const auto found = bars_.find(ns);
  return found == bars_.end() || now >= found->second.until ? std::string() : found->second.why;
}

}  // namespace spotkeeper::core
