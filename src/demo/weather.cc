// SPDX-License-Identifier: Apache-2.0
#include "demo/weather.h"

#include <fmt/format.h>

namespace spotkeeper::demo {

Fare Weather::next(Time now) {
  if (now < from_ || now >= to_) return Fare::kFair;
  constexpr Fare kTurns[] = {Fare::kThrottled, Fare::kLate, Fare::kBroken, Fare::kFair};
  const Fare fare = kTurns[requests_++ % 4];
  spoilt_ += fare != Fare::kFair;
  return fare;
}

http::ServerResponse bad_answer(Fare fare) {
  const bool throttled = fare == Fare::kThrottled;
  const int code = throttled ? 429 : 500;
  http::ServerResponse response;
  response.status = code;
  response.content_type = "application/json";
  response.body = fmt::format(
      R"({{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure",)"
      R"("message":"{}","reason":"{}","code":{}}})",
      throttled ? "the server has received too many requests" : "etcdserver: leader changed",
      throttled ? "TooManyRequests" : "InternalError", code);
  if (throttled) response.headers.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace spotkeeper::demo
