// SPDX-License-Identifier: Apache-2.0
// Small files of credentials: reading one whole, and decoding base64.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace spotkeeper::kube {

// The content of a file of at most 4 MiB; kPermanent "PATH: No such file or directory" otherwise.
Result<std::string> read_file(const std::string& path);

// RFC 4648 with padding; white space is skipped. Nothing when it is not base64.
std::optional<std::string> decode_base64(const std::string& text);

}  // namespace spotkeeper::kube
