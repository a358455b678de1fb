// SPDX-License-Identifier: Apache-2.0
// What a drain by hand prints when it is over.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/drain.h"
#include "observe/log.h"
#include "observe/post_mortem.h"

namespace spotkeeper::app {

// The post-mortems of all drains to stdout, in that format ("table", "json", "yaml"): a table each,
// or of `many` hosts one row each. `width`: of the terminal, 0 where there is none. True: everybody
// was told in time and has left, or was left alone. `words`: puts sentences into the words of the
// place that manages the hosts; none: they stay as they are.
using PutInWords = std::function<std::string(std::string)>;
bool print_outcome(const std::vector<const core::Drain*>& drains, Time now,
                   const std::string& format, bool many, int width, const PutInWords& words = {});

// For a process that runs on: a table, or a line of JSON.
void log_outcome(observe::Log& log, observe::PostMortem post_mortem, const PutInWords& words = {});

// "2 hosts are not begun: n2, n3"; of many names the first few.
std::string not_begun(const std::vector<std::string>& hosts);

}  // namespace spotkeeper::app
