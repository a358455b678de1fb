// SPDX-License-Identifier: Apache-2.0
// The region in which a Queue calls AWS.
#pragma once

#include <string>

#include "base/result.h"
#include "config/queue_options.h"

namespace spotkeeper::app {

// The one that is configured, else the one that the queue's URL names. An Error (kPermanent, one
// line for people) where there is none, or the two differ: one process reads the queue of one.
Result<std::string> region_of(const config::QueueOptions& options);

}  // namespace spotkeeper::app
