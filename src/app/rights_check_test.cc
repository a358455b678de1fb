// SPDX-License-Identifier: Apache-2.0
#include "app/rights_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/loop_fixture.h"
#include "effects/rights.h"
#include "http/server.h"

namespace spotkeeper::app {
namespace {

// An API server that grants everything but one verb on pods.
class RightsCheckTest : public LoopFixture {
 protected:
  void SetUp() override {
    scale_time(1000);  // half a minute in 30 ms
    auto server = http::Server::listen(
        executor(), {.address = "127.0.0.1"},
        [this](http::ServerRequest request) { return answer(std::move(request)); });
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    tasks_.spawn("server", server_->run());
    kube::Access access;
    access.server = "http://127.0.0.1:" + std::to_string(server_->port());
    api_ = std::make_unique<kube::Api>(executor(), access);
    check_ = std::make_unique<RightsCheck>(*api_, log_, [this](const RightsCheck::Found& found) {
      ++looks_;
      found_ = found;
    });
  }
  void TearDown() override {
    LoopFixture::TearDown();
    scale_time(1);
  }

  Task<http::ServerResponse> answer(http::ServerRequest request) {
    http::ServerResponse response;
    response.content_type = "application/json";
    if (failures_ > 0) {
      --failures_;
      response.status = 503;
    } else if (request.path == "/apis") {
      response.body =
          R"({"groups": [{"versions": [{"groupVersion": "policy/v1"}]}, {"versions": [{"groupVersion": "apps/v1"}]}, {"versions": [{"groupVersion": "networking.k8s.io/v1"}]}, {"versions": [{"groupVersion": "storage.k8s.io/v1"}]}]})";
    } else if (request.path.ends_with("selfsubjectrulesreviews")) {
      response.body = R"({"status": {"resourceRules": [
          {"apiGroups": ["*"], "resources": ["nodes", "pods/eviction", "pods/status",
           "poddisruptionbudgets", "endpointslices", "deployments", "services",
           "networkpolicies", "persistentvolumeclaims", "volumeattachments"], "verbs": ["*"]},
          {"apiGroups": [""], "resources": ["pods"], "verbs": )" +
                      pod_verbs_ + "}]}}";
    } else {
      response.body = R"({"status": {"allowed": false}})";
    }
    co_return response;
  }

  const kube::Right kDelete{.group = "", .resource = "pods", .verb = "delete"};
  std::string pod_verbs_ = R"(["list", "watch", "delete", "patch"])";
  int failures_ = 0;
  int looks_ = 0;
  RightsCheck::Found found_;
  SteadyClock clock_;
  observe::Log log_{clock_, {.silent = true}};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<kube::Api> api_;
  std::unique_ptr<RightsCheck> check_;
};

TEST_F(RightsCheckTest, WhatIsNotServedIsLackingWhoeverWeAre) {
  tasks_.spawn("check", check_->run());
  run_until([&] { return looks_ == 1; });
  EXPECT_FALSE(found_.lacking.contains(kDelete));
  EXPECT_EQ(found_.lacking.size(), 2U) << "discovery.k8s.io/v1 is not served here";
  EXPECT_EQ(found_.held.size() + found_.lacking.size(), effects::needs().size());
}

TEST_F(RightsCheckTest, ADenialIsLookedIntoAndSoIsAGrant) {
  pod_verbs_ = R"(["list", "watch"])";
  tasks_.spawn("check", check_->run());
  run_until([&] { return looks_ == 1; });
  EXPECT_TRUE(found_.lacking.contains(kDelete));
  pod_verbs_ = R"(["*"])";
  check_->denied();
  run_until([&] { return looks_ == 2; });
  EXPECT_TRUE(found_.held.contains(kDelete));
}

TEST_F(RightsCheckTest, WhatIsMissingIsAskedForAgainInAWhile) {
  pod_verbs_ = R"(["list"])";
  tasks_.spawn("check", check_->run());
  run_until([&] { return looks_ == 2; });
}

TEST_F(RightsCheckTest, AnApiThatIsAwayIsAskedAgain) {
  failures_ = 3;
  tasks_.spawn("check", check_->run());
  run_until([&] { return looks_ == 1; });
  EXPECT_EQ(failures_, 0);
}

}  // namespace
}  // namespace spotkeeper::app
