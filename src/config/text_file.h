// SPDX-License-Identifier: Apache-2.0
// Reading a file that a person has written, whole.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace spotkeeper::config {

constexpr size_t kLargestText = size_t{1} << 20U;

// "-" is stdin. kPermanent "PATH: No such file or directory", or "PATH: is larger than 1 MiB".
Result<std::string> read_text_file(const std::string& path);

}  // namespace spotkeeper::config
