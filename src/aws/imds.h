// SPDX-License-Identifier: Apache-2.0
// The instance metadata service (IMDS) of the host we run on. Speaks IMDSv2: a session token is
// fetched with PUT, cached and renewed ahead of its end. Where no token is to be had (an emulator,
// an old proxy, a hop limit of 1 seen from a pod) it goes on with IMDSv1 and asks for a token again
// later, at growing intervals. Owned by whoever polls; must be outlived by its Client and Clock.
//
// Failures: kRetryable for silence and 5xx after all tries, kDenied when IMDS refuses us (401 with
// a fresh token, 403), kPermanent for any other answer. "Not there" (404) is a value, not an Error.
// Source:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "aws/server_time.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "http/client.h"

namespace spotkeeper::aws {

struct ImdsOptions {
  std::string base_url = "http://169.254.169.254";
  int tries = 3;            // of each get(); METADATA_TRIES
  int token_ttl_s = 21600;  // asked for; 1 to 21600, IMDS may grant another
  Millis timeout{2'000};    // for each answer
};

class ImdsClient {
 public:
  ImdsClient(http::Client& client, ImdsOptions options, const Clock& clock);
  ImdsClient(const ImdsClient&) = delete;
  ImdsClient& operator=(const ImdsClient&) = delete;

  // The body at `path` ("/latest/meta-data/instance-id"); nullopt when IMDS says 404.
  Task<Result<std::optional<std::string>>> get(std::string path);

  // Of the last answer to the last get(); nullopt when there was none, or none with a Date header
  // that is one.
  const std::optional<ServerTime>& time() const { return time_; }

  // Whether we hold a token, that is, speak IMDSv2 now.
  bool uses_token() const { return !token_.empty(); }

 private:
  Task<Result<std::optional<std::string>>> get_once(std::string path);
  Task<Result<http::Response>> ask(std::string path);
  Task<> refresh_token();
  void store_token(const http::Response& response);
  void note_ttl(const http::Response& response);
  void drop_token();

  http::Client& client_;
  const ImdsOptions options_;
  const Clock& clock_;
  Secret token_;
  Time token_ends_{};          // of token_
  Time token_renew_at_{};      // of token_: from here on ask for another
  Time next_token_try_{};      // after a refusal
  int token_refusals_ = 0;     // in a row
  std::string token_problem_;  // why there is none, for messages
  std::optional<ServerTime> time_;
};

}  // namespace spotkeeper::aws
