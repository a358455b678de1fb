// SPDX-License-Identifier: Apache-2.0
// A whole emulated API server as a process: a new, empty world, its runner, its skin and the HTTP
// server, until SIGTERM or SIGINT. For spotkeeper-world.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "emulator/skin.h"

namespace spotkeeper::emulator {

struct ServeOptions {
  uint16_t port = 0;  // of 127.0.0.1; 0: any free one
  double speed = 1;
  uint64_t seed = 1;
  SkinOptions skin = {};
};

// kPermanent: one line that names the option.
Result<ServeOptions> parse_serve_options(const std::vector<std::string>& arguments);

// Prints {"url": …} as its first line. Exit status: 0, or 1 when the port cannot be had.
int serve_world(ServeOptions options);

}  // namespace spotkeeper::emulator
