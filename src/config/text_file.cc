// SPDX-License-Identifier: Apache-2.0
#include "config/text_file.h"

#include <cstdio>

#include "base/file.h"

namespace spotkeeper::config {

Result<std::string> read_text_file(const std::string& path) {
  return path == "-" ? read_file(stdin, "stdin", kLargestText) : read_file(path, kLargestText);
}

}  // namespace spotkeeper::config
