// SPDX-License-Identifier: Apache-2.0
#include "sources/event_id.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace spotkeeper::sources {

core::NoticeId event_id(const std::string& prefix, const std::string& says) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(says.data()), says.size(), digest.data());
  std::string id = prefix;
  for (const unsigned char byte : digest) id += fmt::format("{:02x}", byte);
  return core::NoticeId(id);
}

}  // namespace spotkeeper::sources
