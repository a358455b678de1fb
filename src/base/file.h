// SPDX-License-Identifier: Apache-2.0
// Reading a small file whole, within a bound.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include "base/result.h"

namespace spotkeeper {

// kPermanent otherwise: "PATH: No such file or directory", "PATH: is larger than 4 MiB".
Result<std::string> read_file(const std::string& path, size_t at_most);

// The same of one that is open, up to its end; `name` is what messages call it. The caller closes.
Result<std::string> read_file(FILE* file, const std::string& name, size_t at_most);

}  // namespace spotkeeper
