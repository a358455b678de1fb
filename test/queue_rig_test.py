"""The queue rig's own tests, with boto3 as the client: what the tests of queue mode take for granted."""

import json
import threading
import time

import botocore.config
import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from rig import until
from rig.aws import notices
from rig.aws.queue_rig import MANAGED, QueueRig


def no_nodes(*_, **__):
    raise AssertionError("no control plane here")


@pytest.fixture
def queue():
    rig = QueueRig(no_nodes)
    yield rig
    rig.stop()


def receive(queue, wait=0, visibility=20, most=10):
    answer = queue.sqs.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=most,
        WaitTimeSeconds=wait,
        VisibilityTimeout=visibility,
        AttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
    )
    return answer.get("Messages", [])


def bodies(queue):
    return [json.loads(one["Body"]) for one in receive(queue)]


def refused(call, **asked):
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def grouped(queue, name="workers"):
    """An instance InService in a group."""
    instance = queue.instance()
    queue.group(name)
    queue.hooks.launch(name, instance)
    return instance


# Notices


def test_notices_are_as_aws_writes_them(queue):
    instance = queue.instance()
    ids = [queue.announce_spot(instance, at=0), queue.rebalance(instance), queue.state_change(instance, "stopping")]
    ids += [queue.capacity(instance), queue.health([instance, "i-2"])]
    spot, rebalance, state, capacity, health = bodies(queue)
    assert [one["id"] for one in (spot, rebalance, state, capacity, health)] == ids
    assert spot["time"] == "1970-01-01T00:00:00Z" and spot["source"] == "aws.ec2"
    assert spot["detail"] == {"instance-id": instance, "instance-action": "terminate"}
    assert spot["resources"] == [f"arn:aws:ec2:us-east-1a:instance/{instance}"]
    assert rebalance["detail"] == {"instance-id": instance}
    assert state["detail"]["state"] == "stopping" and state["resources"][0].startswith("arn:aws:ec2:us-east-1:1234567")
    assert capacity["detail-type"] == notices.CAPACITY
    assert [one["entityValue"] for one in health["detail"]["affectedEntities"]] == [instance, "i-2"]


def test_what_no_rule_matches_comes_to_no_queue(queue):
    queue.health([queue.instance()], service="RDS")
    assert queue.left() == 0


def test_messages_wait_are_held_and_go(queue):
    queue.raw("{not json")
    assert queue.left() == 1
    [message] = receive(queue, visibility=1)
    assert receive(queue) == [] and queue.left() == 1
    [again] = receive(queue, wait=5)
    assert again["MessageId"] == message["MessageId"] and again["Attributes"]["ApproximateReceiveCount"] == "2"
    queue.again()
    assert len(receive(queue)) == 1, "delivered once more while it was held"
    queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=again["ReceiptHandle"])
    assert queue.left() == 0
    assert [one.message_id for one in queue.received] == [message["MessageId"]] * 3


def test_a_held_message_is_held_longer(queue):
    queue.raw("x")
    [message] = receive(queue, visibility=1)
    handle = message["ReceiptHandle"]
    queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=handle, VisibilityTimeout=30)
    assert receive(queue, wait=2) == []
    queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert len(receive(queue)) == 1


def test_a_long_poll_answers_when_something_comes(queue):
    found = []
    polls = [threading.Thread(target=lambda: found.append(receive(queue, wait=5))) for _ in range(2)]
    for poll in polls:
        poll.start()
    until(lambda: queue.polling == 2, 5, "two polls wait")
    began = time.monotonic()
    queue.raw("x")
    until(lambda: len(found) == 1, 2, "one has it")
    assert time.monotonic() - began < 1 and len(found[0]) == 1
    queue.raw("y")
    for poll in polls:
        poll.join(5)
    assert [len(one) for one in found] == [1, 1] and queue.most_receives_at_once == 2


def test_nothing_is_lost_or_doubled_between_consumers(queue):
    def consume():
        while messages := receive(queue, wait=1):
            entries = [{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]} for i, one in enumerate(messages)]
            queue.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)

    consumers = [threading.Thread(target=consume) for _ in range(3)]
    for consumer in consumers:
        consumer.start()
    for i in range(60):
        queue.raw(str(i))
    for consumer in consumers:
        consumer.join(20)
    assert sorted(int(one.body) for one in queue.received) == list(range(60)) and queue.left() == 0


def test_a_poll_whose_client_has_gone_takes_no_message(queue):
    config = botocore.config.Config(read_timeout=1, retries={"total_max_attempts": 1}, proxies={})
    hasty = queue.aws.client("sqs", config=config)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        hasty.receive_message(QueueUrl=queue.url, WaitTimeSeconds=10)
    queue.raw("x")
    assert len(receive(queue)) == 1


def test_a_queue_that_is_not_there_and_a_wrong_poll_are_moto_s_to_refuse(queue):
    gone = queue.url.replace("interruptions", "nobody")
    assert "QueueDoesNotExist" in refused(queue.sqs.receive_message, QueueUrl=gone, WaitTimeSeconds=5)
    assert "WaitTimeSeconds" in refused(queue.sqs.receive_message, QueueUrl=queue.url, WaitTimeSeconds=21)


@pytest.mark.parametrize("service", ["sqs", "ec2", "autoscaling", "sns", "events"])
def test_every_service_checks_signatures_and_meets_faults(queue, service):
    calls = {
        "sqs": ("list_queues", "ListQueues"),
        "ec2": ("describe_instances", "DescribeInstances"),
        "autoscaling": ("describe_auto_scaling_groups", "DescribeAutoScalingGroups"),
        "sns": ("list_topics", "ListTopics"),
        "events": ("list_rules", "ListRules"),
    }
    method, action = calls[service]
    wrong = queue.aws.client(service, aws_secret_access_key="wrong")
    assert "ignature" in refused(getattr(wrong, method))
    call = getattr(queue.aws.client(service), method)
    queue.aws.faults.throttle(service, times=1)
    answer = refused(call)
    assert ("RequestLimitExceeded" if service == "ec2" else "Throttling") in answer
    queue.aws.faults.fail(service, times=1)
    assert "InternalFailure" in refused(call)
    call()
    assert [one.status for one in queue.aws.calls_of(action)][-1] == 200


# Instances


def test_instances_have_tags_names_and_states(queue):
    managed, foreign = queue.instance(), queue.instance(managed=False)
    found = queue.ec2.describe_instances(InstanceIds=[managed])["Reservations"][0]["Instances"][0]
    assert {"Key": MANAGED, "Value": "blah"} in found["Tags"] and found["InstanceLifecycle"] == "spot"
    assert found["PrivateDnsName"] == queue.private_dns_name(managed)
    tagged = queue.ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": [MANAGED]}])["Reservations"]
    assert [one["InstanceId"] for r in tagged for one in r["Instances"]] == [managed]
    queue.end(foreign)
    found = queue.ec2.describe_instances(InstanceIds=[foreign])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "terminated"
    queue.forget(foreign)
    assert "InvalidInstanceID.NotFound" in refused(queue.ec2.describe_instances, InstanceIds=[foreign])


# Hooks


def test_terminate_hook_waits_until_it_is_completed(queue):
    instance = grouped(queue)
    action = queue.asg_terminate(instance)
    assert queue.state_of(instance) == "Terminating:Wait"
    [event] = bodies(queue)
    assert event["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    detail = event["detail"]
    assert detail["LifecycleActionToken"] == action.token and detail["EC2InstanceId"] == instance
    names = {"LifecycleHookName": "terminating", "AutoScalingGroupName": "workers"}
    assert "No active Lifecycle Action found with token" in refused(
        queue.asg.complete_lifecycle_action,
        **names,
        LifecycleActionToken="0befcbdb-6ecd-498a-9ff7-ae9b54447cd6",
        LifecycleActionResult="CONTINUE",
    )
    answer = queue.asg.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"][0]
    assert answer["LifecycleState"] == "Terminating:Wait"
    queue.asg.record_lifecycle_action_heartbeat(**names, LifecycleActionToken=action.token)
    queue.asg.complete_lifecycle_action(**names, InstanceId=instance, LifecycleActionResult="CONTINUE")
    assert queue.hooks.states[instance][-3:] == ["Terminating:Wait", "Terminating:Proceed", "Terminated"]
    assert len(queue.completed) == 1 and len(queue.heartbeats) == 1 and action.result == "CONTINUE"
    found = queue.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "terminated" and not queue.lost_hooks
    assert "instance ID" in refused(
        queue.asg.complete_lifecycle_action, **names, InstanceId=instance, LifecycleActionResult="CONTINUE"
    )


def test_heartbeats_extend_up_to_the_global_time_out(queue):
    queue.hooks.second = 0.01
    instance = grouped(queue)
    action = queue.asg_terminate(instance, heartbeat_s=30, DefaultResult="CONTINUE")  # 0.3 s
    until(lambda: queue.state_of(instance) == "", 2, "over by time-out")
    assert action.result == "CONTINUE" and action.timed_out and queue.lost_hooks == [action]
    assert 0.29 <= action.ended_at - action.started_at <= 0.32
    second = grouped(queue)
    action = queue.asg_terminate(second)
    for _ in range(6):
        time.sleep(0.1)
        queue.asg.record_lifecycle_action_heartbeat(
            LifecycleHookName="terminating", AutoScalingGroupName="workers", LifecycleActionToken=action.token
        )
    assert queue.state_of(second) == "Terminating:Wait"
    assert action.global_deadline - action.started_at == pytest.approx(30 * 100 * 0.01)
    assert action.hook.global_s == 3000
    action.global_deadline = time.time()
    assert queue.state_of(second) == ""


def test_every_hook_is_waited_for_and_abandon_stops_the_rest(queue):
    instance = grouped(queue)
    queue.hook("workers", "one")
    queue.hook("workers", "two")
    one = queue.asg_terminate(instance, "one")
    queue.hooks.complete(one, "CONTINUE")
    assert queue.state_of(instance) == "Terminating:Wait"
    other = grouped(queue)
    one = queue.asg_terminate(other, "one")
    queue.hooks.complete(one, "ABANDON")
    assert queue.state_of(other) == "" and queue.action_of(other, "two").result == "ABANDON"


def test_launch_hook(queue):
    queue.group("workers")
    good, bad = queue.instance(), queue.instance()
    action = queue.asg_launch(good)
    assert queue.state_of(good) == "Pending:Wait"
    [event] = bodies(queue)
    assert event["detail"]["LifecycleTransition"] == notices.LAUNCHING
    queue.hooks.complete(action, "CONTINUE")
    assert queue.hooks.states[good] == ["Pending", "Pending:Wait", "Pending:Proceed", "InService"]
    queue.hooks.complete(queue.asg_launch(bad), "ABANDON")
    assert queue.state_of(bad) == ""


@pytest.mark.parametrize("via", ["sqs", "sns"])
def test_a_hook_s_own_target_is_greeted_and_told(queue, via):
    instance = grouped(queue)
    action = queue.asg_terminate(instance, via=via, NotificationMetadata="m")
    found = bodies(queue)
    if via == "sns":
        assert all(one["Type"] == "Notification" for one in found)
        found = [json.loads(one["Message"]) for one in found]
    greeting, told = found
    assert greeting["Event"] == notices.TEST_NOTIFICATION and "detail" not in told
    assert told["LifecycleActionToken"] == action.token and told["NotificationMetadata"] == "m"


def test_put_lifecycle_hook_is_checked(queue):
    queue.group("workers")
    put = queue.asg.put_lifecycle_hook
    names = {"LifecycleHookName": "h", "AutoScalingGroupName": "workers"}
    ending = {"LifecycleTransition": notices.TERMINATING}
    assert "HeartbeatTimeout" in refused(put, **names, **ending, HeartbeatTimeout=29)
    assert "HeartbeatTimeout" in refused(put, **names, **ending, HeartbeatTimeout=7201)
    assert "LifecycleTransition" in refused(put, **names)
    assert "DefaultResult" in refused(put, **names, **ending, DefaultResult="MAYBE")
    assert "RoleARN" in refused(put, **names, **ending, NotificationTargetARN=queue.arn)
    assert "not found" in refused(put, LifecycleHookName="h", AutoScalingGroupName="nobody", **ending)
    put(**names, **ending)
    put(**names, HeartbeatTimeout=120)  # a change keeps the rest
    [hook] = queue.asg.describe_lifecycle_hooks(AutoScalingGroupName="workers")["LifecycleHooks"]
    assert hook["LifecycleTransition"] == notices.TERMINATING and hook["DefaultResult"] == "ABANDON"
    assert (hook["HeartbeatTimeout"], hook["GlobalTimeout"]) == (120, 12_000)
    put(**names, HeartbeatTimeout=7200)
    [hook] = queue.asg.describe_lifecycle_hooks(AutoScalingGroupName="workers")["LifecycleHooks"]
    assert hook["GlobalTimeout"] == 172_800
    queue.asg.delete_lifecycle_hook(**names)
    assert queue.asg.describe_lifecycle_hooks(AutoScalingGroupName="workers")["LifecycleHooks"] == []


def test_detach(queue):
    one, two = grouped(queue), grouped(queue)
    detach = queue.asg.detach_instances
    detach(AutoScalingGroupName="workers", InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    [group] = queue.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["workers"])["AutoScalingGroups"]
    assert group["DesiredCapacity"] == 2 and queue.hooks.replacements == 1
    assert [member["InstanceId"] for member in group["Instances"]] == [two]
    found = queue.ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running", "a detached instance runs on"
    assert "aws:autoscaling:groupName" not in {tag["Key"] for tag in found["Tags"]}
    asked = {"AutoScalingGroupName": "workers", "ShouldDecrementDesiredCapacity": True}
    assert "not part of" in refused(detach, **asked, InstanceIds=[one])
    queue.asg_terminate(two)
    assert "not in InService" in refused(detach, **asked, InstanceIds=[two])
    three = grouped(queue)
    detach(**asked, InstanceIds=[three])
    assert queue.hooks.states[three][-1] == "Detached"


def test_terminate_in_group(queue):
    instance = grouped(queue)
    queue.hook("workers", "terminating")
    asked = {"InstanceId": instance, "ShouldDecrementDesiredCapacity": True}
    queue.asg.terminate_instance_in_auto_scaling_group(**asked)
    assert queue.state_of(instance) == "Terminating:Wait"
    queue.asg.terminate_instance_in_auto_scaling_group(**asked)
    assert len(queue.hooks.actions) == 1, "asked twice, ends once"
    asked["InstanceId"] = "i-0123456789abcdef0"
    assert "No managed instance" in refused(queue.asg.terminate_instance_in_auto_scaling_group, **asked)


# With a control plane


def test_nodes_bear_their_instances_ids(rig):
    node = rig.queue.node("worker", group="workers")
    assert node.object()["spec"]["providerID"] == f"aws:///us-east-1a/{node.instance_id}"
    assert rig.queue.state_of(node) == "InService"
    rig.queue.announce_spot(node)
    assert rig.queue.left() == 1
