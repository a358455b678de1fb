"""A queue and what feeds it: EC2 instances, EventBridge, Auto Scaling, Health. **Begin here**; in a test: `rig.queue`.

    node = rig.queue.node("worker", group="workers")        # a Node and its EC2 instance, in an Auto Scaling group
    app = rig.deployment("web", on=node)
    rig.queue_agent()                                       # the executable, as the queue's Deployment starts it
    rig.queue.announce_spot(node)
    action = rig.queue.asg_terminate(node, via="sqs")
    until(lambda: rig.queue.left() == 0 and action.result, 20, "done")

`queue.aws` is the endpoint (calls_of, faults), `queue.hooks` the lifecycle hooks. Every call's SigV4 is verified. Where
a notice can be for an instance without a Node, its id stands for the Node: `queue.instance()`.
"""

import copy
import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # three seconds, for images that nobody looks at

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.events.models import events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import Message, Queue, sqs_backends

from ..node import Node
from . import notices
from .asg_api import AsgApi
from .asg_hooks import Action, AsgHooks, Hook
from .long_poll import LongPoll, Received
from .replies import Reply, Request
from .server import AwsServer, Call

REGION, ZONE = "us-east-1", "us-east-1a"
MANAGED = "aws-node-termination-handler/managed"
_ROLE = f"arn:aws:iam::{notices.ACCOUNT}:role/hooks"
_RULES = {
    "ec2": {"source": ["aws.ec2"]},
    "health": {
        "source": ["aws.health"],
        "detail": {"service": ["EC2"], "eventTypeCategory": ["scheduledChange"]},
    },
    "autoscaling": {"source": ["aws.autoscaling"], "detail-type": list(notices.LIFECYCLE.values())},
}

Host = Node | str  # a Node, or an instance id


def _private_dns_name(instance: Instance, of_moto=Instance.private_dns_name.fget) -> str:
    """Empty once the instance is terminated (API_Instance.html: "this name is not available until the instance enters
    the running state", and EC2 shows none afterwards); moto keeps it."""
    return "" if instance.state == "terminated" else of_moto(instance)


Instance.private_dns_name = property(_private_dns_name)


class QueueRig:
    """`make_node`: Rig.node. `url`: the queue's. Messages live for `retention_s` (300 s in NTH's template)."""

    def __init__(self, make_node: Callable[..., Node], retention_s: int = 300):
        self._make_node = make_node
        self.aws = AwsServer(REGION)
        self._polls = LongPoll(REGION, self.aws.ask_moto, lambda: self.aws.is_stopped)
        self.hooks = AsgHooks(REGION, self._announce_action, self._greet)
        self._asg_api = AsgApi(self.hooks)
        self.aws.models |= {
            "sqs": self._polls.answer,
            "events": self._polls.one_by_one,
            "sns": self._polls.one_by_one,
            "autoscaling": self._asg_api.answer,
            "ec2": self._ec2_answer,
        }
        self.ec2, self.asg = self.aws.client("ec2"), self.aws.client("autoscaling")
        self.sqs, self.sns, self.events = self.aws.client("sqs"), self.aws.client("sns"), self.aws.client("events")
        attributes = {"MessageRetentionPeriod": str(retention_s)}
        self.url = self.sqs.create_queue(QueueName="interruptions", Attributes=attributes)["QueueUrl"]
        self._topic = ""
        self._unseen: set[str] = set()
        for name, pattern in _RULES.items():
            self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
            self.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": self.arn}])

    def of(self, make_node: Callable[..., Node]) -> "QueueRig":
        """The same queue and the same account, for another cluster's nodes."""
        other = copy.copy(self)
        other._make_node = make_node
        return other

    def stop(self) -> None:
        self.aws.stop()

    # Instances

    def instance(self, managed: bool = True, tags: dict | None = None, zone: str = ZONE, **more) -> str:
        """A Spot instance that runs, of no cluster; its id. `more`: of RunInstances (PrivateIpAddress …)."""
        return self.instances(1, managed, tags, zone, **more)[0]

    def instances(
        self, count: int, managed: bool = True, tags: dict | None = None, zone: str = ZONE, **more
    ) -> list[str]:
        known = ({MANAGED: "blah"} if managed else {}) | (tags or {})
        wanted = [{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in known.items()]}]
        ids: list[str] = []
        while len(ids) < count:  # moto's pages are whole reservations
            some = min(count - len(ids), 50)
            answer = self.ec2.run_instances(
                ImageId="ami-00000000",
                MinCount=some,
                MaxCount=some,
                InstanceType="m5.large",
                Placement={"AvailabilityZone": zone},
                InstanceMarketOptions={"MarketType": "spot"},
                **({"TagSpecifications": wanted} if known else {}),
                **more,
            )
            ids += [one["InstanceId"] for one in answer["Instances"]]
        return ids

    def node(
        self,
        name: str,
        managed: bool = True,
        tags: dict | None = None,
        group: str | None = None,
        zone: str = ZONE,
        **options,
    ) -> Node:
        """An instance and its Node. `group`: the Auto Scaling group it is InService in; `options`: of Rig.node."""
        instance = self.instance(managed, tags, zone)
        node = self._make_node(name, instance, zone=zone, **options)
        if group:
            self.group(group)
            self._with_hooks(lambda: self.hooks.launch(group, instance))
            assert self.state_of(node) == "InService", f"{group} has a launch hook: use asg_launch"
        return node

    def private_dns_name(self, host: Host) -> str:
        found = self.ec2.describe_instances(InstanceIds=[_id(host)])["Reservations"]
        return found[0]["Instances"][0]["PrivateDnsName"]

    def end(self, host: Host, state: str = "terminated") -> None:
        """EC2 ends (or stops) the instance; nobody is told."""
        instance = _id(host)
        if state == "stopped":
            self.ec2.stop_instances(InstanceIds=[instance])
        else:
            self.ec2.terminate_instances(InstanceIds=[instance])

    def forget(self, host: Host) -> None:
        """EC2 does not know the instance any more: an hour after its end."""
        instance = ec2_backends[DEFAULT_ACCOUNT_ID][REGION].get_instance(_id(host))
        for reservation in ec2_backends[DEFAULT_ACCOUNT_ID][REGION].reservations.values():
            if instance in reservation.instances:
                reservation.instances.remove(instance)

    def hide(self, instance: str) -> None:
        """EC2 has launched it, and does not show it yet (it is eventually consistent); until `show()`."""
        self._unseen.add(instance)

    def show(self) -> None:
        self._unseen.clear()

    # Auto Scaling

    def group(self, name: str, min_size: int = 0, max_size: int = 2000) -> str:
        """Made when it is not there yet; without instances."""
        if self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
            return name
        self.asg.create_launch_configuration(
            LaunchConfigurationName=name, ImageId="ami-00000000", InstanceType="m5.large"
        )
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName=name,
            MinSize=min_size,
            MaxSize=max_size,
            DesiredCapacity=min_size,
            AvailabilityZones=[ZONE],
        )
        return name

    def hook(
        self,
        group: str,
        name: str = "terminating",
        transition: str = notices.TERMINATING,
        heartbeat_s: int = 60,
        via: str = "eventbridge",
        **more,
    ) -> Hook:
        """`via`: eventbridge, or straight to "sqs" or "sns" (then EventBridge's rule is off, for it is told always)."""
        target = {"sqs": lambda: self.arn, "sns": self._topic_arn, "eventbridge": lambda: ""}[via]()
        (self.events.enable_rule if via == "eventbridge" else self.events.disable_rule)(Name="autoscaling")
        self.asg.put_lifecycle_hook(
            LifecycleHookName=name,
            AutoScalingGroupName=self.group(group),
            LifecycleTransition=transition,
            HeartbeatTimeout=heartbeat_s,
            **({"NotificationTargetARN": target, "RoleARN": _ROLE} if target else {}),
            **more,
        )
        return self.hooks.find_hook(group, name)

    def asg_terminate(self, host: Host, hook: str = "terminating", via: str = "eventbridge", **more) -> Action:
        """Its group ends it: Terminating:Wait from now on. The hook is put when it is not there; `more`: of hook()."""
        group = self._group_of(host)
        if not any((one.group, one.name) == (group, hook) for one in self.hooks.hooks):
            self.hook(group, hook, via=via, **more)
        self._with_hooks(lambda: self.hooks.terminate(_id(host)))
        return self.action_of(host, hook)

    def asg_launch(
        self, host: Host, group: str = "workers", hook: str = "launching", via: str = "eventbridge", **more
    ) -> Action:
        """A new instance of the group: Pending:Wait from now on."""
        if not any((one.group, one.name) == (group, hook) for one in self.hooks.hooks):
            self.hook(group, hook, notices.LAUNCHING, via=via, **more)
        self._with_hooks(lambda: self.hooks.launch(group, _id(host)))
        return self.action_of(host, hook)

    def action_of(self, host: Host, hook: str = "terminating") -> Action:
        """The last time that it waited for this hook. `.result` is "" while it does."""
        self._with_hooks(self.hooks.tick)
        mine = [one for one in self.hooks.actions if (one.instance, one.hook.name) == (_id(host), hook)]
        assert mine, f"{_id(host)} never waited for the hook {hook}"
        return mine[-1]

    def state_of(self, host: Host) -> str:
        """Its lifecycle state; "" when it is in no group."""
        return self._with_hooks(lambda: self.hooks.state_of(_id(host)))

    def tell_again(self, action: Action, at: float | None = None) -> None:
        """Auto Scaling's notice comes once more, with another id: same token. `at`: the event's time; default: now."""
        self._announce_action(action, at)

    # Notices. Each returns the EventBridge id. `at`: the event's time, Unix seconds; default: now

    def announce_spot(self, host: Host, action: str = "terminate", at: float | None = None, **more) -> str:
        return self._ec2(notices.SPOT, host, at, more, **{"instance-action": action})

    def rebalance(self, host: Host, at: float | None = None, **more) -> str:
        return self._ec2(notices.REBALANCE, host, at, more)

    def state_change(self, host: Host, state: str = "stopping", at: float | None = None, **more) -> str:
        return self._ec2(notices.STATE_CHANGE, host, at, more, state=state)

    def capacity(self, host: Host, action: str = "terminate", at: float | None = None, **more) -> str:
        """A capacity reservation is taken back."""
        return self._ec2(notices.CAPACITY, host, at, more, **{"instance-action": action})

    def health(self, hosts: list[Host], at: float | None = None, starts_in_s: float = 7 * 86400, **detail) -> str:
        """A scheduled change of these instances."""
        at = time.time() if at is None else at
        return self.put(notices.health([_id(host) for host in hosts], at, at + starts_in_s, **detail))

    def put(self, event: dict) -> str:
        """An event of AWS itself, to the rules (PutEvents is for one's own: no source there begins with "aws.")."""
        rules = events_backends[DEFAULT_ACCOUNT_ID][REGION].describe_event_bus("default").rules.values()
        for rule in rules:
            if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
                for target in rule.targets:
                    self._send(target["Arn"], json.dumps(event))
        return event["id"]

    def raw(self, body: str | dict) -> None:
        """A message, whatever is in it."""
        self._send(self.arn, body if isinstance(body, str) else json.dumps(body))

    def again(self) -> None:
        """Every message that somebody holds is delivered once more now (SQS promises "at least once")."""
        with self._polls.lock:
            for message in self.messages():
                message.visible_at = 0.0

    def shuffle(self, order: Callable[[list[Message]], list[Message]]) -> None:
        """What waits is delivered in another order (standard queues promise none)."""
        with self._polls.lock:
            self._queue._messages[:] = order(list(self._queue._messages))

    # Looking

    @property
    def arn(self) -> str:
        return self._queue.queue_arn

    def messages(self) -> list[Message]:
        """What is in the queue: waiting, or held by somebody (moto's objects: body, approximate_receive_count …)."""
        with self._polls.lock:
            return list(self._queue._messages)

    def left(self) -> int:
        """Visible and not visible together, as NTH's tests count."""
        return len(self.messages())

    @property
    def received(self) -> list[Received]:
        return list(self._polls.received)

    @property
    def polling(self) -> int:
        """Long polls that wait just now."""
        return self._polls.waiting

    @property
    def most_receives_at_once(self) -> int:
        return self._polls.most_waiting

    @property
    def completed(self) -> list[Call]:
        """Lifecycle actions that were completed; not those that were refused."""
        return [call for call in self.aws.calls_of("CompleteLifecycleAction") if call.status == 200]

    @property
    def heartbeats(self) -> list[Call]:
        return [call for call in self.aws.calls_of("RecordLifecycleActionHeartbeat") if call.status == 200]

    @property
    def lost_hooks(self) -> list[Action]:
        """Hooks whose time was over before anybody had completed them."""
        self._with_hooks(self.hooks.tick)
        return [action for action in self.hooks.actions if action.timed_out]

    # Inside

    @property
    def _queue(self) -> Queue:
        return sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["interruptions"]

    def _ec2(self, kind: str, host: Host, at: float | None, more: dict, **detail) -> str:
        event = notices.ec2(kind, _id(host), time.time() if at is None else at, ZONE, more.pop("event_id", None))
        event["detail"] |= detail | more
        return self.put(event)

    def _send(self, arn: str, body: str) -> None:
        with self._polls.lock:
            if arn.split(":")[2] == "sns":
                sns_backends[DEFAULT_ACCOUNT_ID][REGION].publish(body, arn)
            else:
                sqs_backends[DEFAULT_ACCOUNT_ID][REGION].send_message(arn.rpartition(":")[2], body)

    def _with_hooks(self, work: Callable):
        with self._asg_api.lock:
            return work()

    def _ec2_answer(self, request: Request) -> Reply | None:
        """Instances whose hooks are over have ended: before anybody looks."""
        self._with_hooks(self.hooks.tick)
        if request.action != "DescribeInstances" or not self._unseen:
            return None
        with self._asg_api.lock:
            there = [(one, one.instances) for one in ec2_backends[DEFAULT_ACCOUNT_ID][REGION].reservations.values()]
            try:
                for reservation, instances in there:
                    reservation.instances = [one for one in instances if one.id not in self._unseen]
                return self.aws.ask_moto(request)
            finally:
                for reservation, instances in there:
                    reservation.instances = instances

    def _announce_action(self, action: Action, at: float | None = None) -> None:
        hook, at = action.hook, time.time() if at is None else at
        said = (hook.group, hook.name, action.instance, action.token, hook.transition, at, hook.metadata)
        self.put(notices.lifecycle(*said))  # to EventBridge always
        if hook.target:
            self._send(hook.target, json.dumps(notices.lifecycle_direct(*said)))

    def _greet(self, hook: Hook) -> None:
        self._send(hook.target, json.dumps(notices.test_notification(hook.group, time.time())))

    def _topic_arn(self) -> str:
        if not self._topic:
            self._topic = self.sns.create_topic(Name="hooks")["TopicArn"]
            self.sns.subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=self.arn)
        return self._topic

    def _group_of(self, host: Host) -> str:
        answer = self.asg.describe_auto_scaling_instances(InstanceIds=[_id(host)])["AutoScalingInstances"]
        assert answer, f"{_id(host)} is in no group: node(…, group=…)"
        return answer[0]["AutoScalingGroupName"]


def _id(host: Host) -> str:
    return host if isinstance(host, str) else host.instance_id
