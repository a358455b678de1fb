// SPDX-License-Identifier: Apache-2.0
// The adapter against a scripted ECS: what it asks, and what it makes of the answers.
#include "ecs/ecs.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>

#include "ecs/test_tasks.h"
#include "http/server_fixture.h"

namespace spotkeeper::ecs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string instance_json(const std::string& status) {
  return R"({"containerInstances":[{"containerInstanceArn":")" + kInstanceArn +
         R"(","ec2InstanceId":"i-1","status":")" + status + R"(","agentConnected":true}],)" +
         R"("failures":[]})";
}

std::string task_json(const std::string& id, const std::string& group) {
  return R"({"taskArn":")" + task_arn(id) + R"(","containerInstanceArn":")" + kInstanceArn +
         R"(","taskDefinitionArn":")" + definition_arn("app") + R"(","group":")" + group +
         R"(","startedBy":")" + (group.starts_with("service:") ? "ecs-svc/1" : "me") +
         R"(","lastStatus":"RUNNING","desiredStatus":"RUNNING","version":1,"containers":[]})";
}

class EcsTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&EcsTest::answer);
    aws::ClientOptions options{.region = "eu-west-1", .tries = 1};
    options.endpoints.url = url();
    client_ = std::make_unique<aws::Client>(http_, credentials_, clock_, options);
    answers_["DescribeContainerInstances"] = {200, instance_json("ACTIVE")};
    answers_["UpdateContainerInstancesState"] = {200, instance_json("DRAINING")};
    answers_["StopTask"] = {200, R"({"task":)" + task_json("1", "family:job") + "}"};
    answers_["ListTasks"] = {
        200, R"({"taskArns":[")" + task_arn("1") + R"(",")" + task_arn("2") + R"("]})"};
    answers_["DescribeTasks"] = {200, R"({"tasks":[)" + task_json("1", "family:job") + "," +
                                          task_json("2", "service:web") + R"(],"failures":[]})"};
    answers_["DescribeTaskDefinition"] = {
        200, R"({"taskDefinition":{"taskDefinitionArn":")" + definition_arn("app") +
                 R"(","family":"app","containerDefinitions":[{"name":"app","stopTimeout":7}]}})"};
    answers_["DescribeServices"] = {
        200, R"({"services":[{"serviceArn":"arn:web","serviceName":"web","status":"ACTIVE",
             "schedulingStrategy":"REPLICA","desiredCount":2,"runningCount":2,"deploymentConfiguration":
             {"minimumHealthyPercent":100,"maximumPercent":150}}],"failures":[]})"};
    ecs_ = std::make_unique<Ecs>(
        *client_, tasks_, clock_, Ecs::Options{},
        [this](const core::HostId&, core::Observation seen) { seen_.push_back(std::move(seen)); },
        [this](const core::HostId&, core::Level, const std::string& text) {
          said_.push_back(text);
        });
    aws::ContainerInstance facts;
    facts.arn = kInstanceArn;
    facts.ec2_instance_id = "i-1";
    instance_ = {.cluster = "prod", .facts = facts};
  }

  static Task<http::ServerResponse> answer(EcsTest* test, http::ServerRequest request) {
    const std::string* target = http::find_header(request.headers, "X-Amz-Target");
    const std::string action = target == nullptr ? "" : target->substr(target->find('.') + 1);
    test->asked_.push_back(action);
    test->bodies_[action] = request.body;
    http::ServerResponse response;
    response.content_type = "application/x-amz-json-1.1";
    if (int& left = test->throttled_[action]; left > 0) {
      --left;
      response.status = 400;
      response.body = R"({"__type":"ThrottlingException","message":"Rate exceeded"})";
      co_return response;
    }
    std::tie(response.status, response.body) = test->answers_[action];
    co_return response;
  }

  static Task<> find(aws::Client& client, Silence silence, std::optional<ErrorKind>& failed) {
    const auto found = co_await find_instance(client, "prod", "i-1", Millis(5'000), silence);
    failed = found ? ErrorKind::kRetryable : found.error().kind;
  }

  core::Action action(core::ActionKind kind, const std::string& task = "") {
    core::Action action;
    action.number = ++number_;
    action.kind = kind;
    action.host = kHost;
    action.unit = core::UnitId(task_arn(task));
    action.unit_name = "app/" + task;
    action.notice.deadline = clock_.now() + Seconds(120);
    action.reason = "because";
    return action;
  }

  Result<std::string> carry_out(core::Action wanted) {
    const uint64_t number = wanted.number;
    ecs_->carry_out(std::move(wanted));
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

  // All tasks are known.
  void watch() {
    ecs_->know(kHost, instance_);
    ecs_->watch(kHost, core::Notice{.deadline = clock_.now() + Seconds(120)});
    run_until([&] {
      return std::ranges::any_of(seen_, [](const core::Observation& seen) {
        return std::holds_alternative<core::UnitsListed>(seen);
      });
    });
    asked_.clear();
  }

  const core::HostId kHost{"i-1"};
  SteadyClock clock_;
  http::Client http_{executor(), {}};
  aws::FixedCredentials credentials_{{.access_key_id = "k", .secret_access_key = Secret("s")}};
  std::unique_ptr<aws::Client> client_;
  std::unique_ptr<Ecs> ecs_;
  Instance instance_;
  std::map<std::string, std::pair<int, std::string>> answers_;
  std::map<std::string, std::string> bodies_;
  std::map<std::string, int> throttled_;  // that many calls of an action
  std::vector<std::string> asked_;
  std::vector<core::Observation> seen_;
  std::vector<std::string> said_;
  uint64_t number_ = 0;
};

TEST_F(EcsTest, TheMarkIsOneReadAndOneWrite) {
  ecs_->know(kHost, instance_);
  const auto result = carry_out(action(core::ActionKind::kMark));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(*result, HasSubstr("DRAINING"));
  EXPECT_THAT(asked_, ElementsAre("DescribeContainerInstances", "UpdateContainerInstancesState"));
}

TEST_F(EcsTest, WhatIsActiveAgainByOthersIsLeftSo) {
  ecs_->know(kHost, instance_);
  ASSERT_TRUE(carry_out(action(core::ActionKind::kMark)));
  asked_.clear();
  const auto undone = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(undone);
  EXPECT_THAT(*undone, HasSubstr("it is ACTIVE"));
  EXPECT_THAT(asked_, Not(Contains("UpdateContainerInstancesState")));
}

TEST_F(EcsTest, WhatWeHaveSetWeTakeBack) {
  ecs_->know(kHost, instance_);
  ASSERT_TRUE(carry_out(action(core::ActionKind::kMark)));
  answers_["DescribeContainerInstances"] = {200, instance_json("DRAINING")};
  const auto undone = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(*undone, "ACTIVE again");
  EXPECT_THAT(bodies_["UpdateContainerInstancesState"], HasSubstr("ACTIVE"));
}

TEST_F(EcsTest, WhatOthersHaveSetIsOnlyCompleted) {
  ecs_->know(kHost, instance_);
  answers_["DescribeContainerInstances"] = {200, instance_json("DRAINING")};
  const auto marked = carry_out(action(core::ActionKind::kMark));
  ASSERT_TRUE(marked);
  EXPECT_THAT(*marked, HasSubstr("not by us"));
  const auto undone = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(undone);
  EXPECT_THAT(*undone, HasSubstr("nothing taken back"));
  EXPECT_THAT(asked_, Not(Contains("UpdateContainerInstancesState")));
}

TEST_F(EcsTest, AnUpdateOfOursWhoseAnswerWasLostIsOurs) {
  ecs_->know(kHost, instance_);
  const auto update = answers_["UpdateContainerInstancesState"];
  answers_["UpdateContainerInstancesState"] = {503, ""};
  ASSERT_FALSE(carry_out(action(core::ActionKind::kMark)));
  answers_["DescribeContainerInstances"] = {200, instance_json("DRAINING")};
  answers_["UpdateContainerInstancesState"] = update;
  const auto marked = carry_out(action(core::ActionKind::kMark));
  ASSERT_TRUE(marked);
  EXPECT_THAT(*marked, Not(HasSubstr("not by us")));
  const auto undone = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(undone);
  EXPECT_EQ(*undone, "ACTIVE again");
}

TEST_F(EcsTest, AnUpdateThatWasRefusedSetsNothing) {
  ecs_->know(kHost, instance_);
  throttled_["UpdateContainerInstancesState"] = 1;
  ASSERT_FALSE(carry_out(action(core::ActionKind::kMark)));
  answers_["DescribeContainerInstances"] = {200, instance_json("DRAINING")};
  const auto marked = carry_out(action(core::ActionKind::kMark));
  ASSERT_TRUE(marked);
  EXPECT_THAT(*marked, HasSubstr("not by us"));
}

TEST_F(EcsTest, WithoutTheRightToLookItIsMarkedAndNotTakenBack) {
  ecs_->know(kHost, instance_);
  answers_["DescribeContainerInstances"] = {400,
                                            R"({"__type":"AccessDeniedException","message":"no"})"};
  ASSERT_TRUE(carry_out(action(core::ActionKind::kMark)));
  const auto undone = carry_out(action(core::ActionKind::kUndo));
  ASSERT_TRUE(undone);
  EXPECT_THAT(*undone, HasSubstr("nothing taken back"));
}

TEST_F(EcsTest, AMissingRightIsOneForGood) {
  ecs_->know(kHost, instance_);
  answers_["UpdateContainerInstancesState"] = {
      400, R"({"__type":"AccessDeniedException","message":"not authorized"})"};
  const auto result = carry_out(action(core::ActionKind::kMark));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().no_right);
  EXPECT_EQ(result.error().status, 403) << "as the core knows it";
  EXPECT_THAT(result.error().message, HasSubstr("allow: ecs:UpdateContainerInstancesState"));
}

TEST_F(EcsTest, AHostThatIsNotKnownYetIsWeather) {
  const auto result = carry_out(action(core::ActionKind::kMark));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kRetryable);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(EcsTest, TasksAreToldOnceAllIsKnownOfThem) {
  watch();
  std::vector<core::Unit> units;
  for (const core::Observation& seen : seen_) {
    if (const auto* unit = std::get_if<core::UnitSeen>(&seen)) units.push_back(unit->unit);
  }
  ASSERT_EQ(units.size(), 2U) << "not in parts";
  EXPECT_EQ(units[0].grace, Seconds(7));
  EXPECT_TRUE(units[0].budgets.empty());
  ASSERT_EQ(units[1].budgets.size(), 1U);
  EXPECT_EQ(units[1].budgets[0].value, "service web (minimumHealthyPercent 100)");
}

// "All have left", said of a book that an earlier drain has closed, would end the next one at once.
TEST_F(EcsTest, ALaterDrainIsToldNothingBeforeItHasLookedAnew) {
  const auto listed = [this] {
    return std::ranges::any_of(seen_, [](const core::Observation& seen) {
      return std::holds_alternative<core::UnitsListed>(seen);
    });
  };
  HostView view(*client_, clock_, executor(), HostView::Options{}, instance_,
                {.report = [this](core::Observation seen) { seen_.push_back(std::move(seen)); },
                 .say = [](core::Level, const std::string&) {}});
  view.begin(core::Notice{.deadline = clock_.now() + Seconds(120)});
  view.spawned();
  tasks_.spawn("view", view.run());
  run_until(listed);
  view.rest(clock_.now());
  run_until([&] { return !view.running(); });
  seen_.clear();
  view.begin(core::Notice{.deadline = clock_.now() + Seconds(120)});
  EXPECT_FALSE(listed());
  view.spawned();
  tasks_.spawn("view", view.run());
  run_until(listed);
  EXPECT_EQ(std::ranges::count_if(seen_,
                                  [](const core::Observation& seen) {
                                    return std::holds_alternative<core::UnitSeen>(seen);
                                  }),
            2);
  view.rest(clock_.now());
  run_until([&] { return !view.running(); });
}

TEST_F(EcsTest, AThrottledFirstLookAtServicesDoesNotMakeADaemonLikeOthers) {
  std::string& services = answers_["DescribeServices"].second;
  services.replace(services.find("REPLICA"), 7, "DAEMON");
  throttled_["DescribeServices"] = 2;
  watch();
  std::string exempt;
  for (const core::Observation& seen : seen_) {
    const auto* unit = std::get_if<core::UnitSeen>(&seen);
    if (unit != nullptr && unit->unit.owner == "Service/web") exempt = unit->unit.exempt;
  }
  EXPECT_THAT(exempt, HasSubstr("daemon service"));
}

TEST_F(EcsTest, AskingAServicesTaskIsDrainingsBusiness) {
  watch();
  const auto result = carry_out(action(core::ActionKind::kAsk, "2"));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().budget);
  EXPECT_THAT(result.error().message, HasSubstr("keep 100 % of its 2 tasks"));
  EXPECT_THAT(asked_, Not(Contains("StopTask")));
}

TEST_F(EcsTest, AStandaloneTaskHasNobodyToRefuse) {
  watch();
  ASSERT_TRUE(carry_out(action(core::ActionKind::kAsk, "1")));
  EXPECT_THAT(asked_, Contains("StopTask"));
  EXPECT_THAT(bodies_["StopTask"], HasSubstr("spotkeeper: SpotInterruption ends its host at"));
}

TEST_F(EcsTest, StopIsStopTaskWhateverTheService) {
  watch();
  ASSERT_TRUE(carry_out(action(core::ActionKind::kStop, "2")));
  EXPECT_THAT(bodies_["StopTask"], HasSubstr(task_arn("2")));
}

// Its stoppedReason is read by people who know no budgets.
TEST_F(EcsTest, TheReasonIsInTheWordsOfEcs) {
  watch();
  core::Action stop = action(core::ActionKind::kStop, "2");
  stop.reason = "its last moment, and its budget does not let it go";
  ASSERT_TRUE(carry_out(std::move(stop)));
  EXPECT_THAT(bodies_["StopTask"],
              HasSubstr("its last moment, and its service does not let it go"));
}

TEST_F(EcsTest, ATaskThatIsNotHereIsGone) {
  watch();
  const auto result = carry_out(action(core::ActionKind::kStop, "ghost"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kGone);
}

// A host that is not registered yet must not list its whole cluster at every attempt.
TEST_F(EcsTest, AllOfAClusterIsLookedThroughOnlyWhereTheFilterIsInDoubt) {
  struct Row {
    const char* listed;  // by the filter
    Silence silence;
    int lists;
  };
  std::string other = instance_json("ACTIVE");
  other.replace(other.find("i-1"), 3, "i-2");
  answers_["DescribeContainerInstances"] = {200, other};
  for (const Row& row :
       {Row{"", Silence::kBelieved, 1}, Row{"", Silence::kDoubted, 2},
        Row{R"("other")", Silence::kBelieved, 2}, Row{R"("other")", Silence::kDoubted, 2}}) {
    asked_.clear();
    answers_["ListContainerInstances"] = {
        200, std::string(R"({"containerInstanceArns":[)") + row.listed + "]}"};
    std::optional<ErrorKind> failed;
    tasks_.spawn("find", find(*client_, row.silence, failed));
    run_until([&] { return failed.has_value(); });
    EXPECT_EQ(*failed, ErrorKind::kGone) << "another host is none of ours";
    EXPECT_EQ(std::ranges::count(asked_, "ListContainerInstances"), row.lists) << row.listed;
  }
}

TEST(Looks, AreRareWhereNothingIsUrgent) {
  struct Row {
    core::NoticeKind kind;
    bool rests;
    Millis wanted;
  };
  for (const Row& row : {Row{core::NoticeKind::kSpotInterruption, false, Millis(2'000)},
                         Row{core::NoticeKind::kSpotInterruption, true, Millis(10'000)},
                         Row{core::NoticeKind::kRebalanceRecommendation, false, Millis(10'000)},
                         Row{core::NoticeKind::kRebalanceRecommendation, true, Millis(10'000)}}) {
    const core::Notice notice{.kind = row.kind, .deadline = Time(Seconds(1'000'000))};
    EXPECT_EQ(pause_between_looks(notice, row.rests), row.wanted);
  }
}

TEST(Deregister, ShortlyBeforeTheEndAndNotAtOnceForADeadlineThatIsPast) {
  const Time now(Seconds(1'000'000));
  struct Row {
    int deadline;
    int wanted;
  };
  for (const Row& row :
       {Row{120, 118}, Row{10, 8}, Row{3, 1}, Row{2, 13}, Row{1, 13}, Row{-60, 13}}) {
    EXPECT_EQ(deregister_at(now + Seconds(row.deadline), now), now + Seconds(row.wanted))
        << row.deadline;
  }
}

TEST_F(EcsTest, DeregisteringIsTriedAgainWhereItWasThrottled) {
  Ecs ecs(
      *client_, tasks_, clock_, Ecs::Options{.view = {}, .deregister = true},
      [](const core::HostId&, const core::Observation&) {},
      [this](const core::HostId&, core::Level, const std::string& text) { said_.push_back(text); });
  ecs.know(kHost, instance_);
  throttled_["DeregisterContainerInstance"] = 2;
  answers_["DeregisterContainerInstance"] = {
      200, R"({"containerInstance":{"containerInstanceArn":")" + kInstanceArn +
               R"(","ec2InstanceId":"i-1","status":"INACTIVE","agentConnected":true}})"};
  const core::Notice notice{.deadline = clock_.now() + Seconds(120)};
  ecs.finished(core::Drain(kHost, notice, core::Policy{}, clock_.now()));
  run_until([&] { return !said_.empty(); });
  EXPECT_EQ(std::ranges::count(asked_, "DeregisterContainerInstance"), 3);
  EXPECT_THAT(said_, ElementsAre("the container instance is deregistered from its cluster"));
}

// ECS's filter is not believed either.
TEST_F(EcsTest, ATaskOfAnotherHostIsNoneOfOurs) {
  std::string foreign = task_json("1", "family:job");
  foreign.replace(foreign.find("/aaaa"), 5, "/bbbb");
  answers_["DescribeTasks"] = {200, R"({"tasks":[)" + foreign + R"(],"failures":[]})"};
  watch();
  for (const core::Observation& seen : seen_) {
    EXPECT_FALSE(std::holds_alternative<core::UnitSeen>(seen));
  }
}

}  // namespace
}  // namespace spotkeeper::ecs
