// SPDX-License-Identifier: Apache-2.0
// Tests only: AWS as several of its services at once: replies are by action, each in order (the
// last one is repeated), and may be held back; on a clock that is as fast as waits are.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "async/timing.h"
#include "aws/aws_fixture.h"

namespace spotkeeper::aws {

class ScaledClock final : public Clock {
 public:
  Time now() const override {
    const std::chrono::duration<double, std::milli> since = Steady::now() - began_;
    return kTestNow + Millis(static_cast<int64_t>(since.count() * time_scale()));
  }

 private:
  using Steady = std::chrono::steady_clock;
  Steady::time_point began_ = Steady::now();
};

class CloudFixture : public AwsFixture {
 protected:
  void SetUp() override {
    serve(&CloudFixture::answer_action);
    options_.region = "eu-west-1";
    options_.endpoints.url = url();
    options_.tries = 1;
    made_ = std::make_unique<Client>(client_, keys_, scaled_, options_);
  }
  void TearDown() override {
    held_.clear();
    AwsFixture::TearDown();
    scale_time(1);
  }

  struct Asked {
    std::string action;
    std::string body;
  };

  Client& client() { return *made_; }

  void on(const std::string& action, std::string body, int status = 200) {
    script_[action].push_back({.status = status, .body = std::move(body)});
  }
  // In the words of EC2 Auto Scaling.
  void refuse(const std::string& action, const std::string& code, int status = 400) {
    on(action,
       "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
           "</Code><Message>no</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
       status);
  }
  // One of EC2's; state, private DNS name, and a tag's key where there is one.
  static std::string instance(const std::string& id, const std::string& state = "running",
                              const std::string& name = "", const std::string& tag = "") {
    return "<item><instanceId>" + id + "</instanceId><instanceState><name>" + state +
           "</name></instanceState><privateDnsName>" + name + "</privateDnsName><tagSet>" +
           (tag.empty() ? "" : "<item><key>" + tag + "</key><value/></item>") + "</tagSet></item>";
  }
  static std::string described(const std::string& instances) {
    return "<DescribeInstancesResponse><reservationSet><item><instancesSet>" + instances +
           "</instancesSet></item></reservationSet></DescribeInstancesResponse>";
  }
  void refuse_ec2(const std::string& code, int status = 503) {
    on("DescribeInstances",
       "<Response><Errors><Error><Code>" + code +
           "</Code><Message>no</Message></Error></Errors><RequestID>r-1</RequestID></Response>",
       status);
  }

  int count(const std::string& action) const {
    return static_cast<int>(std::ranges::count(asked_, action, &Asked::action));
  }
  const std::string& last(const std::string& action) const {
    static const std::string none;
    for (size_t i = asked_.size(); i > 0; --i) {
      if (asked_[i - 1].action == action) return asked_[i - 1].body;
    }
    return none;
  }
  // For so long by the clock.
  void pass(Millis time) { run(sleep_for(time)); }

  static std::string action_of(const http::ServerRequest& request) {
    const std::string* target = http::find_header(request.headers, "X-Amz-Target");
    if (target != nullptr) return target->substr(target->find('.') + 1);
    if (!request.body.starts_with("Action=")) return request.method;  // of another API
    const size_t at = 7;
    return request.body.substr(at, request.body.find('&', at) - at);
  }

  static Task<http::ServerResponse> answer_action(CloudFixture* test, http::ServerRequest request) {
    const std::string action = action_of(request);
    test->asked_.push_back({.action = action, .body = request.body});
    co_return co_await test->answer_to(action, std::move(request.body));
  }

  // A test may answer otherwise.
  virtual Task<http::ServerResponse> answer_to(std::string action, std::string) {
    while (held_.contains(action)) co_await sleep_for(Millis(2));
    std::deque<http::ServerResponse>& replies = script_[action];
    if (replies.empty()) co_return http::ServerResponse{.status = 599, .body = "no reply"};
    http::ServerResponse response = replies.front();
    if (replies.size() > 1) replies.pop_front();
    co_return response;
  }

  FixedCredentials keys_{session("1")};
  ScaledClock scaled_;
  std::unique_ptr<Client> made_;
  std::map<std::string, std::deque<http::ServerResponse>> script_;
  std::set<std::string> held_;  // actions that are not answered yet
  std::vector<Asked> asked_;
};

}  // namespace spotkeeper::aws
