"""The ECS agent of one host: its introspection endpoint, and its own way of draining on a Spot notice.

Introspection (docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-introspection.html): /v1/metadata with
Cluster, ContainerInstanceArn and Version; /v1/tasks, all or one (?taskarn=, ?dockerid=). Before the agent has
registered, ContainerInstanceArn is null. On a real host it listens on port 51678.

Task metadata (developerguide/task-metadata-endpoint-v4-response.html): `task_metadata_url(task)` is what a container
of that task finds in ECS_CONTAINER_METADATA_URI_V4; it and /task below it are answered.

Draining (ECS_ENABLE_SPOT_INSTANCE_DRAINING, developerguide/ecs-agent-config.html; the agent's source, amazon-ecs-agent
v1.105): once a second it asks the metadata service for spot/instance-action; at the first notice it sets its own
instance DRAINING, does not look at the notice's time, and stops no task itself. A call that fails is made again each
second, without backoff or end; after one success it never looks again.
"""

import http.server
import json
import threading
import time
import urllib.parse

import requests
from botocore.exceptions import BotoCoreError, ClientError

from .ecs_model import EcsModel
from .ecs_state import Instance, Task
from .ecs_views import AGENT_VERSION

_USER_AGENT = f"Amazon ECS Agent - v{AGENT_VERSION}"


class EcsAgent:
    """Answers on `url` from the constructor to `stop()`, as long as its host lives.

    imds         the host's metadata service (rig.imds.Imds); needed for `drains`
    drains       ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
    registered   False: the agent has started, but is not registered yet (settable)
    """

    def __init__(self, model: EcsModel, instance: Instance, imds=None, drains: bool = False, registered: bool = True):
        self.registered = registered
        self.requests: list[str] = []
        self.drained_at: float | None = None
        self._model, self._instance, self._imds = model, instance, imds
        self._ecs = model.server.client("ecs", user_agent=_USER_AGENT)
        self._end = threading.Event()
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if agent._instance.ended_at is not None:
                    self.close_connection = True
                    return
                agent.requests.append(self.path)
                status, body = agent._answer(self.path)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                """Silent."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)]
        if drains:
            self._threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def task_metadata_url(self, task: Task) -> str:
        return f"{self.url}/v4/{_docker_id(task, 0)}"

    def _answer(self, path: str) -> tuple[int, dict]:
        url = urllib.parse.urlsplit(path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        with self._model.lock:
            if url.path == "/v1/metadata":
                return 200, {
                    "Cluster": self._instance.cluster,
                    "ContainerInstanceArn": self._instance.arn if self.registered else None,
                    "Version": f"{_USER_AGENT} (*00000000)",
                }
            if url.path.startswith("/v4/"):
                return self._metadata(*url.path.split("/")[2:])
            if url.path != "/v1/tasks":
                return 200, {"AvailableCommands": ["/v1/metadata", "/v1/tasks", "/license"]}
            there = [
                task for task in self._model.tasks if task.instance is self._instance and task.last != "PROVISIONING"
            ]
            tasks = [self._task(task) for task in there]
        if not asked:
            return 200, {"Tasks": tasks}
        chosen = [one for one in tasks if one["Arn"] == asked.get("taskarn")]
        chosen += [one for one in tasks if any(two["DockerId"] == asked.get("dockerid") for two in one["Containers"])]
        return (200, chosen[0]) if chosen else (400, {})

    def _task(self, task: Task) -> dict:
        """The agent knows neither DEACTIVATING nor PROVISIONING: those are the control plane's states."""
        known = {"PENDING": "CREATED", "ACTIVATING": "RUNNING", "STOPPED": "STOPPED"}.get(task.last, "RUNNING")
        told = task.told_at is not None or task.last in ("STOPPING", "DEPROVISIONING", "STOPPED")
        return {
            "Arn": task.arn,
            "DesiredStatus": "STOPPED" if told else "RUNNING",
            "KnownStatus": "STOPPED" if task.end else known,
            "Family": task.definition.family,
            "Version": str(task.definition.revision),
            "Containers": [
                {"DockerId": _docker_id(task, number), "DockerName": f"ecs-{task.id}-{one.name}", "Name": one.name}
                for number, one in enumerate(task.containers)
            ],
        }

    def _metadata(self, docker_id: str, rest: str = "") -> tuple[int, dict]:
        """Unlike introspection's, these names are in capitals: TaskARN."""
        task = next((task for task in self._model.tasks if docker_id == _docker_id(task, 0)), None)
        if task is None or rest not in ("", "task"):
            return 404, {}
        container = {"DockerId": docker_id, "Name": task.containers[0].name, "KnownStatus": "RUNNING"}
        if not rest:
            return 200, container
        return 200, {
            "Cluster": self._instance.cluster,
            "TaskARN": task.arn,
            "Family": task.definition.family,
            "Revision": str(task.definition.revision),
            "ServiceName": task.service.name if task.service else "",
            "DesiredStatus": task.desired,
            "KnownStatus": task.last,
            "AvailabilityZone": self._instance.zone,
            "LaunchType": "EC2",
            "Containers": [container],
        }

    def _watch(self) -> None:
        """The agent's loop: until one notice has been acted on."""
        while not self._end.wait(1.0 if self.drained_at is None else None):
            try:
                answer = self._imds.get("latest/meta-data/spot/instance-action", self._imds.token())
                notice = answer.json() if answer.status_code == 200 else {}
            except (requests.RequestException, ValueError):
                continue
            if notice.get("action") not in ("hibernate", "terminate", "stop"):
                continue
            if self._instance.ended_at is None and self._drain():
                self.drained_at = time.time()

    def _drain(self) -> bool:
        own = {"cluster": self._instance.cluster, "containerInstances": [self._instance.arn]}
        try:
            return not self._ecs.update_container_instances_state(**own, status="DRAINING")["failures"]
        except (ClientError, BotoCoreError):
            return False


def _docker_id(task: Task, number: int) -> str:
    return f"{task.id}{number:032x}"
