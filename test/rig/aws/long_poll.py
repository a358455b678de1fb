"""SQS's receives over moto's queues: long polls that many consumers may hold at once, and what they received, and when.

moto's own long poll looks once a second for messages whose visibility has ended, and hands one message to two
consumers that ask at the same moment. SQS may do the latter too (at-least-once delivery:
docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html), but a
test says when: `QueueRig.again`. Everything else is moto's.
"""

import dataclasses
import json
import threading
import time
from collections.abc import Callable

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import Message, Queue, sqs_backends

from .replies import Reply, Request

_EVERY_S = 0.02
_LONGEST_S = 20  # API_ReceiveMessage: WaitTimeSeconds, 0 to 20

# moto asks each message of a queue at each call, and makes four datetimes each time: a storm's thousand took minutes
# to be sent.
Message.visible = property(lambda message: time.time() * 1000 > message.visible_at)
Message.delayed = property(lambda message: time.time() * 1000 < message.delayed_until)


@dataclasses.dataclass(frozen=True)
class Received:
    """One delivery of one message: Unix seconds when its answer was made."""

    at: float
    message_id: str
    body: str
    access_key: str


class LongPoll:
    """The model of service "sqs" for AwsServer. `stopped()` ends polls that wait."""

    def __init__(self, region: str, ask_moto: Callable[[Request], Reply], stopped: Callable[[], bool]):
        self._region, self._ask, self._stopped = region, ask_moto, stopped
        self.lock = threading.RLock()  # of all that touches queues: moto loses a message that comes while one goes
        self.received: list[Received] = []
        self.waiting = 0  # receives that wait just now
        self.most_waiting = 0

    def queue(self, url: str) -> Queue | None:
        return sqs_backends[DEFAULT_ACCOUNT_ID][self._region].queues.get(url.rpartition("/")[2])

    def one_by_one(self, request: Request) -> Reply:
        """For the services whose calls may put messages into queues."""
        with self.lock:
            return self._ask(request)

    def answer(self, request: Request) -> Reply:
        if request.action != "ReceiveMessage" or not request.target:
            return self.one_by_one(request)
        params = request.params()
        queue = self.queue(str(params.get("QueueUrl", "")))
        wait_s = params.get("WaitTimeSeconds", queue.receive_message_wait_time_seconds if queue else 0)
        if not isinstance(wait_s, int) or not 0 < wait_s <= _LONGEST_S:
            return self._receive(request)  # moto checks it
        now = dataclasses.replace(request, body=json.dumps(params | {"WaitTimeSeconds": 0}).encode())
        end = time.monotonic() + wait_s
        self._count(1)
        try:
            while True:
                over = time.monotonic() >= end or self._stopped() or request.is_gone()
                reply = self._receive(now) if not over and (queue is None or queue.messages) else None
                if reply and (reply.error or json.loads(reply.body).get("Messages") or over):
                    return reply
                if over:
                    return self._nothing() if request.is_gone() else self._receive(now)
                time.sleep(_EVERY_S)
        finally:
            self._count(-1)

    def _nothing(self) -> Reply:
        """For nobody: a poll whose client has gone takes no message with it."""
        return Reply(200, b"{}", "application/x-amz-json-1.0")

    def _receive(self, request: Request) -> Reply:
        with self.lock:
            reply = self._ask(request)
            if not reply.error:
                messages = json.loads(reply.body).get("Messages") or []
                key, now = request.access_key, time.time()
                self.received += [Received(now, one["MessageId"], one["Body"], key) for one in messages]
        return reply

    def _count(self, one: int) -> None:
        with self.lock:
            self.waiting += one
            self.most_waiting = max(self.waiting, self.most_waiting)
