// SPDX-License-Identifier: Apache-2.0
// Small files of credentials: reading one whole, seeing that it was replaced, and base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace spotkeeper::kube {

// The content of a file of at most 4 MiB; kPermanent "PATH: No such file or directory" otherwise.
Result<std::string> read_file(const std::string& path);

// What tells a file from the one that replaces it; all zero where there is none.
struct FileStamp {
  uint64_t inode = 0;
  int64_t modified_s = 0;
  int64_t modified_ns = 0;

  bool operator==(const FileStamp&) const = default;
};
FileStamp file_stamp(const std::string& path);

// RFC 4648 with padding.
std::string encode_base64(const std::string& plain);

// RFC 4648 with padding; white space is skipped. Nothing when it is not base64.
std::optional<std::string> decode_base64(const std::string& text);

}  // namespace spotkeeper::kube
