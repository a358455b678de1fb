"""Lifecycle hooks of Auto Scaling groups: which instances wait, for whom, and until when. Groups are moto's.

Rules, each from AWS's documentation (docs.aws.amazon.com/autoscaling/ec2/):
- userguide/ec2-auto-scaling-lifecycle.html: Pending, Pending:Wait, Pending:Proceed, InService; Terminating,
  Terminating:Wait, Terminating:Proceed, Terminated.
- userguide/lifecycle-hooks-overview.html: an instance waits until each hook of the transition is completed, or its time
  is over; at a launch CONTINUE puts it InService and ABANDON ends it; at the end both end it, and ABANDON stops the
  hooks that remain. A heartbeat that is late applies the default result.
- APIReference/API_LifecycleHook.html: HeartbeatTimeout 30 to 7200 s, 3600 unless said; GlobalTimeout 48 hours or 100
  times the heartbeat, what is less: no heartbeat extends beyond it. DefaultResult ABANDON unless said.
- APIReference/API_RecordLifecycleActionHeartbeat.html, API_CompleteLifecycleAction.html: by token, or by instance id.
- APIReference/API_DetachInstances.html, userguide/detach-instance-asg.html: InService only, up to 20; without
  decrement a replacement is launched; the instance stays, its group tag goes.
- APIReference/API_TerminateInstanceInAutoScalingGroup.html.

Not modelled: standby, warm pools, health checks, scale-in by policy, and that a replacement really comes: how many were
asked for is in `replacements`.
"""

import dataclasses
import time
import uuid
from collections.abc import Callable

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from .notices import LAUNCHING, TERMINATING
from .replies import AwsError

GLOBAL_S, GLOBAL_HEARTBEATS = 172_800, 100
GROUP_TAG = "aws:autoscaling:groupName"
_WAITS = {LAUNCHING: "Pending:Wait", TERMINATING: "Terminating:Wait"}
_PROCEEDS = {LAUNCHING: "Pending:Proceed", TERMINATING: "Terminating:Proceed"}


def refuse(message: str) -> AwsError:
    """Auto Scaling names nearly all of its refusals so; the message says which (API_*.html, Errors; CommonErrors)."""
    return AwsError("ValidationError", message, 400)


@dataclasses.dataclass
class Hook:
    name: str
    group: str
    transition: str
    heartbeat_s: int = 3600
    default_result: str = "ABANDON"
    target: str = ""  # ARN of a queue or a topic; "": EventBridge only
    role: str = ""
    metadata: str = ""

    @property
    def global_s(self) -> int:
        return min(GLOBAL_S, GLOBAL_HEARTBEATS * self.heartbeat_s)


@dataclasses.dataclass
class Action:
    """One instance that waits for one hook. Times: Unix seconds."""

    hook: Hook
    instance: str
    token: str
    started_at: float
    deadline: float
    global_deadline: float
    result: str = ""  # "": it waits
    ended_at: float = 0
    timed_out: bool = False  # nobody completed it in time: the hook was lost
    heartbeats: list[float] = dataclasses.field(default_factory=list)


class AsgHooks:
    """`announce(action)` is called when an instance begins to wait, `greet(hook)` when a hook with a target is put.
    `second`: how long a second of the hooks' clocks lasts, for tests that cannot wait 30 s."""

    def __init__(self, region: str, announce: Callable[[Action], None], greet: Callable[[Hook], None]):
        self._region, self._announce, self._greet = region, announce, greet
        self.second = 1.0
        self.hooks: list[Hook] = []
        self.actions: list[Action] = []
        self.states: dict[str, list[str]] = {}  # every state an instance has been in
        self.replacements = 0

    # What AWS's side does

    def group(self, name: str) -> FakeAutoScalingGroup:
        groups = autoscaling_backends[DEFAULT_ACCOUNT_ID][self._region].autoscaling_groups
        if name not in groups:
            raise refuse(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        return groups[name]

    def launch(self, group: str, instance: str) -> None:
        """An instance that EC2 has started joins the group."""
        autoscaling_backends[DEFAULT_ACCOUNT_ID][self._region].attach_instances(group, [instance])
        self._enter("Pending", self._member(instance), LAUNCHING)

    def terminate(self, instance: str, decrement: bool = False) -> None:
        member = self._member(instance)
        if member.lifecycle_state.startswith("Terminat"):
            return  # it is on its way already
        self._leave_capacity(member.auto_scaling_group, 1, decrement)
        self._give_up(instance)
        self._enter("Terminating", member, TERMINATING)

    def tick(self) -> None:
        """What has become late by now gets its default result."""
        now = time.time()
        for action in self.waiting():
            if now >= min(action.deadline, action.global_deadline):
                action.timed_out = True
                self._end(action, action.hook.default_result, min(action.deadline, action.global_deadline))

    def waiting(self) -> list[Action]:
        return [action for action in self.actions if not action.result]

    def state_of(self, instance: str) -> str:
        """"" when it belongs to no group."""
        self.tick()
        member = self._find(instance)
        return member.lifecycle_state if member else ""

    # What callers ask

    def put_hook(self, asked: dict, given: set[str]) -> None:
        """Creates or changes it. `asked`: Hook's fields; `given`: those the caller named."""
        self.group(asked["group"])
        old = next((one for one in self.hooks if (one.group, one.name) == (asked["group"], asked["name"])), None)
        if not old and not asked.get("transition"):
            raise refuse("1 validation error detected: LifecycleTransition must be given for a new hook")
        wanted = dataclasses.asdict(old) if old else {}
        hook = Hook(**(wanted | {key: value for key, value in asked.items() if key in given or not old}))
        if hook.transition not in _WAITS:
            raise refuse(f"LifecycleTransition must be one of {sorted(_WAITS)}, not '{hook.transition}'")
        if not 30 <= hook.heartbeat_s <= 7200:
            raise refuse(f"HeartbeatTimeout must be between 30 and 7200 seconds, not {hook.heartbeat_s}")
        if hook.default_result not in ("CONTINUE", "ABANDON"):
            raise refuse(f"DefaultResult must be CONTINUE or ABANDON, not '{hook.default_result}'")
        if bool(hook.target) != bool(hook.role):
            raise refuse("NotificationTargetARN and RoleARN are given together or not at all")
        if hook.target and hook.target.split(":")[2] not in ("sqs", "sns"):
            raise refuse(f"NotificationTargetARN must be a queue or a topic, not '{hook.target}'")
        self.hooks = [one for one in self.hooks if one is not old] + [hook]
        if hook.target and "target" in given:
            self._greet(hook)

    def find_hook(self, group: str, name: str) -> Hook:
        self.group(group)
        found = next((one for one in self.hooks if (one.group, one.name) == (group, name)), None)
        if not found:
            raise refuse(f"No lifecycle hook found with name '{name}' in group '{group}'")
        return found

    def delete_hook(self, group: str, name: str) -> None:
        """Those who wait for it are abandoned, at the end continued: API_DeleteLifecycleHook.html."""
        hook = self.find_hook(group, name)
        for action in self.waiting():
            if (action.hook.group, action.hook.name) == (group, name):
                self._end(action, "ABANDON" if hook.transition == LAUNCHING else "CONTINUE", time.time())
        self.hooks.remove(hook)

    def find_action(self, group: str, hook: str, token: str, instance: str) -> Action:
        """The one that waits. With both, the token says which."""
        self.find_hook(group, hook)
        if not token and not instance:
            raise refuse("Either LifecycleActionToken or InstanceId must be given")
        mine = [one for one in self.waiting() if (one.hook.group, one.hook.name) == (group, hook)]
        found = next((one for one in mine if (one.token == token if token else one.instance == instance)), None)
        if not found:
            named = f"token {token}" if token else f"instance ID {instance}"
            raise refuse(f"No active Lifecycle Action found with {named}")
        return found

    def heartbeat(self, action: Action) -> None:
        """The heartbeat's time begins anew; the global one does not."""
        now = time.time()
        action.heartbeats.append(now)
        action.deadline = now + action.hook.heartbeat_s * self.second

    def complete(self, action: Action, result: str) -> None:
        if result not in ("CONTINUE", "ABANDON"):
            raise refuse(f"LifecycleActionResult must be CONTINUE or ABANDON, not '{result}'")
        self._end(action, result, time.time())

    def detach(self, group_name: str, instances: list[str], decrement: bool) -> None:
        group = self.group(group_name)
        if len(instances) > 20:
            raise refuse("Member must have length less than or equal to 20")
        members = [self._find(one) for one in instances]
        for instance, member in zip(instances, members, strict=True):
            if not member or member.auto_scaling_group.name != group_name:
                raise refuse(f"The instance {instance} is not part of Auto Scaling group {group_name}.")
            if member.lifecycle_state != "InService":
                raise refuse(f"The instance {instance} is not in InService: it is {member.lifecycle_state}.")
        self._leave_capacity(group, len(instances), decrement)
        for member in members:
            self._remove(member)
            self.states[member.instance.id].append("Detached")

    # States

    def _enter(self, state: str, member: InstanceState, transition: str) -> None:
        group = member.auto_scaling_group.name
        self._set(member, state)
        hooks = [hook for hook in self.hooks if (hook.group, hook.transition) == (group, transition)]
        now = time.time()
        for hook in hooks:
            times = (now, now + hook.heartbeat_s * self.second, now + hook.global_s * self.second)
            self.actions.append(Action(hook, member.instance.id, str(uuid.uuid4()), *times))
        if not hooks:
            self._proceed(member, transition, "CONTINUE")
            return
        self._set(member, _WAITS[transition])
        for action in self.actions[-len(hooks) :]:
            self._announce(action)

    def _end(self, action: Action, result: str, at: float) -> None:
        action.result, action.ended_at = result, at
        rest = [one for one in self.waiting() if one.instance == action.instance]
        if result == "ABANDON":
            for one in rest:
                one.result, one.ended_at = "ABANDON", at
            rest = []
        member = self._find(action.instance)
        if not rest and member:
            self._proceed(member, action.hook.transition, result)

    def _proceed(self, member: InstanceState, transition: str, result: str) -> None:
        self._set(member, _PROCEEDS[transition])
        if transition == LAUNCHING and result == "CONTINUE":
            self._set(member, "InService")
            return
        self._set(member, "Terminated")
        self._remove(member)
        ec2_backends[DEFAULT_ACCOUNT_ID][self._region].terminate_instances([member.instance.id])

    def _give_up(self, instance: str) -> None:
        """It ends while it waits for a launch hook: that is over."""
        for action in self.waiting():
            if action.instance == instance:
                action.result, action.ended_at = "ABANDON", time.time()

    def _leave_capacity(self, group: FakeAutoScalingGroup, count: int, decrement: bool) -> None:
        if not decrement:
            self.replacements += count
            return
        if group.desired_capacity - count < group.min_size:
            raise refuse(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement "
                f"will violate group's min size constraint."
            )
        group.desired_capacity -= count

    def _set(self, member: InstanceState, state: str) -> None:
        member.lifecycle_state = state
        self.states.setdefault(member.instance.id, []).append(state)

    def _remove(self, member: InstanceState) -> None:
        group = member.auto_scaling_group
        group.instance_states = [one for one in group.instance_states if one is not member]
        ec2_backends[DEFAULT_ACCOUNT_ID][self._region].delete_tags([member.instance.id], {GROUP_TAG: group.name})

    def _find(self, instance: str) -> InstanceState | None:
        backend = autoscaling_backends[DEFAULT_ACCOUNT_ID][self._region]
        found = backend.describe_auto_scaling_instances([instance])
        return found[0] if found else None

    def _member(self, instance: str) -> InstanceState:
        member = self._find(instance)
        if not member:
            raise refuse(f"Instance Id not found - No managed instance found for instance ID: {instance}")
        return member
