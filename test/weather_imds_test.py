"""The real agent when the metadata service of its host misbehaves, or the host's clock is wrong.

Several hosts live through their weather side by side in one test, so that the tests are short.
"""

import time

import pytest

from rig import until
from rig.weather import CALM, counted, ended_well, shy_pod, told_at_its_last_moment

ONE_TRY = CALM | {"METADATA_TRIES": "1"}


def test_a_clock_that_is_wrong_is_corrected_by_awss(rig):
    """Deadlines are AWS's time. The first answer of two of the hosts brings the notice already."""
    spare_time = 35
    shifts = {"behind": 90, "ahead": -90, "hour-behind": 3600, "hour-ahead": -3600}
    hosts = {}
    for name, shift in shifts.items():
        node = rig.node(name)
        shy_pod(rig, f"shy-{name}", node)
        rig.pod(f"slow-{name}", on=node, grace=600, ends_after=2)
        hosts[name] = (node, shift)
    started = {}
    for name, (node, shift) in hosts.items():
        imds = rig.imds_proxy(node, shift_s=shift)
        if abs(shift) > 900:
            imds.imds.announce(spot=True, time_in_s=spare_time)
        started[name] = (imds, rig.agent(node, imds, CALM))
    for name in ("behind", "ahead"):
        imds, agent = started[name]
        agent.wait_for_log(f"the host's clock is 90 s {'behind' if name == 'behind' else 'ahead of'} AWS's")
        until(lambda imds=imds: len(imds.polls()) >= 5, 10, "polling on")
        assert counted(agent, "clock_corrections") == 1, "it does not flap"
        imds.imds.announce(spot=True, time_in_s=spare_time)
    for name, (imds, agent) in started.items():
        slow = rig.told(f"slow-{name}", at_most=10)
        assert slow.told_at + slow.grace <= imds.deadline + 1, "its grace is cut by the true time that is left"
        assert imds.deadline - slow.told_at > spare_time - 8, "told at once"
    for name, (imds, agent) in started.items():
        told_at_its_last_moment(rig, f"shy-{name}", imds)
        ended_well(agent, moved=2)
        notice = agent.steps("notice")[0]["message"]
        away = "90 s" if abs(hosts[name][1]) == 90 else "3600 s"
        assert f"which the host's clock is {away}" in notice
        assert counted(agent, "clock_corrections") == 1


@pytest.mark.timeout(300)
def test_an_imds_in_bad_weather_delays_nothing_but_itself(rig):
    """Before the notice, and again while a drain runs. The 500s last a real minute."""
    weathers = {
        "error-500": ("error", {"status": 500}, 60),
        "error-401": ("error", {"status": 401}, 12),
        "error-403": ("error", {"status": 403}, 12),
        "garbage": ("garbage", {}, 12),
        "page": ("page", {}, 12),
        "empty": ("empty", {}, 12),
        "huge": ("huge", {}, 12),
        "slow": ("slow", {"seconds": 3}, 12),
        "silent": ("silent", {}, 12),
        "gone": ("gone", {}, 12),
    }
    notice_s = 32
    nodes = {name: rig.node(name) for name in weathers}
    for name, node in nodes.items():
        shy_pod(rig, f"shy-{name}", node)
    proxies, agents = {}, {}
    for name, (weather, options, _) in weathers.items():
        proxies[name] = rig.imds_proxy(nodes[name])
        agents[name] = rig.agent(nodes[name], proxies[name], ONE_TRY)
    for agent in agents.values():
        agent.wait_for_log("node found")
    began = time.time()
    for name, (weather, options, _) in weathers.items():
        proxies[name].become(weather, **options)
    heard_after = {}

    def live_through(names: list[str], lasts_s: float) -> None:
        until(lambda: time.time() - began >= lasts_s, lasts_s + 1, "weather")
        for name in names:
            proxies[name].imds.announce(spot=True, time_in_s=notice_s if len(names) > 1 else 26)
        cleared = time.time()
        for name in names:
            proxies[name].become("well")
        for name in names:
            heard_after[name] = until(nodes[name].cordoned_at, 8, f"{name} heard") - cleared
            weather, options, _ = weathers[name]
            proxies[name].become(weather, **options)  # and again: the drain goes on
        for name in names:
            told_at_its_last_moment(rig, f"shy-{name}", proxies[name], early_s=3)

    short = [name for name, weather in weathers.items() if weather[2] == 12]
    live_through(short, 12)
    live_through(["error-500"], 60)
    minute = [at - began for at in proxies["error-500"].polls(began) if at - began < 60]
    assert 12 <= len(minute) <= 45, f"backed off, and never by more than 5 s: {len(minute)} polls in a minute"
    assert max(b - a for a, b in zip(minute, minute[1:])) <= 7, "5 s, and what a busy machine adds"
    print("notice heard after the weather, s:", {name: round(at, 2) for name, at in heard_after.items()})
    for name, agent in agents.items():
        ended_well(agent, moved=1)
        agent.wait_for_log("instance metadata answers again", at_most=1)
        failed = counted(agent, "imds_polls") - sum(
            counted(agent, "imds_polls", outcome=outcome) for outcome in ("quiet", "notice")
        )
        assert failed >= 2, f"{name}: failures are counted"
        assert len([line for line in agent.log_lines() if line.get("failures")]) < 30, "and not all are logged"


def test_a_slow_imds_that_answers_in_time_is_heard(rig):
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    imds = rig.imds_proxy(node, spot=True, time_in_s=30)
    imds.become("slow", seconds=1.5)
    agent = rig.agent(node, imds, CALM)
    rig.until_gone_from(node, "web", at_most=10)
    assert agent.post_mortem()["untold"] == 0
    assert counted(agent, "clock_corrections") == 0, "a slow answer is no wrong clock"
