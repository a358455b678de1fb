// SPDX-License-Identifier: Apache-2.0
// Target groups against a scripted Elastic Load Balancing: what is taken out of them, and what the
// core is told of it.
#include "ecs/balancers.h"

#include <gmock/gmock.h>

#include <memory>

#include "async/deadline.h"
#include "ecs/targets.h"
#include "ecs/test_tasks.h"
#include "http/server_fixture.h"

namespace spotkeeper::ecs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr Seconds kStop{20};
constexpr Seconds kDelay{40};

struct Row {
  std::string id;
  int64_t port;
  std::string state = "healthy";
};

class BalancersTest : public http::ServerFixture {
 protected:
  void SetUp() override {
    serve(&BalancersTest::answer);
    aws::ClientOptions options{.region = "eu-west-1", .tries = 1};
    options.endpoints.url = url();
    client_ = std::make_unique<aws::Client>(http_, credentials_, clock_, options);
    aws::EcsService web = make_service("web");
    web.load_balancers = {{.target_group_arn = "arn:aws:elb:targetgroup/web/1",
                           .classic_name = {},
                           .container_name = "app",
                           .container_port = 80}};
    book_.room(Seconds(117));
    book_.service(web);
    book_.seen({make_task("1", "web")}, {}, clock_.now());
    network("bridge");
    use("i-1");
  }

  void network(const std::string& mode) {
    aws::EcsTaskDefinition definition = make_definition("web", kStop.count());
    definition.network_mode = mode;
    book_.definition(definition);
  }
  void use(const std::string& ec2_instance_id) {
    balancers_ = std::make_unique<Balancers>(
        *client_, clock_, ec2_instance_id,
        Balancers::Hooks{.tell =
                             [this](const TaskBook::Observations& all) {
                               for (const core::Observation& each : all) {
                                 const auto* seen = std::get_if<core::UnitSeen>(&each);
                                 if (seen != nullptr) grace_ = seen->unit.grace;
                               }
                             },
                         .trouble = [](const Error&, const std::string&, const char*) {},
                         .say = [](core::Level, const std::string&) {}});
  }

  static Task<http::ServerResponse> answer(BalancersTest* test, http::ServerRequest request) {
    http::ServerResponse response;
    response.content_type = "text/xml";
    if (request.body.contains("Action=DescribeTargetGroupAttributes")) {
      response.body = group_xml();
    } else if (request.body.contains("Action=DescribeTargetHealth")) {
      if (!test->hangs_.empty() && request.body.contains(test->hangs_)) {
        co_await sleep_for(Seconds(60));
      }
      response.body = health_xml(test->rows_);
    } else {
      const size_t port = request.body.find("Port=");
      test->taken_out_.push_back(port == std::string::npos ? "" : request.body.substr(port + 5));
      response.status = test->status_;
      response.body =
          test->status_ == 200
              ? "<DeregisterTargetsResponse><DeregisterTargetsResult/></DeregisterTargetsResponse>"
              : "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>";
    }
    co_return response;
  }
  static std::string group_xml() {
    return "<DescribeTargetGroupAttributesResponse><DescribeTargetGroupAttributesResult>"
           "<Attributes><member><Key>deregistration_delay.timeout_seconds</Key><Value>" +
           std::to_string(kDelay.count()) +
           "</Value></member></Attributes></DescribeTargetGroupAttributesResult>"
           "</DescribeTargetGroupAttributesResponse>";
  }
  static std::string health_xml(const std::vector<Row>& rows) {
    std::string members;
    for (const Row& row : rows) {
      members += "<member><Target><Id>" + row.id + "</Id><Port>" + std::to_string(row.port) +
                 "</Port></Target><TargetHealth><State>" + row.state +
                 "</State></TargetHealth></member>";
    }
    return "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>" +
           members +
           "</TargetHealthDescriptions></DescribeTargetHealthResult></"
           "DescribeTargetHealthResponse>";
  }

  // One look, as HostView's.
  void look(Seconds left = Seconds(117)) {
    taken_out_.clear();
    bool done = false;
    tasks_.spawn("look", look_at(this, clock_.now() + left, done));
    run_until([&] { return done; });
  }
  static Task<> look_at(BalancersTest* test, Time end, bool& done) {
    co_await test->balancers_->read_delays(test->book_, end);
    co_await test->balancers_->take_out(test->book_, end);
    done = true;
  }

  static Task<> cut_off_look(BalancersTest* test, bool& done) {
    const Time end = test->clock_.now() + Seconds(117);
    co_await finish_within(Millis(300), test->balancers_->take_out(test->book_, end));
    done = true;
  }

  SteadyClock clock_;
  http::Client http_{executor(), {}};
  aws::FixedCredentials credentials_{{.access_key_id = "k", .secret_access_key = Secret("s")}};
  std::unique_ptr<aws::Client> client_;
  TaskBook book_{{}};
  std::unique_ptr<Balancers> balancers_;
  std::vector<Row> rows_;
  std::string hangs_;                   // the name of a target group, of which nothing is said
  int status_ = 200;                    // of DeregisterTargets
  std::vector<std::string> taken_out_;  // ports, in the last look
  std::optional<Seconds> grace_;        // as last told
};

TEST_F(BalancersTest, WhereAnotherServesItIsTakenOutAtOnceAndItsDelayRuns) {
  rows_ = {{"i-1", 32768}, {"i-2", 32768}};
  look();
  EXPECT_THAT(taken_out_, ElementsAre("32768"));
  EXPECT_EQ(grace_, kStop);
}

// Load balancers that hang are given up after a time; who comes after them has its turn.
TEST_F(BalancersTest, AGroupThatHangsKeepsNoOtherFromItsTurn) {
  aws::EcsService api = make_service("api");
  api.load_balancers = {{.target_group_arn = "arn:aws:elb:targetgroup/api/1",
                         .classic_name = {},
                         .container_name = "app",
                         .container_port = 80}};
  book_.service(api);
  aws::EcsTask task = make_task("2", "api");
  task.task_definition_arn = definition_arn("web");
  book_.seen({make_task("1", "web"), task}, {}, clock_.now());
  rows_ = {{"i-1", 32768}, {"i-2", 32768}};
  for (const char* hanging : {"api", "web"}) {
    use("i-1");
    hangs_ = std::string("targetgroup%2F") + hanging;
    taken_out_.clear();
    for (int look = 0; look < 2; ++look) {
      bool done = false;
      tasks_.spawn("look", cut_off_look(this, done));
      run_until([&] { return done; });
    }
    EXPECT_THAT(taken_out_, Not(IsEmpty())) << hanging;
  }
}

TEST_F(BalancersTest, ATargetThatIsNotFoundIsNotOut) {
  struct Case {
    const char* network;
    const char* ec2_instance_id;
    std::vector<Row> rows;
    bool out;
  };
  for (const Case& each : {Case{"bridge", "i-1", {{"i-2", 32768}}, false},  // the other colour's
                           Case{"bridge", "", {{"i-1", 32768}, {"i-2", 32768}}, false},
                           Case{"bridge", "i-1", {{"i-1", 80}, {"i-2", 80}}, false},
                           Case{"host", "i-1", {{"i-1", 80}, {"i-2", 80}}, true}}) {
    use(each.ec2_instance_id);
    network(each.network);
    rows_ = each.rows;
    grace_.reset();
    look();
    EXPECT_EQ(!taken_out_.empty(), each.out) << each.network << " " << each.ec2_instance_id;
    EXPECT_EQ(grace_ == kStop, each.out) << "its delay is still to come";
  }
}

TEST_F(BalancersTest, WhatIsRegisteredAgainIsTakenOutAgain) {
  const Row other{"i-2", 32768};
  rows_ = {{"i-1", 32768}, other};
  look();
  ASSERT_THAT(taken_out_, ElementsAre("32768"));
  rows_ = {{"i-1", 32768, "draining"}, other};
  look();
  EXPECT_THAT(taken_out_, IsEmpty()) << "once is enough";
  rows_ = {{"i-1", 32768, "initial"}, other};
  look();
  EXPECT_THAT(taken_out_, ElementsAre("32768"));
  EXPECT_EQ(grace_, kStop);
}

TEST_F(BalancersTest, WhatIsBackAndCannotBeTakenOutHasItsDelayStillToCome) {
  rows_ = {{"i-1", 32768}, {"i-2", 32768}};
  look();
  ASSERT_EQ(grace_, kStop);
  status_ = 503;
  look();
  EXPECT_EQ(grace_, kStop + kDelay);
  status_ = 200;
  look();
  EXPECT_EQ(grace_, kStop);
}

TEST_F(BalancersTest, WhomOthersHaveTakenOutIsOut) {
  rows_ = {{"i-1", 32768, "draining"}, {"i-2", 32768}};
  look();
  EXPECT_THAT(taken_out_, IsEmpty());
  EXPECT_EQ(grace_, kStop);
}

TEST_F(BalancersTest, TheLastOneServesOnUntilItsTimeHasCome) {
  rows_ = {{"i-1", 32768}, {"i-2", 32768, "unhealthy"}};
  look();
  EXPECT_THAT(taken_out_, IsEmpty());
  EXPECT_EQ(grace_, kStop + kDelay);
  EXPECT_TRUE(balancers_->pending());
  look(kStop + kDelay + kBeforeStop);
  EXPECT_THAT(taken_out_, ElementsAre("32768"));
  EXPECT_EQ(grace_, kStop);
}

}  // namespace
}  // namespace spotkeeper::ecs
