"""`spotkeeper-demo` as a newcomer meets it: the executable and nothing else. No control plane is needed."""

import functools
import os
import re
import signal
import subprocess
import time

import pytest

from rig.binaries import spotkeeper
from rig.person import Terminal

DEMO = spotkeeper().parent / "spotkeeper-demo"
ENV = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
FAST = ["--speed", "20"]
SAVED = re.compile(r"0 of (\d+) pods were cut off")


def demo(*arguments: str, env: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [DEMO, *arguments], env=ENV | (env or {}), capture_output=True, text=True, timeout=50, stdin=subprocess.DEVNULL
    )


@functools.cache
def shop() -> subprocess.CompletedProcess:
    """One run of the default scenario, which several tests look at."""
    return demo(*FAST)


def at_terminal(*arguments: str, env: dict | None = None) -> Terminal:
    return Terminal([DEMO, *arguments], ENV | {"TERM": "xterm"} | (env or {}))


def comparison(text: str) -> dict[str, tuple[int, int]]:
    """Cut off and all pods of each of the three cases."""
    rows = re.findall(r"^(\S.*?) {2,}(\d+) of (\d+) pods", text, re.M)
    return {name: (int(cut_off), int(pods)) for name, cut_off, pods in rows}


@pytest.mark.parametrize(
    "scenario, pods, naive",
    [("shop", 7, 1), ("closed-budgets", 6, 6), ("short-notice", 7, None), ("weather", 10, 1), ("many", 30, None)],
)
def test_nobody_is_cut_off_and_every_line_fits(scenario, pods, naive):
    result = shop() if scenario == "shop" else demo(*FAST, "--scenario", scenario)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == "" and "\x1b" not in result.stdout and "\r" not in result.stdout
    assert [line for line in result.stdout.splitlines() if len(line) > 80] == []
    assert int(SAVED.search(result.stdout)[1]) == pods
    compared = comparison(result.stdout)
    assert compared["with spotkeeper"] == (0, pods) and compared["no agent"] == (pods, pods)
    cut_off = compared["plain eviction, retried every 5 s"][0]
    assert cut_off == naive if naive is not None else cut_off > 0


def test_a_pipe_gets_the_story_in_order():
    text = shop().stdout
    story = [
        "checkout",
        "asks the metadata service",
        "Spot interruption notice: it ends in 120 s",
        "hears the notice",
        "cordoned",
        "taken out of its Deployment",
        "waits: its replacement is to be Ready first",
        "enough others are Ready",
        "told to end",
        "post-mortem of n1",
        "AWS took host n1 back",
        "Replaced first",
    ]
    at = -1
    for words in story:
        assert words in text[at + 1 :], f"'{words}' after '{text[at : at + 80]}'"
        at = text.index(words, at + 1)
    seconds = [float(second) for second in re.findall(r"^ *(-?\d+\.\d)  (?:AWS|agent|cluster)", text, re.M)]
    assert seconds == sorted(seconds) and seconds[-1] == 120


def test_who_does_the_same_twice_sees_the_same():
    """But for moments, random names of pods, and their order."""

    def told(text: str) -> list[str]:
        return sorted(re.findall(r"agent +([a-z]+)-\S+ +(told to end.*|BUDGET OVERRULED.*)", text))

    first, second = shop(), demo(*FAST)
    assert told(first.stdout) == told(second.stdout)
    assert len(told(first.stdout)) == 7
    assert comparison(first.stdout) == comparison(second.stdout)


def test_a_terminal_gets_a_board_that_is_redrawn():
    terminal = at_terminal(*FAST)
    assert terminal.end(at_most=50) == 0, terminal.text
    assert re.search(r"\x1b\[\d+F\x1b\[J", terminal.raw) and "\x1b[32m" in terminal.raw
    assert "░" in terminal.text and "✓" in terminal.text
    assert re.search(r"^now on n2  .*Ready", terminal.text, re.M)
    assert SAVED.search(terminal.text)


def test_ascii_where_the_locale_is_not_utf_8():
    terminal = at_terminal(*FAST, "--scenario", "short-notice", env={"LANG": "C"})
    assert terminal.end(at_most=50) == 0
    assert terminal.text.isascii() and "= told, shutting down" in terminal.text


@pytest.mark.parametrize(
    "arguments, env", [([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--no-color"], {})], ids=str
)
def test_no_codes_where_none_are_wanted(arguments, env):
    terminal = at_terminal(*FAST, "--scenario", "short-notice", *arguments, env=env)
    assert terminal.end(at_most=50) == 0
    assert "\x1b" not in terminal.raw and SAVED.search(terminal.text)


def test_plain_has_colours_but_moves_no_cursor():
    terminal = at_terminal(*FAST, "--scenario", "short-notice", "--plain")
    assert terminal.end(at_most=50) == 0
    assert set(re.findall(r"\x1b\[[0-9;]*([A-Za-z])", terminal.raw)) == {"m"}


def test_the_first_line_of_the_timeline_comes_at_once():
    began = time.monotonic()
    process = subprocess.Popen([DEMO], env=ENV, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if "asks the metadata service" in line:
                break
        assert time.monotonic() - began < 2
    finally:
        process.terminate()
        assert process.wait(5) == 130


@pytest.mark.parametrize("how", ["key", "signal"])
def test_ctrl_c_ends_it_at_once(how):
    if how == "key":
        terminal = at_terminal()
        terminal.wait_for("hears the notice")
        began = time.monotonic()
        terminal.press("\x03")
        assert terminal.end() == 130 and "stopped" in terminal.text
    else:
        process = subprocess.Popen([DEMO], env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "hears the notice" not in process.stdout.readline():
            pass
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 130 and errors == ""
    assert time.monotonic() - began < 2


def test_a_reader_who_has_seen_enough_ends_it():
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{DEMO} --speed 20 | head -3"], env=ENV, capture_output=True, text=True, timeout=20
    )
    assert len(result.stdout.splitlines()) == 3
    assert result.returncode == 128 + signal.SIGPIPE and result.stderr == ""


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--speed", "0"], ["--speed", "from 0.1 to"]),
        (["--speed", "1000"], ["--speed", "from 0.1 to"]),
        (["--scenario", "none"], ["--scenario", "closed-budgets", "'none'"]),
        (["--notice", "5"], ["--notice", "from 20 to"]),
        (["--fly"], ["--fly", "--help"]),
        (["fly"], ["'fly'", "--help"]),
    ],
)
def test_a_wrong_option_is_one_line(arguments, words):
    result = demo(*arguments)
    assert result.returncode == 2 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_help_and_the_list_of_scenarios():
    text = demo("--help").stdout
    for words in ("--speed N", "--scenario NAME", "--notice SECONDS", "Examples:", "Exit status:"):
        assert words in text
    assert all(len(line) <= 80 for line in text.splitlines())
    names = [line.split()[0] for line in demo("--list-scenarios").stdout.splitlines()]
    assert names == ["shop", "closed-budgets", "short-notice", "weather", "many"]


def test_spotkeeper_starts_it(tmp_path):
    result = subprocess.run([spotkeeper(), "demo", "--help"], env=ENV, capture_output=True, text=True, timeout=10)
    assert result.returncode == 0 and result.stdout == demo("--help").stdout
    alone = tmp_path / "spotkeeper"
    alone.write_bytes(spotkeeper().read_bytes())
    alone.chmod(0o755)
    result = subprocess.run([alone, "demo"], env=ENV, capture_output=True, text=True, timeout=10)
    assert result.returncode == 2 and str(tmp_path / "spotkeeper-demo") in result.stderr
    assert len(result.stderr.splitlines()) == 1
