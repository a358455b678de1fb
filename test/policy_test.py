"""Policy files: the schema and the executable agree on the same documents; no cluster needed."""

import json
import subprocess

import fastjsonschema
import pytest
import yaml

from rig.binaries import REPOSITORY, spotkeeper

_DOCUMENTS = REPOSITORY / "src/config/testdata/policies.txt"
_SCHEMA = REPOSITORY / "docs/policy.schema.json"


def documents() -> list[tuple[str, str, str, str]]:
    """(kind, name, message, text), as the file's own first lines say."""
    found = []
    for part in _DOCUMENTS.read_text().split("\n=== ")[1:]:
        head, text = part.split("\n", 1)
        kind, name = head.split()
        message = ""
        if kind != "good":
            message, text = text.split("\n", 1)
        found.append((kind, name, message, text.rstrip("\n") + "\n"))
    return found


def named(kind: str) -> list:
    return [pytest.param(message, text, id=name) for each, name, message, text in documents() if each == kind]


@pytest.fixture(scope="module")
def validate():
    return fastjsonschema.compile(json.loads(_SCHEMA.read_text()))


def agent(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """An agent that finds no cluster: when its policy is good, that is what it says."""
    env = {"NODE_NAME": "n"} | (env or {})
    return subprocess.run([spotkeeper(), "agent", *arguments], env=env, capture_output=True, text=True, timeout=10)


@pytest.mark.parametrize("message, text", named("good"))
def test_good_files_are_good_to_schema_and_agent(message, text, validate, tmp_path):
    validate(yaml.safe_load(text))
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)
    result = agent("--policy-file", str(policy))
    assert result.returncode == 2 and "KUBERNETES_SERVICE_HOST" in result.stderr, result.stderr


@pytest.mark.parametrize("message, text", named("bad"))
def test_bad_files_are_refused_by_the_schema(message, text, validate):
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validate(yaml.safe_load(text))


@pytest.mark.parametrize("message, text", named("bad") + named("odd"))
def test_bad_files_are_one_line_and_status_2(message, text, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)
    result = agent("--policy-file", str(policy))
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == f"spotkeeper agent: {policy}:{message}\n"


@pytest.mark.parametrize("command", ["plan", "drain"])
def test_a_bad_file_stops_plan_and_drain(command, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules:\n  - mode: nevr\n")
    result = subprocess.run(
        [spotkeeper(), command, "n1", "--policy-file", str(policy)], env={}, capture_output=True, text=True, timeout=10
    )
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith(f"spotkeeper {command}: {policy}:2: rules[0].mode: 'nevr' is no mode")
    assert result.stderr.count("\n") == 1


def test_the_variable_names_the_file_too(tmp_path):
    result = agent(env={"POLICY_FILE": str(tmp_path / "none.yaml")})
    assert result.returncode == 2
    assert result.stderr == f"spotkeeper agent: policy file: {tmp_path}/none.yaml: No such file or directory\n"


def test_daemon_sets_are_not_signalled_without_our_taint():
    result = agent(env={"DAEMON_SET_SIGNAL": "true"})
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert "TAINT_NODE=true" in result.stderr


def test_the_examples_in_the_manual_are_good(validate, tmp_path):
    examples = [part.split("```")[0] for part in (REPOSITORY / "docs/policy.md").read_text().split("```yaml\n")[1:]]
    rules = [example for example in examples if "rules:" in example]
    assert len(rules) >= 4
    for example in rules:
        validate(yaml.safe_load(example))
        policy = tmp_path / "policy.yaml"
        policy.write_text(example)
        assert "KUBERNETES_SERVICE_HOST" in agent("--policy-file", str(policy)).stderr
