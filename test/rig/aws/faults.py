"""Bad weather at the service's end, switched on by a test: throttling, server errors, latency, lost connections."""

import dataclasses
import threading
import time

from .replies import AwsError, Request


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclasses.dataclass
class _Fault:
    service: str | None
    action: str | None
    left: int | None  # how many calls it still meets; None: any number
    until: float | None  # time.monotonic()
    error: AwsError | None = None
    latency_s: float = 0
    drop: str = ""  # "before" the work is done, or "after": done, but the answer is lost

    def meets(self, request: Request) -> bool:
        if self.left == 0 or (self.until is not None and time.monotonic() >= self.until):
            return False
        return self.service in (None, request.service) and self.action in (None, request.action)


class Faults:
    """Each method takes `service` ("ecs", "elasticloadbalancing", None: all), `action` (None: all), and how long: the
    next `times` calls, or all calls of `for_s` seconds, or (neither) until `heal()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []

    def throttle(self, service=None, action=None, times=None, for_s=None) -> None:
        """ThrottlingException "Rate exceeded" (JSON) or Throttling (query), status 400: Common Errors of the API
        references; docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html. Of EC2
        RequestLimitExceeded, 503: docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
        self._add(service, action, times, for_s, error=AwsError("ThrottlingException", "Rate exceeded", 400))

    def fail(self, service=None, action=None, times=None, for_s=None, status=500) -> None:
        """500 InternalFailure or 503 ServiceUnavailable (Common Errors)."""
        code = "ServiceUnavailable" if status == 503 else "InternalFailure"
        self._add(service, action, times, for_s, error=AwsError(code, "The rig was told to fail.", status))

    def refuse(self, code: str, message: str, service=None, action=None, times=None, for_s=None, status=400) -> None:
        """Any other error: AccessDeniedException and the like."""
        self._add(service, action, times, for_s, error=AwsError(code, message, status))

    def slow(self, latency_s: float, service=None, action=None, times=None, for_s=None) -> None:
        """Answers come `latency_s` late; the work is done first, as a slow network would have it."""
        self._add(service, action, times, for_s, latency_s=latency_s)

    def drop(self, service=None, action=None, times=None, for_s=None, after=False) -> None:
        """Closes the connection without a byte: before the work is done, or `after` it (a lost answer)."""
        self._add(service, action, times, for_s, drop="after" if after else "before")

    def heal(self) -> None:
        with self._lock:
            self._faults.clear()

    def _add(self, service, action, times, for_s, **what) -> None:
        until = None if for_s is None else time.monotonic() + for_s
        with self._lock:
            self._faults.append(_Fault(service, action, times, until, **what))

    def meet(self, request: Request) -> tuple[float, bool]:
        """Raises what the request is to suffer at once; else how late its answer is, and whether it is lost."""
        with self._lock:
            met = [fault for fault in self._faults if fault.meets(request)][:1]
            for fault in met:
                if fault.left is not None:
                    fault.left -= 1
        for fault in met:
            if fault.drop == "before":
                raise Dropped
            if fault.error:
                throttled = fault.error.code == "ThrottlingException" and not request.target
                raise _query_throttle(request) if throttled else fault.error
            return fault.latency_s, fault.drop == "after"
        return 0, False


def _query_throttle(request: Request) -> AwsError:
    if request.service == "ec2":
        return AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
    return AwsError("Throttling", "Rate exceeded", 400)
