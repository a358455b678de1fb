// SPDX-License-Identifier: Apache-2.0
// The instance metadata service of one emulated host, IMDSv1 and v2, on the clock it is given.
// Answers requests only; whoever owns it serves it with an http::Server. The clock must outlive it.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/server.h"

namespace spotkeeper::emulator {

struct ImdsOptions {
  std::string instance_id = "i-0123456789abcdef0";
  std::string zone = "eu-west-1a";
  bool tokens_required = false;                    // IMDSv2 only: 401 without a token
  std::map<std::string, std::string> values = {};  // further paths below latest/meta-data/
};

class Imds {
 public:
  Imds(const Clock& clock, ImdsOptions options);

  http::ServerResponse answer(const http::ServerRequest& request);

  // From `at` on a Spot notice is shown: that the host will be terminated (stopped, hibernated) at
  // `time`. A later call replaces it.
  void announce(Time at, std::string action, Time time);
  // From `at` on a rebalance recommendation is shown.
  void recommend_rebalance(Time at);
  // Nothing is announced any more.
  void withdraw();
  // All tokens become stale, as when the host's network is rebuilt.
  void forget_tokens();

 private:
  http::ServerResponse issue_token(const http::ServerRequest& request);
  bool knows_token(const std::string& token) const;
  std::optional<std::string> value_at(const std::string& path) const;
  std::optional<std::string> notice_at(const std::string& path) const;

  struct Notice {
    Time shown_at;
    std::string action;
    Time time;
  };

  const Clock& clock_;
  ImdsOptions options_;
  std::optional<Notice> notice_;
  std::optional<Time> rebalance_;
  std::map<std::string, Time> tokens_;  // until when they are good
  uint64_t issued_ = 0;
};

// "Sun, 22 Nov 2026 03:05:52 GMT": the header Date.
std::string http_date(Time time);

}  // namespace spotkeeper::emulator
