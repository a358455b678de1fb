"""src/aws: the calls of queue mode (SQS, Auto Scaling, EC2) against moto, with signatures verified by botocore.

What moto does not keep as state (lifecycle actions that wait) is the rig's: see the tests of queue mode.
"""

import json
import time

import pytest
from aws_access_test import Probe

from rig.aws.server import AwsServer


@pytest.fixture
def aws():
    with AwsServer() as aws:
        yield aws


@pytest.fixture
def probe(aws):
    with Probe(aws.environment()) as probe:
        yield probe


@pytest.fixture
def queue(aws):
    return aws.client("sqs").create_queue(QueueName="notices")["QueueUrl"]


@pytest.fixture
def group(aws):
    ec2 = aws.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName="t", LaunchTemplateData={"ImageId": "ami-00000000", "InstanceType": "c5.large"}
    )
    scaling = aws.client("autoscaling")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="nodes",
        MinSize=0,
        MaxSize=9,
        DesiredCapacity=3,
        AvailabilityZones=["eu-west-1a"],
        LaunchTemplate={"LaunchTemplateName": "t", "Version": "1"},
        Tags=[{"Key": "aws-node-termination-handler/managed", "Value": "", "PropagateAtLaunch": True}],
    )
    return "nodes"


def members(aws, group: str) -> list[str]:
    found = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    return [each["InstanceId"] for each in found["AutoScalingGroups"][0]["Instances"]]


def left(aws, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())


def test_messages_are_received_hidden_and_deleted(aws, probe, queue):
    sqs = aws.client("sqs")
    body = json.dumps({"text": 'quotes ", lines\n, and é – 日本'})
    for _ in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    first, second = probe.call("receive", queue, "0"), probe.call("receive", queue, "0")
    assert (len(first), len(second)) == (10, 2)
    assert {message["body"] for message in first + second} == {body}
    assert all(message["receives"] == 1 for message in first)
    assert len({message["id"] for message in first + second}) == 12
    sent = time.mktime(time.strptime(first[0]["sent"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert abs(sent - time.time()) < 60

    # Visible again, they are received a second time.
    assert probe.call("visibility", queue, "0", *[message["receipt"] for message in first + second]) == []
    again = probe.call("receive", queue, "0")
    assert len(again) == 10 and all(message["receives"] == 2 for message in again)

    rest = probe.call("receive", queue, "0")
    assert probe.call("delete", queue, *[message["receipt"] for message in again + rest]) == []
    assert left(aws, queue) == 0
    assert probe.call("receive", queue, "0") == []
    assert len(aws.calls_of("DeleteMessageBatch")) == 2


def test_a_receipt_that_is_none_is_a_failure_of_its_own(aws, probe, queue):
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    receipt = probe.call("receive", queue, "0")[0]["receipt"]
    assert [failed for failed, _ in probe.call("visibility", queue, "60", "nonsense", receipt)] == ["nonsense"]


def test_a_long_poll_waits_longer_than_a_try_of_other_calls(aws, probe, queue):
    begin = time.monotonic()
    assert probe.call("receive", queue, "12") == []
    assert 11 < time.monotonic() - begin < 20
    assert len(aws.calls_of("ReceiveMessage")) == 1


def test_a_queue_that_is_not_there_is_gone(aws, probe, queue):
    error = probe.error("receive", queue + "-other", "0")
    assert error["kind"] == "gone" and "notices-other" in error["message"]


def test_throttling_and_5xx_are_sat_out(aws, probe, queue):
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    aws.faults.throttle("sqs", times=1)
    aws.faults.fail("sqs", times=1, status=503)
    assert len(probe.call("receive", queue, "0")) == 1
    assert [call.status for call in aws.calls_of("ReceiveMessage")] == [400, 503, 200]


def test_instances_are_described_and_unknown_ones_left_out(aws, probe, group):
    ids = members(aws, group)
    found = probe.call("instances", "", *ids, "i-0123456789abcdef0", "i-*", "nonsense")
    assert sorted(each["id"] for each in found) == sorted(ids)
    assert {each["state"] for each in found} == {"running"}
    assert {each["type"] for each in found} == {"c5.large"}
    assert all(each["private_dns_name"].endswith(".internal") for each in found)
    assert all(each["tags"]["aws:autoscaling:groupName"] == group for each in found)
    assert len(aws.calls_of("DescribeInstances")) == 1
    assert probe.call("instances", "", "i-0123456789abcdef0") == []


def test_tagged_instances_are_found(aws, probe, group):
    ids = members(aws, group)
    assert sorted(probe.call("tagged", "aws-node-termination-handler/managed")) == sorted(ids)
    assert probe.call("tagged", "other") == []


def test_instances_are_terminated(aws, probe, group):
    one, *_ = members(aws, group)
    assert probe.call("terminate", "", one) is None
    assert probe.call("instances", "", one)[0]["state"] == "terminated"
    assert probe.error("terminate", "", "i-0123456789abcdef0")["kind"] == "gone"


def test_a_group_its_hooks_and_its_instances(aws, probe, group):
    aws.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName=group,
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=300,
        DefaultResult="CONTINUE",
    )
    hooks = probe.call("hooks", group)
    assert hooks == [
        {
            "name": "drain",
            "group": group,
            "transition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "heartbeat_timeout_s": 300,
            "default_result": "CONTINUE",
        }
    ]
    ids = members(aws, group)
    found = probe.call("group_instances", "", *ids, "i-0123456789abcdef0")
    assert sorted(each["id"] for each in found) == sorted(ids)
    assert {(each["group"], each["lifecycle_state"]) for each in found} == {(group, "InService")}


def test_an_instance_is_detached_and_replaced(aws, probe, group):
    one, *others = members(aws, group)
    assert probe.call("detach", group, one) is None
    after = members(aws, group)
    assert one not in after and set(others) < set(after) and len(after) == 3
    assert probe.call("group_instances", "", one) == []
    assert probe.call("instances", "", one)[0]["state"] == "running"


def test_an_instance_is_terminated_in_its_group(aws, probe, group):
    one, *_ = members(aws, group)
    assert probe.call("terminate_in_group", "", one) is None
    assert one not in members(aws, group)
