"""Targets of ELBv2 target groups, with their states. Groups, attributes and load balancers are moto's.

States and reasons: docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html and
docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html. A target is `initial`
until its health checks have passed, then `healthy`; deregistered it is `draining` until the deregistration delay is
over, even when it has no connection left (…/application/edit-target-group-attributes.html#deregistration-delay),
and then `unused` and forgotten. Left out: load balancers. AWS calls the targets of a group that no listener uses
`unused` (Target.NotInUse), and ECS refuses a service with such a group; here a group is as good as one that is used.
"""

import dataclasses
import re
import threading
from xml.sax.saxutils import escape

from moto.core import DEFAULT_ACCOUNT_ID
from moto.elbv2.models import elbv2_backends

from .ecs_state import Delays
from .replies import AwsError, Reply, Request, xml_reply

_REASONS = {
    "initial": ("Elb.RegistrationInProgress", "Target registration is in progress"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    "unused": ("Target.NotRegistered", "Target is not registered to the target group"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
}


@dataclasses.dataclass
class _Registered:
    since: float
    draining_until: float | None = None


class ElbModel:
    """`clock` is the rig's. A target is (id, port) within a group's ARN."""

    def __init__(self, region: str, clock, delays: Delays):
        self.region, self._clock, self._delays = region, clock, delays
        self.unhealthy: set[str] = set()  # target ids whose health checks fail, as a test pleases
        self._lock = threading.RLock()
        self._targets: dict[tuple[str, str, int], _Registered] = {}

    # For the ECS model and for tests.

    def register(self, group: str, target: str, port: int, now: float) -> None:
        with self._lock:
            self._targets[group, target, port] = _Registered(now)

    def deregister(self, group: str, target: str, port: int, now: float) -> None:
        """Unknown targets, and those that drain already, are left as they are: the call succeeds
        (docs…/APIReference/API_DeregisterTargets.html)."""
        with self._lock:
            known = self._targets.get((group, target, port))
            if known and known.draining_until is None:
                known.draining_until = now + self.delay_s(group)

    def delay_s(self, group: str) -> float:
        """deregistration_delay.timeout_seconds, 0..3600, default 300."""
        return float(self._group(group).attributes.get("deregistration_delay.timeout_seconds", 300))

    def state(self, group: str, target: str, port: int, now: float | None = None) -> str:
        now = self._clock() if now is None else now
        with self._lock:
            known = self._targets.get((group, target, port))
            if known and known.draining_until is not None and now >= known.draining_until:
                del self._targets[group, target, port]
                known = None
        if known is None:
            return "unused"
        if known.draining_until is not None:
            return "draining"
        if target in self.unhealthy:
            return "unhealthy"
        return "healthy" if now >= known.since + self._delays.target_initial else "initial"

    def is_draining(self, target, now: float) -> bool:
        return self.state(target.group_arn, target.id, target.port, now) == "draining"

    def is_healthy(self, target, now: float) -> bool:
        return self.state(target.group_arn, target.id, target.port, now) == "healthy"

    def targets(self, group: str) -> list[tuple[str, int]]:
        """Registered or draining."""
        with self._lock:
            known = [(target, port) for owner, target, port in self._targets if owner == group]
        return sorted(one for one in known if self.state(group, *one) != "unused")

    # The API: what moto has no states for; None leaves the request to moto.

    def answer(self, request: Request) -> Reply | None:
        actions = {
            "RegisterTargets": self._register,
            "DeregisterTargets": self._deregister,
            "DescribeTargetHealth": self._describe,
        }
        return actions[request.action](request.form) if request.action in actions else None

    def _group(self, arn: str):
        groups = elbv2_backends[DEFAULT_ACCOUNT_ID][self.region].target_groups
        if arn not in groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return groups[arn]

    def _asked(self, form: dict, group) -> list[tuple[str, int]]:
        """Targets.member.N.Id and .Port; without a port the group's own counts."""
        numbers = {int(found[1]) for key in form if (found := re.match(r"Targets\.member\.(\d+)\.", key))}
        asked = []
        for number in sorted(numbers):
            if not (target := form.get(f"Targets.member.{number}.Id")):
                raise AwsError("ValidationError", f"Targets.member.{number}.Id is required")
            asked.append((target, int(form.get(f"Targets.member.{number}.Port", group.port or 80))))
        return asked

    def _required(self, form: dict) -> tuple[str, object, list[tuple[str, int]]]:
        arn = form.get("TargetGroupArn", "")
        group = self._group(arn)
        return arn, group, self._asked(form, group)

    def _register(self, form: dict) -> Reply:
        arn, group, asked = self._required(form)
        for target, port in asked:
            # An instance target is an EC2 id, an ip target an address (docs…/APIReference/API_RegisterTargets.html).
            if (group.target_type == "ip") == target.startswith("i-"):
                raise AwsError("InvalidTarget", f"'{target}' is not a target of type {group.target_type}")
            self.register(arn, target, port, self._clock())
        return xml_reply("RegisterTargets", "")

    def _deregister(self, form: dict) -> Reply:
        arn, _, asked = self._required(form)
        if not asked:
            raise AwsError("ValidationError", "1 validation error detected: Targets must not be empty")
        for target, port in asked:
            self.deregister(arn, target, port, self._clock())
        return xml_reply("DeregisterTargets", "")

    def _describe(self, form: dict) -> Reply:
        """All registered targets; one asked for by name is described even when it is not registered."""
        arn, _, asked = self._required(form)
        members = "".join(self._description(arn, *one) for one in asked or self.targets(arn))
        return xml_reply("DescribeTargetHealth", f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>")

    def _description(self, arn: str, target: str, port: int) -> str:
        state = self.state(arn, target, port)
        reason = ""
        if state in _REASONS:
            code, text = _REASONS[state]
            reason = f"<Reason>{code}</Reason><Description>{text}</Description>"
        return (
            f"<member><Target><Id>{escape(target)}</Id><Port>{port}</Port></Target>"
            f"<HealthCheckPort>{port}</HealthCheckPort>"
            f"<TargetHealth><State>{state}</State>{reason}</TargetHealth></member>"
        )
