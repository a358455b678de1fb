"""The part of the EC2 Auto Scaling API that is about lifecycle hooks, over asg_hooks.py; the rest is moto's.

Query protocol, docs.aws.amazon.com/autoscaling/ec2/APIReference/API_<action>.html of each.
"""

import re
import threading
import uuid
from xml.sax.saxutils import escape

from .asg_hooks import AsgHooks, Hook, refuse
from .notices import stamp
from .replies import AwsError, Reply, Request, xml_reply

_NAMESPACE = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
_FIELDS = {
    "LifecycleHookName": "name",
    "AutoScalingGroupName": "group",
    "LifecycleTransition": "transition",
    "HeartbeatTimeout": "heartbeat_s",
    "DefaultResult": "default_result",
    "NotificationTargetARN": "target",
    "RoleARN": "role",
    "NotificationMetadata": "metadata",
}


class AsgApi:
    """The model of service "autoscaling" for AwsServer."""

    def __init__(self, hooks: AsgHooks):
        self.hooks = hooks
        self.lock = threading.RLock()
        self._actions = {
            "PutLifecycleHook": self._put,
            "DescribeLifecycleHooks": self._describe,
            "DeleteLifecycleHook": self._delete,
            "RecordLifecycleActionHeartbeat": self._heartbeat,
            "CompleteLifecycleAction": self._complete,
            "DetachInstances": self._detach,
            "TerminateInstanceInAutoScalingGroup": self._terminate,
        }
        # What would move instances behind the model's back.
        self._refused = {"EnterStandby", "ExitStandby", "AttachInstances", "SetDesiredCapacity", "ExecutePolicy"}

    def answer(self, request: Request) -> Reply | None:
        with self.lock:
            self.hooks.tick()
            if request.action in self._refused:
                raise AwsError("UnsupportedFeatureException", f"The rig does not model {request.action}.")
            action = self._actions.get(request.action)
            return action and xml_reply(request.action, action(request.form), _NAMESPACE)

    def _put(self, form: dict) -> str:
        asked: dict = {field: form[name] for name, field in _FIELDS.items() if name in form}
        _need(form, "LifecycleHookName", "AutoScalingGroupName")
        if "heartbeat_s" in asked:
            asked["heartbeat_s"] = int(asked["heartbeat_s"])
        self.hooks.put_hook({"transition": ""} | asked, set(asked))
        return ""

    def _describe(self, form: dict) -> str:
        group, names = _need(form, "AutoScalingGroupName"), _members(form, "LifecycleHookNames")
        self.hooks.group(group)
        found = [hook for hook in self.hooks.hooks if hook.group == group and (not names or hook.name in names)]
        return f"<LifecycleHooks>{''.join(map(_hook, found))}</LifecycleHooks>"

    def _delete(self, form: dict) -> str:
        self.hooks.delete_hook(_need(form, "AutoScalingGroupName"), _need(form, "LifecycleHookName"))
        return ""

    def _action_of(self, form: dict):
        names = _need(form, "AutoScalingGroupName", "LifecycleHookName")
        token = form.get("LifecycleActionToken", "")
        if token and not re.fullmatch("[0-9a-f-]{36}", token):
            raise refuse("LifecycleActionToken must be a universally unique identifier")
        return self.hooks.find_action(*names, token, form.get("InstanceId", ""))

    def _heartbeat(self, form: dict) -> str:
        self.hooks.heartbeat(self._action_of(form))
        return ""

    def _complete(self, form: dict) -> str:
        result = _need(form, "LifecycleActionResult")
        self.hooks.complete(self._action_of(form), result)
        return ""

    def _detach(self, form: dict) -> str:
        group, decrement = _need(form, "AutoScalingGroupName", "ShouldDecrementDesiredCapacity")
        instances = _members(form, "InstanceIds")
        self.hooks.detach(group, instances, decrement == "true")
        return f"<Activities>{''.join(_activity(f'Detaching {one}', 'member') for one in instances)}</Activities>"

    def _terminate(self, form: dict) -> str:
        instance, decrement = _need(form, "InstanceId", "ShouldDecrementDesiredCapacity")
        self.hooks.terminate(instance, decrement == "true")
        return _activity(f"Terminating {instance}", "Activity")


def _need(form: dict, *names: str):
    missing = [name for name in names if not form.get(name)]
    if missing:
        raise refuse(f"1 validation error detected: Value null at '{missing[0]}' failed to satisfy constraint")
    return form[names[0]] if len(names) == 1 else tuple(form[name] for name in names)


def _members(form: dict, name: str) -> list[str]:
    found = {int(key.rpartition(".")[2]): value for key, value in form.items() if key.startswith(f"{name}.member.")}
    return [found[index] for index in sorted(found)]


def _hook(hook: Hook) -> str:
    values = {name: getattr(hook, field) for name, field in _FIELDS.items()} | {"GlobalTimeout": hook.global_s}
    said = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items() if value != "")
    return f"<member>{said}</member>"


def _activity(words: str, name: str) -> str:
    return (
        f"<{name}><ActivityId>{uuid.uuid4()}</ActivityId><Description>{words}</Description>"
        f"<StatusCode>InProgress</StatusCode><Progress>50</Progress><StartTime>{stamp(0)}</StartTime>"
        f"<Cause>a call of the API</Cause></{name}>"
    )
