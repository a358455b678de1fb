"""src/aws against AWS as the rig has it: signatures verified by botocore, STS, ECS, load balancers, faults, clocks.

Driven through `aws-probe` (src/aws/probe), which makes the calls that it reads and takes credentials, region and
endpoints from its environment, as the agent does.
"""

import datetime
import http.server
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from rig import until
from rig.aws.server import ACCESS_KEY, SECRET_KEY
from rig.aws.signing import Key
from rig.binaries import REPOSITORY, MissingBinary

ROLE = "arn:aws:iam::123456789012:role/agent"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def _probe() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("AWS_PROBE_BINARY") or REPOSITORY / "build/release/aws-probe")
    if not os.access(path, os.X_OK):
        raise MissingBinary(f"{path} is missing: run tools/build release aws-probe (or set AWS_PROBE_BINARY)")
    return path


class Probe:
    """One aws-probe; `call("list_tasks", "rig")` gives its answer, `error(…)` its refusal."""

    def __init__(self, environment: dict[str, str]):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            [_probe()],
            env=plain | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.all_output = ""
        self.first = self._read()

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def end(self) -> None:
        """Returns when it has ended by itself; `all_output` is then all that it ever wrote."""
        if self._process.poll() is None or not self._process.stderr.closed:
            out, err = self._process.communicate(timeout=30)
            self.all_output += out + err

    def ask(self, *words: str) -> dict:
        self._process.stdin.write(json.dumps(words) + "\n")
        return self._read()

    def call(self, *words: str):
        answer = self.ask(*words)
        assert "ok" in answer, answer
        return answer["ok"]

    def error(self, *words: str) -> dict:
        return self.ask(*words)["error"]

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        self.all_output += line
        assert line, f"aws-probe ended: {self._process.communicate()[1]}"
        return json.loads(line)


@pytest.fixture
def probe(ecs_rig):
    with Probe(ecs_rig.aws.environment()) as probe:
        yield probe


class Endpoint:
    """Gives the same answer to every GET, as an ECS agent or IMDS does; `asked` are (path, headers). It is the body,
    or a function of the path."""

    def __init__(self, body):
        self.asked, self.body, self.status = [], body, 200
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked.append((self.path, dict(self.headers)))
                body = owner.body(self.path) if callable(owner.body) else owner.body
                self.send_response(owner.status)
                self.end_headers()
                self.wfile.write(body.encode())

            do_PUT = do_GET

            def log_message(self, *_):
                """Silent: `asked` is the log."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def without_keys(aws) -> dict[str, str]:
    return {name: value for name, value in aws.environment().items() if name not in _KEYS}


def session(aws, name: str, life_s: float = 3600) -> tuple[str, str]:
    """A session's key that the rig knows, and the body in which an endpoint gives it."""
    key, secret, token = f"ASIA{name.upper():X<16}", f"secret/of+{name}", f"token/of+{name}=="
    expires = aws.now() + life_s
    aws.keys[key] = Key(secret, token, expires)
    at = datetime.datetime.fromtimestamp(expires, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"Code": "Success", "AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": at}
    return key, json.dumps(body)


# Calls.


def test_every_ecs_call_is_understood(ecs_rig, probe):
    one, two = ecs_rig.hosts(2, slots=4)
    ecs_rig.service("web", count=2, minimum=50, maximum=150, stop_timeout=5, ends_after=0.1)
    ecs_rig.run("job", on=one, stop_timeout=90)
    ecs_rig.settle()

    found = probe.call("list_container_instances", "rig", f"ec2InstanceId == {one.ec2_id}")
    assert found == [one.arn]
    described = probe.call("describe_container_instances", "rig", one.arn, one.arn[:-3] + "fff")
    assert [(each["arn"], each["ec2_instance_id"], each["status"]) for each in described["found"]] == [
        (one.arn, one.ec2_id, "ACTIVE")
    ]
    assert [each["reason"] for each in described["failures"]] == ["MISSING"]

    arns = probe.call("list_tasks", "rig", one.arn)
    tasks = {each["service"]: each for each in probe.call("describe_tasks", "rig", *arns)["found"]}
    assert {each["last_status"] for each in tasks.values()} == {"RUNNING"}
    job = tasks[""]
    assert job["container_instance"] == one.arn and job["containers"] == 1 and job["started"]
    assert probe.call("describe_task_definition", "job")["stop_timeouts"] == {"app": 90}

    service = probe.call("describe_services", "rig", "web", "nobody")
    assert service["failures"][0]["reason"] == "MISSING"
    web = service["found"][0]
    assert (web["desired"], web["minimum_healthy_percent"], web["maximum_percent"]) == (2, 50, 150)
    assert probe.call("force_new_deployment", "rig", "web")["name"] == "web"

    assert probe.call("drain", "rig", one.arn)["found"][0]["status"] == "DRAINING"
    assert probe.call("stop_task", "rig", job["arn"], "the host ends")["desired_status"] == "STOPPED"
    assert probe.call("deregister", "rig", two.arn)["status"] == "INACTIVE"
    assert {call.status for call in ecs_rig.aws.calls} == {200}


def test_a_hundred_and_fifty_tasks_take_pages_and_two_calls(ecs_rig, probe):
    host = ecs_rig.host(slots=150)
    ecs_rig.service("web", count=150, ends_after=0)
    ecs_rig.settle()
    arns = probe.call("list_tasks", "rig", host.arn)
    assert len(set(arns)) == 150
    assert len(probe.call("describe_tasks", "rig", *arns)["found"]) == 150
    assert len([call for call in ecs_rig.aws.calls_of("DescribeTasks")]) == 2
    assert len([call for call in ecs_rig.aws.calls_of("ListTasks")]) == 2


def test_targets_of_a_load_balancer(ecs_rig, probe):
    group = ecs_rig.target_group("web", delay_s=90)
    host = ecs_rig.host()
    ecs_rig.service("web", count=1, group=group, ends_after=0.1)
    ecs_rig.settle()
    assert probe.call("target_group", group) == {"deregistration_delay_s": 90}
    target = probe.call("target_health", group)
    assert [(each["id"], each["state"]) for each in target] == [(host.ec2_id, "healthy")]
    assert probe.call("describe_services", "rig", "web")["found"][0]["target_group"] == group
    error = probe.error("target_health", group + "x")
    assert (error["kind"], error["reason"]) == ("gone", "TargetGroupNotFound")


def test_what_is_not_there_is_gone(ecs_rig, probe):
    assert probe.error("list_tasks", "nowhere")["kind"] == "gone"
    assert probe.error("stop_task", "rig", "0123456789abcdef0123456789abcdef", "why")["kind"] == "gone"


# Weather.


def test_throttling_and_server_errors_are_tried_again(ecs_rig, probe):
    ecs_rig.aws.faults.throttle("ecs", times=1)
    ecs_rig.aws.faults.fail("ecs", times=1, status=503)
    assert probe.call("list_tasks", "rig") == []
    assert [call.status for call in ecs_rig.aws.calls_of("ListTasks")] == [400, 503, 200]


def test_throttling_that_lasts_is_an_error_that_may_pass(ecs_rig, probe):
    ecs_rig.aws.faults.throttle()
    error = probe.error("list_tasks", "rig")
    assert (error["kind"], error["reason"]) == ("retryable", "ThrottlingException")
    assert error["message"].startswith("ecs ListTasks rig: ThrottlingException: Rate exceeded (request ")
    assert len(ecs_rig.aws.calls_of("ListTasks")) == 3


def test_a_lost_answer_is_asked_for_again_but_not_a_new_deployment(ecs_rig, probe):
    ecs_rig.host()
    ecs_rig.service("web", count=1)
    until(lambda: probe.call("list_tasks", "rig"), 10, "its task is there")
    ecs_rig.aws.faults.drop("ecs", "ListTasks", times=1, after=True)
    assert probe.call("list_tasks", "rig")
    ecs_rig.aws.faults.drop("ecs", "UpdateService", times=1, after=True)
    assert probe.error("force_new_deployment", "rig", "web")["kind"] == "retryable"
    assert len(ecs_rig.aws.calls_of("UpdateService")) == 1


@pytest.mark.parametrize("offset", [1200, -1200])
def test_a_wrong_clock_is_learnt_once(ecs_rig, probe, offset):
    ecs_rig.aws.clock_offset_s = offset
    assert probe.call("list_tasks", "rig") == []
    assert probe.call("list_tasks", "rig") == []
    assert [call.status for call in ecs_rig.aws.calls_of("ListTasks")] == [403, 200, 200]


def test_no_right_is_denied_at_once(ecs_rig, probe):
    ecs_rig.aws.faults.refuse("AccessDeniedException", "User: x is not authorized to perform: ecs:StopTask", "ecs")
    error = probe.error("stop_task", "rig", "t", "why")
    assert (error["kind"], error["reason"]) == ("denied", "AccessDeniedException")
    assert len(ecs_rig.aws.calls_of("StopTask")) == 1


def test_a_wrong_key_is_denied_and_not_shown(ecs_rig):
    with Probe(ecs_rig.aws.environment() | {"AWS_SECRET_ACCESS_KEY": "wrong/secret+key"}) as probe:
        assert probe.error("list_tasks", "rig")["reason"] == "InvalidSignatureException"
        assert probe.error("target_group", "arn:x")["reason"] == "SignatureDoesNotMatch"
        probe.end()
    assert "wrong/secret+key" not in probe.all_output


# Credentials.


def test_keys_of_the_environment(ecs_rig, probe):
    assert probe.first == {"credentials": "keys in the environment", "region": ecs_rig.aws.region}
    probe.call("list_tasks", "rig")
    assert ecs_rig.aws.calls_of("ListTasks")[0].access_key == ACCESS_KEY
    probe.end()
    assert SECRET_KEY not in probe.all_output


def test_web_identity_by_sts(ecs_rig, tmp_path):
    token = tmp_path / "token"
    token.write_text("header.payload.signature\n")
    irsa = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE, "AWS_ROLE_SESSION_NAME": "agent"}
    with Probe(without_keys(ecs_rig.aws) | irsa) as probe:
        assert probe.first["credentials"] == f"web identity as {ROLE}"
        probe.call("list_tasks", "rig")
        probe.call("list_tasks", "rig")
        probe.end()
    sts = ecs_rig.aws.calls_of("AssumeRoleWithWebIdentity")
    assert len(sts) == 1 and "authorization" not in sts[0].headers
    assert sts[0].params["WebIdentityToken"] == "header.payload.signature"
    used = ecs_rig.aws.calls_of("ListTasks")
    assert [call.status for call in used] == [200, 200] and used[0].headers["x-amz-security-token"]
    assert "payload" not in probe.all_output and used[0].headers["x-amz-security-token"] not in probe.all_output


def test_container_credentials_with_a_token_file(ecs_rig, tmp_path):
    token = tmp_path / "token"
    token.write_text("pod-identity-token")
    key, body = session(ecs_rig.aws, "pod")
    with Endpoint(body) as agent:
        pod = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{agent.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
        with Probe(without_keys(ecs_rig.aws) | pod) as probe:
            probe.call("list_tasks", "rig")
        assert [(path, headers["Authorization"]) for path, headers in agent.asked] == [
            ("/v1/credentials", "pod-identity-token")
        ]
    assert ecs_rig.aws.calls_of("ListTasks")[0].access_key == key


def test_credentials_that_expired_are_had_anew_in_the_same_call(ecs_rig):
    first, body = session(ecs_rig.aws, "first")
    second, next_body = session(ecs_rig.aws, "second")
    with Endpoint(body) as agent:
        with Probe(without_keys(ecs_rig.aws) | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url}) as probe:
            probe.call("list_tasks", "rig")
            ecs_rig.aws.keys[first].expires = time.time() - 1
            agent.body = next_body
            probe.call("list_tasks", "rig")
    assert [(call.access_key, call.error) for call in ecs_rig.aws.calls_of("ListTasks")] == [
        (first, ""),
        (first, "ExpiredTokenException"),
        (second, ""),
    ]


def test_the_instances_role_and_region(ecs_rig):
    key, body = session(ecs_rig.aws, "role")
    answers = {
        "/latest/api/token": "imds-token",
        "/latest/meta-data/placement/region": ecs_rig.aws.region,
        "/latest/meta-data/iam/security-credentials/": "host-role",
        "/latest/meta-data/iam/security-credentials/host-role": body,
    }
    with Endpoint(answers.__getitem__) as imds:
        environment = without_keys(ecs_rig.aws) | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url}
        del environment["AWS_REGION"]
        with Probe(environment) as probe:
            assert probe.first == {"credentials": "instance role", "region": ecs_rig.aws.region}
            probe.call("list_tasks", "rig")
    assert ecs_rig.aws.calls_of("ListTasks")[0].access_key == key


def test_credentials_of_the_instance_outlive_their_end_while_imds_fails(ecs_rig):
    """Static stability: AWS extends sessions it cannot renew, so what the role had goes on being used, with a word."""
    key, body = session(ecs_rig.aws, "stable", life_s=1.5)
    ecs_rig.aws.keys[key].expires = None
    role = "/latest/meta-data/iam/security-credentials/"
    answers = {"/latest/api/token": "imds-token", role: "host-role", role + "host-role": body}
    with Endpoint(answers.__getitem__) as imds:
        metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url}
        with Probe(without_keys(ecs_rig.aws) | metadata) as probe:
            probe.call("list_tasks", "rig")
            imds.status = 500
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                probe.call("list_tasks", "rig")
            probe.end()
    assert {call.access_key for call in ecs_rig.aws.calls_of("ListTasks")} == {key}
    assert "could not be renewed" in probe.all_output
    assert "secret/of+stable" not in probe.all_output and "token/of+stable" not in probe.all_output
