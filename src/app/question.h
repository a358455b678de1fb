// SPDX-License-Identifier: Apache-2.0
// The question at Ctrl-C, on the terminal.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <string>

#include "async/task.h"

namespace spotkeeper::app {

// Asks on stderr what is to become of the marked hosts, and reads a line from stdin. "undo",
// "leave" or "continue"; "leave" too at a second signal or when stdin ends.
Task<std::string> ask_at_interrupt(boost::asio::signal_set& signals);

}  // namespace spotkeeper::app
