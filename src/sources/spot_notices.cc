// SPDX-License-Identifier: Apache-2.0
#include "sources/spot_notices.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace spotkeeper::sources {

std::optional<core::Notice> SpotNotices::poll(const std::optional<SpotSighting>& seen, Time now) {
  if (!seen) {
    current_.reset();
    return std::nullopt;
  }
  if (current_ && seen->time >= current_->deadline) return std::nullopt;
  const core::NoticeId id = current_ ? current_->id : spot_notice_id(*seen);
  current_ = core::Notice{.id = id,
                          .kind = core::NoticeKind::kSpotInterruption,
                          .instance = instance_,
                          .deadline = seen->time,
                          .source = "imds",
                          .detail = seen->action,
                          .received = now};
  return current_;
}

core::NoticeId spot_notice_id(const SpotSighting& seen) {
  const std::string text = fmt::format("&{{{} {}}}", seen.action, format_time_s(seen.time));
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string id = "spot-itn-";
  for (const unsigned char byte : digest) id += fmt::format("{:02x}", byte);
  return core::NoticeId(id);
}

}  // namespace spotkeeper::sources
