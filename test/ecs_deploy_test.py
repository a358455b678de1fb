"""What deploy/ holds for ECS hosts, taken as it is: registered, verified, run."""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import botocore.config
import pytest

from ecs_host import gone, start
from rig.binaries import REPOSITORY, spotkeeper

DEPLOY = REPOSITORY / "deploy"
UNIT = DEPLOY / "systemd/spotkeeper.service"


def filled_in(rig, file: str) -> dict:
    text = (DEPLOY / "ecs" / file).read_text()
    values = {"ACCOUNT": "123456789012", "CLUSTER": rig.cluster, "REGION": rig.aws.region, "IMAGE": "spotkeeper:test"}
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b(?!\")|(?<=\"){name}(?=\")", value, text)
    return json.loads(text)


def test_the_daemon_service_runs_on_each_host_as_it_is_shipped(ecs_rig):
    one, two = ecs_rig.hosts(2)
    checks = botocore.config.Config(parameter_validation=True, proxies={})
    ecs = ecs_rig.aws.client("ecs", config=checks)
    registered = ecs.register_task_definition(**filled_in(ecs_rig, "task-definition.json"))
    arn = registered["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(**filled_in(ecs_rig, "service.json"))
    job = ecs_rig.run("job", on=one, stop_timeout=2)
    ecs_rig.settle()
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert definition["networkMode"] == "host" and definition["family"] == "spotkeeper"
    assert definition["taskRoleArn"] == "arn:aws:iam::123456789012:role/spotkeeper-ecs-agent"
    [container] = definition["containerDefinitions"]
    assert container["stopTimeout"] == 120, "a drain is finished first"
    [service] = ecs.describe_services(cluster=ecs_rig.cluster, services=["spotkeeper"])["services"]
    assert service["schedulingStrategy"] == "DAEMON" and service["runningCount"] == 2
    own = {task.instance: task for task in ecs_rig.tasks if task.service}
    assert set(own) == {one, two}
    # Its command and environment are what the executable is started with.
    imds = ecs_rig.imds(one)
    given = {one["name"]: one["value"] for one in container["environment"]}
    assert given["AWS_REGION"] == ecs_rig.aws.region
    agent = start(ecs_rig, one, imds, task=own[one], command=tuple(container["command"]), env=given)
    imds.announce(spot=True, time_in_s=12)
    gone(job, at_most=15)
    assert not job.untold
    stopped = [call.params["task"] for call in ecs_rig.aws.calls_of("StopTask")]
    assert stopped == [job.arn]
    agent.post_mortem(at_most=10)


def systemd_analyze(*arguments: object) -> subprocess.CompletedProcess:
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd-analyze is missing: apt-get install systemd"
    return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.fixture
def unit(tmp_path) -> pathlib.Path:
    """The unit, with the executable where it is on this machine."""
    path = tmp_path / "spotkeeper.service"
    path.write_text(UNIT.read_text().replace("/usr/local/bin/spotkeeper", str(spotkeeper())))
    return path


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    said = systemd_analyze("verify", "--man=no", unit)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    unit.write_text(unit.read_text().replace("KillMode=", "KilMode="))
    assert "KilMode" in systemd_analyze("verify", "--man=no", unit).stderr, "it would say so"


def test_the_unit_may_do_little(unit):
    said = systemd_analyze("security", "--offline=true", "--threshold=40", unit)
    assert said.returncode == 0, said.stdout[-400:]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.mark.parametrize("sha", ["right", "wrong"])
def test_user_data_installs_the_executable_and_its_unit(tmp_path, sha):
    """The script itself, in a folder instead of /, and without a systemd to talk to."""
    bucket, root, tools = (tmp_path / name for name in ("bucket", "root", "tools"))
    for folder in (bucket, tools, root / "etc/systemd/system", root / "usr/local/bin"):
        folder.mkdir(parents=True)
    shutil.copy(UNIT, bucket)
    (bucket / "spotkeeper").write_text("#!/bin/sh\n")
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/systemctl\n')
    (tools / "systemctl").chmod(0o755)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=bucket))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    digest = hashlib.sha256(b"#!/bin/sh\n" if sha == "right" else b"other").hexdigest()
    script = (DEPLOY / "ecs/user-data.sh").read_text()
    for line, value in {
        "CLUSTER=CLUSTER": "CLUSTER=prod",
        "FROM=https://BUCKET.s3.REGION.amazonaws.com/spotkeeper": f"FROM=http://127.0.0.1:{server.server_port}",
        "SHA256=SHA256": f"SHA256={digest}",
    }.items():
        assert script.count(line) == 1, line
        script = script.replace(line, value)
    script = re.sub(r"(?<=[ >])(?=/(etc|usr)/)", str(root), script)
    try:
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "no_proxy": "127.0.0.1"}
        done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=60)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    assert (root / "etc/ecs/ecs.config").read_text() == "ECS_CLUSTER=prod\n"
    installed = root / "usr/local/bin/spotkeeper"
    if sha == "wrong":
        assert not installed.exists() and "drained by nobody" in done.stderr
        return
    assert os.access(installed, os.X_OK)
    assert (root / "etc/systemd/system/spotkeeper.service").read_text() == UNIT.read_text()
    assert (tmp_path / "systemctl").read_text().splitlines() == ["daemon-reload", "enable --now spotkeeper"]
