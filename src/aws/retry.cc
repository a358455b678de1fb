// SPDX-License-Identifier: Apache-2.0
#include "aws/retry.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace spotkeeper::aws {
namespace {

// LimitExceededException is not among them: the services we call mean a quota by it.
constexpr std::array<std::string_view, 13> kThrottled{"Throttling",
                                                      "ThrottlingException",
                                                      "ThrottledException",
                                                      "RequestThrottled",
                                                      "RequestThrottledException",
                                                      "TooManyRequestsException",
                                                      "ProvisionedThroughputExceededException",
                                                      "TransactionInProgressException",
                                                      "RequestLimitExceeded",
                                                      "BandwidthLimitExceeded",
                                                      "SlowDown",
                                                      "PriorRequestNotComplete",
                                                      "EC2ThrottledException"};
constexpr std::array<std::string_view, 5> kTransient{"RequestTimeout", "RequestTimeoutException",
                                                     "InternalFailure", "ServiceUnavailable",
                                                     "IDPCommunicationError"};
constexpr std::array<std::string_view, 6> kClock{
    "RequestTimeTooSkewed",  "RequestInTheFuture", "InvalidSignatureException",
    "SignatureDoesNotMatch", "RequestExpired",     "AuthFailure"};
constexpr std::array<std::string_view, 5> kCredentials{
    "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId",
    "InvalidAccessKeyId"};

template <size_t size>
bool has(const std::array<std::string_view, size>& codes, const std::string& code) {
  return std::ranges::find(codes, code) != codes.end();
}

}  // namespace

Fault fault_of(int status, const std::string& code) {
  if (has(kThrottled, code)) return Fault::kThrottled;
  if (has(kClock, code)) return Fault::kClock;
  if (has(kCredentials, code)) return Fault::kCredentials;
  if (status == 429) return Fault::kThrottled;
  if (status >= 500 || status == 408 || has(kTransient, code)) return Fault::kTransient;
  return Fault::kFinal;
}

Millis retry_pause(const RetryPause& pause) {
  const int doublings = std::clamp(pause.retry - 1, 0, 30);
  const double most =
      std::min(static_cast<double>(pause.first.count()) * static_cast<double>(1 << doublings),
               static_cast<double>(pause.longest.count()));
  const Millis spread(static_cast<int64_t>(most * std::clamp(pause.jitter, 0.0, 1.0)));
  return std::max(spread, std::min(pause.asked, pause.longest));
}

bool RetryBudget::take(int cost) {
  if (left_ < cost) return false;
  left_ -= cost;
  return true;
}

void RetryBudget::give(int tokens) {
  left_ = std::min(left_ + tokens, kCapacity);
}

}  // namespace spotkeeper::aws
