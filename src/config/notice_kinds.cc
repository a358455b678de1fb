// SPDX-License-Identifier: Apache-2.0
#include "config/notice_kinds.h"

#include "core/notice.h"

namespace spotkeeper::config {

const std::vector<std::string>& notice_kinds() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const core::NoticeKind kind : core::all_kinds()) names.emplace_back(to_string(kind));
    return names;
  }();
  return all;
}

}  // namespace spotkeeper::config
