// SPDX-License-Identifier: Apache-2.0
#include "aws/ecs.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "aws/aws_fixture.h"
#include "base/json.h"

namespace spotkeeper::aws {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* kTask = R"({
  "taskArn":"arn:t/1","clusterArn":"arn:c","containerInstanceArn":"arn:i/1",
  "taskDefinitionArn":"arn:d/web:7","group":"service:web","startedBy":"ecs-svc/9",
  "launchType":"EC2","lastStatus":"RUNNING","desiredStatus":"STOPPED","healthStatus":"HEALTHY",
  "version":4,"createdAt":1795255200.25,"startedAt":1795255201,"stoppingAt":null,
  "containers":[{"name":"app","lastStatus":"RUNNING","healthStatus":"UNKNOWN",
    "networkBindings":[{"bindIP":"0.0.0.0","containerPort":80,"hostPort":32768,"protocol":"tcp"}],
    "networkInterfaces":[{"attachmentId":"x","privateIpv4Address":"10.0.0.7","ipv6Address":"fd::7"}]},
    {"name":"side","lastStatus":"STOPPED","exitCode":137,"reason":"OutOfMemory"}]})";

TEST(EcsRecords, ATask) {
  const auto task = decode_task(json::parse(kTask));
  ASSERT_TRUE(task.has_value()) << task.error().message;
  EXPECT_EQ(task->service(), "web");
  EXPECT_EQ(task->version, 4);
  EXPECT_EQ(format_time(*task->created), "2026-11-21T10:00:00.250Z");
  EXPECT_FALSE(task->stopping.has_value());
  ASSERT_EQ(task->containers.size(), 2u);
  EXPECT_EQ(task->containers[0].bindings[0].host_port, 32768);
  EXPECT_THAT(task->containers[0].private_ips, ElementsAre("10.0.0.7", "fd::7"));
  EXPECT_FALSE(task->containers[0].exit_code.has_value());
  EXPECT_EQ(task->containers[1].exit_code, 137);
  EXPECT_EQ(EcsTask{.group = "family:job"}.service(), "");
}

TEST(EcsRecords, AService) {
  const auto service = decode_service(json::parse(
      R"({"serviceArn":"arn:s/web","serviceName":"web","status":"ACTIVE","schedulingStrategy":"REPLICA",
          "desiredCount":3,"runningCount":2,"pendingCount":1,
          "deploymentConfiguration":{"maximumPercent":150,"minimumHealthyPercent":50},
          "loadBalancers":[{"targetGroupArn":"arn:g","containerName":"app","containerPort":80}],
          "deployments":[{"id":"ecs-svc/9","status":"PRIMARY","rolloutState":"COMPLETED",
                          "taskDefinition":"arn:d/web:7","desiredCount":3,"runningCount":2}]})"));
  ASSERT_TRUE(service.has_value()) << service.error().message;
  EXPECT_EQ(service->minimum_healthy_percent, 50);
  EXPECT_EQ(service->maximum_percent, 150);
  EXPECT_EQ(service->controller, "ECS");
  EXPECT_EQ(service->load_balancers.at(0).target_group_arn, "arn:g");
  EXPECT_EQ(service->deployments.at(0).running, 2);
}

TEST(EcsRecords, AServiceThatDoesNotSayItsPercents) {
  const auto replica = decode_service(json::parse(R"({"serviceArn":"a"})"));
  EXPECT_EQ(replica->minimum_healthy_percent, 100);
  EXPECT_EQ(replica->maximum_percent, 200);
  const auto daemon =
      decode_service(json::parse(R"({"serviceArn":"a","schedulingStrategy":"DAEMON"})"));
  EXPECT_EQ(daemon->minimum_healthy_percent, 0);
  EXPECT_EQ(daemon->maximum_percent, 100);
}

TEST(EcsRecords, ATaskDefinition) {
  const auto definition = decode_task_definition(json::parse(
      R"({"taskDefinitionArn":"arn:d/web:7","family":"web","networkMode":"awsvpc",
          "containerDefinitions":[{"name":"app","stopTimeout":90},{"name":"side","essential":false}]})"));
  ASSERT_TRUE(definition.has_value());
  EXPECT_EQ(definition->containers[0].stop_timeout_s, 90);
  EXPECT_TRUE(definition->containers[0].essential);
  EXPECT_FALSE(definition->containers[1].stop_timeout_s.has_value());
  EXPECT_FALSE(definition->containers[1].essential);
}

TEST(EcsRecords, SayWhatIsMissing) {
  EXPECT_EQ(decode_task(json::parse("{}")).error().message, "task without taskArn");
  EXPECT_FALSE(decode_service(json::parse("[]")).has_value());
  EXPECT_FALSE(decode_container_instance(json::parse("7")).has_value());
  EXPECT_FALSE(decode_task_definition(json::parse("null")).has_value());
}

TEST(EcsRecords, TimesThatAreNone) {
  for (const char* time : {"-1", "1e300", "\"now\"", "{}"}) {
    const auto task =
        decode_task(json::parse(std::string(R"({"taskArn":"a","startedAt":)") + time + "}"));
    EXPECT_FALSE(task->started.has_value()) << time;
  }
}

class EcsTest : public AwsFixture {
 protected:
  Client& client() {
    if (!made_) made_ = std::make_unique<Client>(client_, keys_, clock_, options_);
    return *made_;
  }
  json::value asked(size_t request) { return json::parse(seen_.at(request).body); }
  std::string action(size_t request) {
    const std::string target = header(request, "X-Amz-Target");
    return target.substr(target.find('.') + 1);
  }

  FixedCredentials keys_{session("1")};
  std::unique_ptr<Client> made_;
};

TEST_F(EcsTest, ListsPageByPage) {
  reply(R"({"containerInstanceArns":["a","b"],"nextToken":"more"})");
  reply(R"({"containerInstanceArns":["c"]})");
  ContainerInstanceQuery query{
      .cluster = "prod", .filter = "ec2InstanceId == i-1", .status = "ACTIVE"};
  const auto arns = run(list_container_instances(client(), std::move(query)));
  ASSERT_TRUE(arns.has_value()) << arns.error().message;
  EXPECT_THAT(*arns, ElementsAre("a", "b", "c"));
  EXPECT_EQ(seen_.at(0).body,
            R"({"cluster":"prod","filter":"ec2InstanceId == i-1","status":"ACTIVE"})");
  EXPECT_EQ(text_at(asked(1), {"nextToken"}), "more");
}

TEST_F(EcsTest, PagesWithoutAnEndAreAnError) {
  reply(R"({"taskArns":["a"],"nextToken":"same"})");
  TaskQuery query{.cluster = "", .container_instance = "i", .service = "", .desired_status = ""};
  const auto arns = run(list_tasks(client(), std::move(query)));
  ASSERT_FALSE(arns.has_value());
  EXPECT_THAT(arns.error().message, HasSubstr("pages without an end"));
  EXPECT_EQ(seen_.size(), 2u);
  EXPECT_EQ(seen_[0].body, R"({"containerInstance":"i"})");
}

TEST_F(EcsTest, DescribesAHundredACallAndTellsFailures) {
  reply(std::string(R"({"tasks":[)") + kTask +
        R"(],"failures":[{"arn":"arn:t/2","reason":"MISSING","detail":"d"}]})");
  reply(R"({"tasks":[],"failures":[{"arn":"arn:t/3","reason":"MISSING"}]})");
  const std::vector<std::string> ids(101, "t");
  const auto tasks = run(describe_tasks(client(), "prod", ids));
  ASSERT_TRUE(tasks.has_value()) << tasks.error().message;
  EXPECT_EQ(tasks->found.size(), 1u);
  ASSERT_EQ(tasks->failures.size(), 2u);
  EXPECT_EQ(tasks->failures[0].reason, "MISSING");
  EXPECT_EQ(tasks->failures[1].arn, "arn:t/3");
  EXPECT_EQ(find_array(asked(0), {"tasks"})->size(), 100u);
  EXPECT_EQ(find_array(asked(1), {"tasks"})->size(), 1u);
}

TEST_F(EcsTest, NothingIsNoCall) {
  const auto tasks = run(describe_tasks(client(), "prod", {}));
  ASSERT_TRUE(tasks.has_value());
  EXPECT_THAT(tasks->found, IsEmpty());
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(EcsTest, ServicesAndUpdatesAreTenACall) {
  reply("{}");
  const std::vector<std::string> ids(21, "x");
  EXPECT_TRUE(run(describe_services(client(), "prod", ids)).has_value());
  EXPECT_EQ(seen_.size(), 3u);
  EXPECT_TRUE(run(update_container_instances_state(client(), "prod", ids, "DRAINING")).has_value());
  EXPECT_EQ(seen_.size(), 6u);
  EXPECT_EQ(action(5), "UpdateContainerInstancesState");
  EXPECT_EQ(text_at(asked(5), {"status"}), "DRAINING");
}

TEST_F(EcsTest, DescribesInstances) {
  reply(R"({"containerInstances":[{"containerInstanceArn":"arn:i/1","ec2InstanceId":"i-1",
            "status":"DRAINING","agentConnected":true,"runningTasksCount":3,
            "attributes":[{"name":"ecs.os-type","value":"linux"},{"name":"stack","value":"blue"},
            {"name":"com.amazonaws.ecs.capability.task-eni"},{"name":"flag"}]}],"failures":[]})");
  const auto instances = run(describe_container_instances(client(), "prod", {"arn:i/1"}));
  ASSERT_TRUE(instances.has_value()) << instances.error().message;
  EXPECT_EQ(instances->found.at(0).ec2_instance_id, "i-1");
  EXPECT_EQ(instances->found.at(0).running_tasks, 3);
  EXPECT_TRUE(instances->found.at(0).agent_connected);
  EXPECT_THAT(instances->found.at(0).attributes,
              UnorderedElementsAre(Pair("stack", "blue"), Pair("flag", "")));
}

TEST_F(EcsTest, PutsAndDeletesAttributes) {
  reply(R"({"attributes":[]})");
  ASSERT_TRUE(run(put_attribute(client(), "prod", "arn:i/1", "stack", "blue")).has_value());
  EXPECT_EQ(action(0), "PutAttributes");
  EXPECT_EQ(seen_.at(0).body, R"({"cluster":"prod","attributes":[{"name":"stack","value":"blue",)"
                              R"("targetType":"container-instance","targetId":"arn:i/1"}]})");
  ASSERT_TRUE(run(delete_attribute(client(), "prod", "arn:i/1", "stack")).has_value());
  EXPECT_EQ(action(1), "DeleteAttributes");
  EXPECT_EQ(seen_.at(1).body, R"({"cluster":"prod","attributes":[{"name":"stack",)"
                              R"("targetType":"container-instance","targetId":"arn:i/1"}]})");
}

TEST_F(EcsTest, AnAttributeOfAnInstanceThatIsNotThere) {
  reply(R"({"__type":"TargetNotFoundException","message":"no such target"})", 400);
  const auto put = run(put_attribute(client(), "prod", "arn:i/1", "stack", "blue"));
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().kind, ErrorKind::kGone);
}

TEST_F(EcsTest, StopsATask) {
  reply(std::string(R"({"task":)") + kTask + "}");
  const auto task = run(stop_task(client(), "prod", "arn:t/1", "why"));
  ASSERT_TRUE(task.has_value()) << task.error().message;
  EXPECT_EQ(task->arn, "arn:t/1");
  EXPECT_EQ(action(0), "StopTask");
  EXPECT_EQ(text_at(asked(0), {"reason"}), "why");
}

TEST_F(EcsTest, AReasonIsCutToWhatStopTaskTakes) {
  struct Row {
    std::string reason;
    size_t wanted;
  };
  size_t call = 0;
  for (const Row& row : {Row{std::string(255, 'x'), 255}, Row{std::string(256, 'x'), 255},
                         Row{std::string(254, 'x') + "–", 254}}) {  // not half a character
    reply(std::string(R"({"task":)") + kTask + "}");
    ASSERT_TRUE(run(stop_task(client(), "prod", "arn:t/1", row.reason)).has_value());
    EXPECT_EQ(text_at(asked(call++), {"reason"}).size(), row.wanted);
  }
}

TEST_F(EcsTest, ATaskThatIsNotThereIsGone) {
  reply(R"({"__type":"InvalidParameterException","message":"The referenced task was not found."})",
        400);
  const auto task = run(stop_task(client(), "prod", "arn:t/1", "r"));
  ASSERT_FALSE(task.has_value());
  EXPECT_EQ(task.error().kind, ErrorKind::kGone);
  EXPECT_THAT(task.error().message, HasSubstr("ecs StopTask arn:t/1: InvalidParameterException"));
}

TEST_F(EcsTest, ANewDeploymentIsNotAskedForTwice) {
  reply("", 503);
  const auto service = run(force_new_deployment(client(), "prod", "web"));
  EXPECT_FALSE(service.has_value());
  EXPECT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].body, R"({"cluster":"prod","service":"web","forceNewDeployment":true})");
}

TEST_F(EcsTest, DeregistersAnInstance) {
  reply(R"({"containerInstance":{"containerInstanceArn":"arn:i/1","status":"INACTIVE"}})");
  const auto instance = run(deregister_container_instance(client(), "prod", "arn:i/1", true));
  ASSERT_TRUE(instance.has_value()) << instance.error().message;
  EXPECT_EQ(instance->status, "INACTIVE");
  EXPECT_TRUE(flag_at(asked(0), {"force"}));
}

TEST_F(EcsTest, DescribesATaskDefinition) {
  reply(R"({"taskDefinition":{"taskDefinitionArn":"arn:d/web:7"},"tags":[]})");
  EXPECT_TRUE(run(describe_task_definition(client(), "web:7")).has_value());
  EXPECT_EQ(seen_[0].body, R"({"taskDefinition":"web:7"})");
}

TEST_F(EcsTest, AnAnswerWithoutWhatWasAskedForIsAnError) {
  reply("{}");
  const auto definition = run(describe_task_definition(client(), "web:7"));
  ASSERT_FALSE(definition.has_value());
  EXPECT_EQ(definition.error().message,
            "ecs DescribeTaskDefinition web:7: the answer has no taskDefinition");
}

}  // namespace
}  // namespace spotkeeper::aws
