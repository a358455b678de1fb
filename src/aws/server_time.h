// SPDX-License-Identifier: Apache-2.0
// What an answer says about the time: its Date header, which cuts off parts of a second, and when
// by our clock the request was sent and the answer was here.
#pragma once

#include <optional>

#include "base/clock.h"
#include "http/message.h"

namespace spotkeeper::aws {

struct ServerTime {
  Time date{};
  Time sent{};
  Time received{};
};

// Nothing: it does not say.
inline std::optional<ServerTime> server_time(const http::Response& answer, Time sent,
                                             Time received) {
  const std::optional<Time> date = http::date_of(answer.headers);
  if (!date) return std::nullopt;
  return ServerTime{.date = *date, .sent = sent, .received = received};
}

}  // namespace spotkeeper::aws
