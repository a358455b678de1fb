// SPDX-License-Identifier: Apache-2.0
// DRAINING against a small ECS that keeps one instance's state and attributes: what is ours, what
// is somebody else's, and what is known of that after a restart.
#include "ecs/host_mark.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <optional>

#include "base/json.h"
#include "ecs/drain_record.h"
#include "ecs/test_tasks.h"
#include "http/server_fixture.h"

namespace spotkeeper::ecs {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HostMarkTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&HostMarkTest::answer);
    aws::ClientOptions options{.region = "eu-west-1", .tries = 1};
    options.endpoints.url = url();
    client_ = std::make_unique<aws::Client>(http_, credentials_, clock_, options);
    instance_.cluster = "prod";
    instance_.facts.arn = kInstanceArn;
    restart();
  }

  // Another life of the same agent.
  void restart() {
    mark_ = std::make_unique<HostMark>(
        *client_, HostMark::Hooks{.say = [this](const core::HostId&, core::Level,
                                                const std::string& text) { said_.push_back(text); },
                                  .ends_anyway = [this] { return ends_anyway(this); }});
  }
  static Task<Result<std::string>> ends_anyway(HostMarkTest* test) { co_return test->ends_anyway_; }

  static Task<http::ServerResponse> answer(HostMarkTest* test, http::ServerRequest request) {
    const std::string* target = http::find_header(request.headers, "X-Amz-Target");
    const std::string action = target == nullptr ? "" : target->substr(target->find('.') + 1);
    test->asked_.push_back(action);
    http::ServerResponse response;
    response.content_type = "application/x-amz-json-1.1";
    if (const auto failing = test->failing_.find(action); failing != test->failing_.end()) {
      response.status = 400;
      response.body = R"({"__type":")" + failing->second + R"(","message":"no"})";
      co_return response;
    }
    response.body = test->done(action, json::parse(request.body));
    co_return response;
  }

  std::string done(const std::string& action, const json::value& body) {
    if (action == "UpdateContainerInstancesState") status_ = text_at(body, {"status"});
    if (action == "PutAttributes" || action == "DeleteAttributes") {
      const json::value& given = find_array(body, {"attributes"})->at(0);
      EXPECT_EQ(text_at(given, {"name"}), kDrainAttribute);
      record_.reset();
      if (action == "PutAttributes") record_ = text_at(given, {"value"});
      return R"({"attributes":[]})";
    }
    json::object instance{{"containerInstanceArn", kInstanceArn}, {"status", status_}};
    if (record_) {
      instance["attributes"] = json::array{{{"name", kDrainAttribute}, {"value", *record_}}};
    }
    const json::object all{{"containerInstances", json::array{instance}},
                           {"failures", json::array{}}};
    return json::serialize(all);
  }

  std::string set(const core::Notice& notice) {
    const auto result = run(mark_->set(kHost, instance_, notice));
    return result ? *result : "failed: " + result.error().message;
  }
  std::string take_back() {
    const auto result = run(mark_->take_back(kHost, instance_));
    return result ? *result : "failed: " + result.error().message;
  }
  core::Notice notice(core::NoticeKind kind) {
    return {.id = core::NoticeId("n"), .kind = kind, .deadline = clock_.now() + Seconds(3600)};
  }

  const core::HostId kHost{"i-1"};
  const core::NoticeKind kSoft = core::NoticeKind::kRebalanceRecommendation;
  SteadyClock clock_;
  http::Client http_{executor(), {}};
  aws::FixedCredentials credentials_{{.access_key_id = "k", .secret_access_key = Secret("s")}};
  std::unique_ptr<aws::Client> client_;
  std::unique_ptr<HostMark> mark_;
  Instance instance_;
  std::string status_ = "ACTIVE";
  std::optional<std::string> record_;
  Result<std::string> ends_anyway_ = "";
  std::map<std::string, std::string> failing_;  // actions, and with what
  std::vector<std::string> asked_;
  std::vector<std::string> said_;
};

TEST_F(HostMarkTest, TheRecordComesBeforeDraining) {
  EXPECT_THAT(set(notice(kSoft)), HasSubstr("DRAINING"));
  EXPECT_THAT(asked_, ElementsAre("DescribeContainerInstances", "PutAttributes",
                                  "UpdateContainerInstancesState"));
  ASSERT_TRUE(record_);
  EXPECT_THAT(*record_, HasSubstr("RebalanceRecommendation/"));
}

TEST_F(HostMarkTest, WhatHurriesIsNotRecorded) {
  set(notice(core::NoticeKind::kSpotInterruption));
  EXPECT_EQ(status_, "DRAINING");
  EXPECT_THAT(asked_, ElementsAre("DescribeContainerInstances", "UpdateContainerInstancesState"));
}

TEST_F(HostMarkTest, AfterARestartItIsOursStillAndTheRecordGoesWithIt) {
  set(notice(kSoft));
  restart();
  EXPECT_THAT(set(notice(kSoft)), HasSubstr("by us before a restart"));
  EXPECT_EQ(take_back(), "ACTIVE again");
  EXPECT_EQ(status_, "ACTIVE");
  EXPECT_FALSE(record_);
}

TEST_F(HostMarkTest, WithoutARecordItIsSomebodyElses) {
  status_ = "DRAINING";
  EXPECT_THAT(set(notice(kSoft)), HasSubstr("not by us (its ECS agent's own draining"));
  EXPECT_THAT(take_back(), HasSubstr("nothing taken back"));
  EXPECT_EQ(status_, "DRAINING");
}

TEST_F(HostMarkTest, WhatAPersonDrainsTheAgentDoesNotTakeBackAndTheOtherWayRound) {
  const core::NoticeKind hand = core::NoticeKind::kManual;
  struct Row {
    core::NoticeKind first;
    core::NoticeKind second;
    const char* by_whom;
  };
  for (const Row& row :
       {Row{hand, kSoft, "a 'spotkeeper drain'"}, Row{kSoft, hand, "the agent of that host"}}) {
    status_ = "ACTIVE";
    set(notice(row.first));
    restart();
    EXPECT_THAT(set(notice(row.second)), HasSubstr(row.by_whom));
    EXPECT_THAT(take_back(), HasSubstr("nothing taken back"));
    EXPECT_EQ(status_, "DRAINING");
    restart();
  }
}

TEST_F(HostMarkTest, ALaterNoticeIsRecordedInsteadAndOnce) {
  core::Notice later = notice(kSoft);
  set(later);
  later.id = core::NoticeId("later");
  EXPECT_EQ(set(later), "DRAINING already, by us");
  EXPECT_THAT(*record_, HasSubstr("/later"));
  asked_.clear();
  set(later);
  EXPECT_THAT(asked_, IsEmpty());
}

// Else somebody else's DRAINING would be taken back.
TEST_F(HostMarkTest, ARecordThatCouldNotBeRemovedSaysNothing) {
  set(notice(kSoft));
  failing_["DeleteAttributes"] = "AccessDeniedException";
  EXPECT_THAT(take_back(), HasSubstr("ACTIVE again; its attribute spotkeeper.drain is still there, "
                                     "remove it"));
  EXPECT_THAT(asked_.back(), "DeleteAttributes");
  status_ = "DRAINING";
  EXPECT_THAT(set(notice(kSoft)), HasSubstr("not by us"));
}

TEST_F(HostMarkTest, WithoutTheRightToRecordItIsDrainedAndThatIsSaidOnce) {
  failing_["PutAttributes"] = "AccessDeniedException";
  set(notice(kSoft));
  EXPECT_EQ(status_, "DRAINING");
  core::Notice later = notice(kSoft);
  later.id = core::NoticeId("later");
  set(later);
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0], HasSubstr("allow: ecs:PutAttributes"));
  EXPECT_EQ(take_back(), "ACTIVE again") << "in this life it is known";
}

TEST_F(HostMarkTest, WhatAutoScalingEndsIsNotMadeActiveAgain) {
  set(notice(kSoft));
  ends_anyway_ = "its group ends it";
  EXPECT_EQ(take_back(), "nothing taken back: its group ends it");
  EXPECT_EQ(status_, "DRAINING");
}

TEST_F(HostMarkTest, WhileItIsNotKnownWhetherItEndsItStaysDraining) {
  set(notice(kSoft));
  ends_anyway_ = retryable("metadata is silent");
  EXPECT_EQ(take_back(), "failed: metadata is silent");
  EXPECT_EQ(status_, "DRAINING");
  ends_anyway_ = "";
  EXPECT_EQ(take_back(), "ACTIVE again");
}

TEST_F(HostMarkTest, APersonsWordTakesBackWhateverAndItsRecord) {
  status_ = "DRAINING";
  record_ = "RebalanceRecommendation//n";
  const auto undone = run(set_active(*client_, instance_));
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(*undone, "ACTIVE again");
  EXPECT_EQ(status_, "ACTIVE");
  EXPECT_FALSE(record_);
}

}  // namespace
}  // namespace spotkeeper::ecs
