// SPDX-License-Identifier: Apache-2.0
// The adapter against a scripted API server: what it sends, and what it makes of the answers.
#include "effects/kubernetes.h"

#include <gmock/gmock.h>

#include <deque>
#include <memory>

#include "effects/mark.h"
#include "http/server_fixture.h"

namespace spotkeeper::effects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kNode =
    R"({"metadata":{"name":"n1","uid":"u","resourceVersion":"7"},"spec":{"providerID":"aws:///a/i-1"}})";

std::string pod_json(const std::string& name) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"default","uid":"uid-)" + name +
         R"(","resourceVersion":"1"},"spec":{"nodeName":"n1"},"status":{"phase":"Running"}})";
}

std::string list_json(const std::string& items) {
  return R"({"metadata":{"resourceVersion":"9"},"items":[)" + items + "]}";
}

std::string status_json(int code, const std::string& reason) {
  return R"({"kind":"Status","status":"Failure","reason":")" + reason +
         R"(","message":"no","code":)" + std::to_string(code) + "}";
}

class KubernetesTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&KubernetesTest::answer);
    kube::Access access;
    access.server = url();
    api_ = std::make_unique<kube::Api>(executor(), access);
    kubernetes_ = std::make_unique<Kubernetes>(
        *api_, tasks_, clock_, Kubernetes::Options{.taint = true},
        [this](const core::HostId&, core::Observation seen) { seen_.push_back(std::move(seen)); });
  }

  static Task<http::ServerResponse> answer(KubernetesTest* test, http::ServerRequest request) {
    const std::string key = request.method + " " + request.path;
    const bool watch = request.query.find("watch") != std::string::npos;
    if (!watch) test->asked_.push_back(key);
    if (key == test->held_) co_await test->go_on_->wait(Seconds(10));
    http::ServerResponse response;
    response.content_type = "application/json";
    auto script = test->script_.find(key);
    if (watch) {
      response.status = 403;
      response.body = status_json(403, "Forbidden");
    } else if (script != test->script_.end() && !script->second.empty()) {
      response.status = script->second.front().first;
      response.body = script->second.front().second;
      script->second.pop_front();
    } else {
      response.body = request.path.starts_with("/api/v1/nodes/") ? kNode : list_json("");
    }
    co_return response;
  }

  core::Action action(core::ActionKind kind, const std::string& pod = "") {
    core::Action action;
    action.number = ++number_;
    action.kind = kind;
    action.host = core::HostId("n1");
    action.unit = core::UnitId("uid-" + pod);
    action.unit_name = "default/" + pod;
    action.notice.id = core::NoticeId("spot-itn-1");
    action.reason = "because";
    return action;
  }

  // Carries the action out; gives what was reported of it.
  Result<std::string> carry_out(core::Action wanted) {
    const uint64_t number = wanted.number;
    kubernetes_->carry_out(std::move(wanted));
    const core::ActionDone* done = nullptr;
    run_until([&] {
      for (const core::Observation& seen : seen_) {
        const auto* found = std::get_if<core::ActionDone>(&seen);
        if (found != nullptr && found->number == number) done = found;
      }
      return done != nullptr;
    });
    return done->result;
  }

  template <class T>
  int count() const {
    return static_cast<int>(std::ranges::count_if(
        seen_, [](const core::Observation& seen) { return std::holds_alternative<T>(seen); }));
  }

  SteadyClock clock_;
  std::unique_ptr<kube::Api> api_;
  std::unique_ptr<Kubernetes> kubernetes_;
  std::map<std::string, std::deque<std::pair<int, std::string>>> script_;
  std::vector<std::string> asked_;
  std::string held_;  // "GET /path": not answered before go_on_
  std::unique_ptr<Event> go_on_ = std::make_unique<Event>(executor());
  std::vector<core::Observation> seen_;
  uint64_t number_ = 0;
};

TEST_F(KubernetesTest, TheMarkIsOneReadAndOneWrite) {
  const auto result = carry_out(action(core::ActionKind::kMark));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(*result, HasSubstr("cordoned"));
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/nodes/n1", "PATCH /api/v1/nodes/n1"));
}

TEST_F(KubernetesTest, AConflictIsTriedAgainAtOnceOnWhatIsThereNow) {
  script_["PATCH /api/v1/nodes/n1"] = {{409, status_json(409, "Conflict")},
                                       {409, status_json(409, "Conflict")}};
  const auto begin = clock_.now();
  EXPECT_TRUE(carry_out(action(core::ActionKind::kMark)));
  EXPECT_EQ(asked_.size(), 6U) << "three times read and written";
  EXPECT_LT(clock_.now() - begin, Seconds(2));
}

TEST_F(KubernetesTest, AnEndlessConflictIsGivenBackToTheCore) {
  for (int i = 0; i < 100; ++i) {
    script_["PATCH /api/v1/nodes/n1"].emplace_back(409, status_json(409, "Conflict"));
  }
  const auto result = carry_out(action(core::ActionKind::kMark));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kRetryable);
  EXPECT_LE(asked_.size(), 20U);
}

TEST_F(KubernetesTest, PodsAndBudgetsAreReportedWhenWatched) {
  script_["GET /api/v1/pods"] = {{200, list_json(pod_json("web") + "," + pod_json("db"))}};
  kubernetes_->watch(core::HostId("n1"));
  run_until([&] { return count<core::UnitsListed>() == 1 && count<core::BudgetsListed>() == 1; });
  EXPECT_EQ(count<core::UnitSeen>(), 2);
  kubernetes_->watch(core::HostId("n1"));
  EXPECT_EQ(count<core::UnitSeen>(), 4) << "told again to a drain that begins later";
  EXPECT_EQ(count<core::UnitsListed>(), 2);
}

TEST_F(KubernetesTest, BudgetsThatMayNotBeReadAreSaidToBeUnwatched) {
  script_["GET /apis/policy/v1/poddisruptionbudgets"] = {{403, status_json(403, "Forbidden")}};
  kubernetes_->watch(core::HostId("n1"));
  run_until([&] { return count<core::BudgetsListed>() > 0; });
  for (const core::Observation& seen : seen_) {
    if (const auto* listed = std::get_if<core::BudgetsListed>(&seen)) EXPECT_FALSE(listed->watched);
  }
  EXPECT_GE(count<core::Trouble>(), 1);
}

TEST_F(KubernetesTest, WhatWeLackTheRightForIsNotTried) {
  kubernetes_->lacks(
      {{"policy", "poddisruptionbudgets", "list"}, {"discovery.k8s.io", "endpointslices", "list"}});
  script_["GET /api/v1/pods"] = {{200, list_json(pod_json("web"))}};
  kubernetes_->watch(core::HostId("n1"));
  run_until([&] { return count<core::UnitsListed>() == 1 && count<core::BudgetsListed>() == 1; });
  for (const std::string& asked : asked_) {
    EXPECT_THAT(asked, testing::Not(HasSubstr("/apis/"))) << asked;
  }
}

TEST_F(KubernetesTest, AServiceOnTheHostIsToldOf) {
  script_["GET /apis/discovery.k8s.io/v1/endpointslices"] = {
      {200, list_json(R"({"metadata": {"uid": "s1", "name": "web-1", "namespace": "default",
               "labels": {"kubernetes.io/service-name": "web"}},
              "endpoints": [{"conditions": {"ready": true}, "nodeName": "n1"}]})")}};
  kubernetes_->watch(core::HostId("n1"));
  run_until([&] { return count<core::ServicesListed>() == 1; });
  EXPECT_EQ(count<core::ServiceSeen>(), 1);
}

// Whoever knows the endpoints and not yet which Services are local takes the host out of load
// balancers too early.
TEST_F(KubernetesTest, ServicesAreKnownWhenItIsKnownWhichOfThemNeedTheHost) {
  script_["GET /apis/discovery.k8s.io/v1/endpointslices"] = {
      {200, list_json(R"({"metadata": {"uid": "s1", "name": "web-1", "namespace": "default",
               "labels": {"kubernetes.io/service-name": "web"}},
              "endpoints": [{"conditions": {"ready": true}, "nodeName": "n1"}]})")}};
  script_["GET /api/v1/services"] = {
      {200, list_json(R"({"metadata": {"name": "web", "namespace": "default", "uid": "w"},
               "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}})")}};
  held_ = "GET /api/v1/services";
  kubernetes_ = std::make_unique<Kubernetes>(
      *api_, tasks_, clock_, Kubernetes::Options{.local_services = true},
      [this](const core::HostId&, core::Observation seen) { seen_.push_back(std::move(seen)); });
  kubernetes_->watch(core::HostId("n1"));
  run_until(
      [&] { return std::ranges::count(asked_, held_) == 1 && count<core::ServiceSeen>() == 1; });
  EXPECT_EQ(count<core::ServicesListed>(), 0);
  go_on_->set();
  run_until([&] { return count<core::ServicesListed>() == 1; });
  ASSERT_EQ(count<core::ServiceSeen>(), 2);
  const auto last = std::ranges::find_if(seen_, [](const core::Observation& seen) {
    const auto* service = std::get_if<core::ServiceSeen>(&seen);
    return service != nullptr && service->service.only_here;
  });
  EXPECT_NE(last, seen_.end());
}

TEST_F(KubernetesTest, TheMarkIsTakenBackByOneReadAndOneWrite) {
  script_["GET /api/v1/nodes/n1"] = {
      {200, R"({"metadata": {"name": "n1", "uid": "u", "resourceVersion": "7",
      "annotations": {"spotkeeper.io/state": "{\"cordoned\":true,\"taints\":[]}"}},
      "spec": {"unschedulable": true}})"}};
  const auto result = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(*result, HasSubstr("uncordoned"));
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/nodes/n1", "PATCH /api/v1/nodes/n1"));
}

TEST_F(KubernetesTest, AnActionOnAPodThatIsNotHereSendsNothing) {
  const auto result = carry_out(action(core::ActionKind::kAsk, "ghost"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kGone);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(KubernetesTest, AskExplainAndStopAreTheThreeCallsOnAPod) {
  script_["GET /api/v1/pods"] = {{200, list_json(pod_json("web"))}};
  kubernetes_->watch(core::HostId("n1"));
  run_until([&] { return count<core::UnitSeen>() == 1; });
  asked_.clear();
  EXPECT_TRUE(carry_out(action(core::ActionKind::kAsk, "web")));
  EXPECT_TRUE(carry_out(action(core::ActionKind::kExplain, "web")));
  EXPECT_TRUE(carry_out(action(core::ActionKind::kStop, "web")));
  EXPECT_THAT(asked_, testing::IsSupersetOf({"POST /api/v1/namespaces/default/pods/web/eviction",
                                             "PATCH /api/v1/namespaces/default/pods/web/status",
                                             "DELETE /api/v1/namespaces/default/pods/web"}));
}

}  // namespace
}  // namespace spotkeeper::effects
