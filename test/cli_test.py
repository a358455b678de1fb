"""The command line as a person meets it: no cluster needed."""

import subprocess

import pytest

from rig.binaries import spotkeeper


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([spotkeeper(), *arguments], env=env or {}, capture_output=True, text=True, timeout=10)


@pytest.mark.parametrize(
    "arguments, env, words",
    [
        (["agent"], {}, ["--node-name", "NODE_NAME"]),
        (["agent", "--no-such"], {"NODE_NAME": "n"}, ["--no-such", "--help"]),
        (["agent"], {"NODE_NAME": "n", "DRY_RUN": "yes"}, ["DRY_RUN", "true or false", "'yes'"]),
        (["agent", "--metadata-tries=0"], {"NODE_NAME": "n"}, ["--metadata-tries", "from 1 to 100", "'0'"]),
        (["agent"], {"NODE_NAME": "n"}, ["KUBERNETES_SERVICE_HOST"]),
        (["agent", "--kubeconfig", "/no/such/file"], {"NODE_NAME": "n"}, ["/no/such/file"]),
        (
            ["agent", "--service-account-dir", "/no/such/folder"],
            {"NODE_NAME": "n", "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"},
            ["/no/such/folder"],
        ),
        (["fly"], {}, ["'fly'", "spotkeeper --help"]),
        (["drain", "n", "--deadline", "2020-01-01T00:00:00Z"], {}, ["--deadline", "ahead", "2020-01-01"]),
        (["plan", "n", "--kubeconfig", "/no/such/file"], {}, ["/no/such/file"]),
        (["drain"], {}, ["expected either hosts", "--help"]),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(arguments, env, words):
    result = run(*arguments, env=env)
    assert result.returncode == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0]


def test_without_a_word_it_says_how_it_is_used():
    result = run()
    assert result.returncode == 2
    assert "Usage:" in result.stderr and result.stdout == ""


def test_a_flag_of_the_agents_or_its_node_name_is_enough():
    """As users of NTH start it: without a subcommand."""
    for arguments, env in (["--metadata-tries=0"], {"NODE_NAME": "n"}), (["--metadata-tries=0"], {}):
        result = run(*arguments, env=env)
        assert result.returncode == 2 and "from 1 to 100" in result.stderr, result.stderr
    result = run(env={"NODE_NAME": "n"})
    assert result.returncode == 2 and "KUBERNETES_SERVICE_HOST" in result.stderr, result.stderr



def test_a_kubeconfig_without_its_key_names_file_and_key(tmp_path):
    config = tmp_path / "config"
    config.write_text("apiVersion: v1\nkind: Config\ncurrent-context: dev\ncontexts: []\n")
    result = run("agent", "--kubeconfig", str(config), env={"NODE_NAME": "n"})
    assert result.returncode == 2
    assert str(config) in result.stderr and "dev" in result.stderr


def test_help_lists_every_option_with_its_variable():
    result = run("agent", "--help")
    assert result.returncode == 0 and result.stderr == ""
    for flag, variable in [("--node-name", "NODE_NAME"), ("--taint-node", "TAINT_NODE"), ("--dry-run", "DRY_RUN")]:
        assert flag in result.stdout and f"[{variable}" in result.stdout
    assert "Examples:" in result.stdout


def test_version_and_usage():
    assert run("--version").stdout.startswith("spotkeeper ")
    usage = run("--help")
    assert usage.returncode == 0 and "spotkeeper agent" in usage.stdout


def test_the_executable_needs_nothing_of_the_machine():
    """Fully static: no interpreter, no shared library."""
    headers = subprocess.run(
        ["readelf", "--wide", "--program-headers", spotkeeper()], capture_output=True, text=True, check=True
    ).stdout
    assert "INTERP" not in headers
