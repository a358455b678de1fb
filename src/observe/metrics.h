// SPDX-License-Identifier: Apache-2.0
// The counters in Prometheus' text format, through prometheus-cpp.
#pragma once

#include <string>

#include "base/counters.h"

namespace spotkeeper::observe {

// text/plain; version=0.0.4. Every counter is named spotkeeper_NAME_total and has a help line.
std::string metrics_text(const Counters& counters);

}  // namespace spotkeeper::observe
