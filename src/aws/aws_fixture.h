// SPDX-License-Identifier: Apache-2.0
// Tests only: the event loop, an HTTP client, and a server that stands for AWS: it plays back
// replies in order (the last one is repeated) and notes what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/client.h"
#include "aws/endpoint.h"
#include "http/server_fixture.h"

namespace spotkeeper::aws {

inline constexpr Time kTestNow = Time(Seconds(1'795'255'200));  // 2026-11-21T10:00:00Z

// An environment of these variables.
inline Environment with(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) return std::nullopt;
    return found->second;
  };
}

class AwsFixture : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&AwsFixture::answer);
    options_.region = "eu-west-1";
    options_.endpoints.url = url();
    options_.first_pause = Millis(1);
    options_.first_throttled_pause = Millis(1);
  }

  void reply(std::string body, int status = 200, http::Headers headers = {}) {
    replies_.push_back({.status = status,
                        .content_type = "application/x-amz-json-1.1",
                        .body = std::move(body),
                        .headers = std::move(headers)});
  }

  std::string header(size_t request, std::string_view name) const {
    const std::string* value = http::find_header(seen_.at(request).headers, name);
    return value == nullptr ? "" : *value;
  }

  static Task<http::ServerResponse> answer(AwsFixture* test, http::ServerRequest request) {
    test->seen_.push_back(std::move(request));
    if (test->replies_.empty()) co_return http::ServerResponse{.status = 599, .body = "no reply"};
    http::ServerResponse response = test->replies_.front();
    if (test->replies_.size() > 1) test->replies_.pop_front();
    co_return response;
  }

  // What a session of a role is made of.
  static Credentials session(const std::string& name) {
    return {.access_key_id = "AKID" + name,
            .secret_access_key = Secret("secret-" + name),
            .session_token = Secret("token-" + name),
            .expires = std::nullopt,
            .source = "test"};
  }

  ManualClock clock_{kTestNow};
  std::deque<http::ServerResponse> replies_;
  std::vector<http::ServerRequest> seen_;
  ClientOptions options_;
};

}  // namespace spotkeeper::aws
