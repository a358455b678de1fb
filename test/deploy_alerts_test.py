"""Alert rules and dashboard: each metric that they name is there, and each alert fires when it should and not before."""

import itertools
import json
import re
import subprocess

import pytest
import yaml

from queue_scene import Scene
from rig import until
from rig.binaries import REPOSITORY, binary

ALERTS = REPOSITORY / "deploy/prometheus/alerts.yaml"
DASHBOARD = REPOSITORY / "deploy/grafana/spotkeeper.json"
METRIC = re.compile(r"\b(?:spotkeeper|actions|events|process|nth)_[a-z0-9_]+\b")
LABELS = {"event_error_where", "node_action", "node_status"}


def promtool(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([binary("promtool"), *arguments], text=True, capture_output=True, check=False)


def rules() -> list[dict]:
    return yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]


def dashboard_queries() -> list[str]:
    board = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    found += [one["expr"] for one in board["annotations"]["list"]]
    found += [one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    assert len(found) > 20
    return found


def names_in(queries) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for query in queries for name in METRIC.findall(query)} - LABELS


def test_promtool_has_nothing_to_say():
    done = promtool("check", "rules", "--lint-fatal", ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_queries_are_promql(tmp_path):
    queries = [query for query in dashboard_queries() if not query.startswith("label_values(")]
    plain = [re.sub(r"\$__(range|rate_interval)", "5m", query).replace("$instance", ".*") for query in queries]
    records = [{"record": f"q:{number}", "expr": query} for number, query in enumerate(plain)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_one_that_grafana_lays_out():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells), "no panel covers another"
    assert all(0 <= x < 24 for x, _ in cells)


def test_every_metric_that_is_named_is_there(rig):
    """In what an agent serves that has drained a node; those that only bad days bring stand in the source by name."""
    node = rig.node("n1")
    rig.node("n2")
    rig.deployment("web", on=node)
    rig.service("web")
    imds = rig.imds(node, spot=True, time_in_s=25)
    env = {"ENOUGH_GRACE": 8, "EMIT_KUBERNETES_EVENTS": "true", "WEBHOOK_URL": "http://127.0.0.1:9/"}
    served = {"ENABLE_PROMETHEUS_SERVER": "true", "PROMETHEUS_SERVER_PORT": 0}
    agent = rig.agent(node, imds, env | served)
    agent.post_mortem(at_most=30)
    scene = Scene(rig)
    queue = scene.handler(served)
    action = scene.queue.asg_terminate(scene.node)
    until(lambda: action.result, 30, "the hook completed")

    def shown(one) -> set[str]:
        return {re.sub(r"_(bucket|sum|count)$", "", name.partition("{")[0]) for name in one.metrics()}

    until(lambda: "spotkeeper_webhook_posts_total" in shown(agent), 10, "the webhook's first try counted")
    until(lambda: "spotkeeper_lifecycle_actions_total" in shown(queue), 10, "the hook counted")
    named = names_in(dashboard_queries()) | names_in(rule["expr"] for rule in rules())
    rare = {"clock_corrections", "queue_failures", "lifecycle_heartbeats", "detached"}
    assert named - shown(agent) - shown(queue) == {f"spotkeeper_{name}_total" for name in rare}
    for counted in rare:
        sources = subprocess.run(["grep", "-rlF", f'"{counted}"', REPOSITORY / "src"], capture_output=True, check=False)
        assert sources.returncode == 0, f"{counted} is counted nowhere"


# Each alert: the series that make it fire after so many minutes, and those that do not. Prometheus' notation: "0x30 1x9"
# is 0 for 31 samples (one a minute), then 1 for ten; "_x30" is nothing.
POLLS = 'spotkeeper_imds_polls_total{instance="i",outcome="%s"}'
REQUESTS = 'spotkeeper_api_requests_total{instance="i",verb="patch",resource="nodes",code="%s"}'
RECEIVED = 'spotkeeper_aws_requests_total{instance="i",service="sqs",action="ReceiveMessage",code="%s"}'
IN_HAND = 'spotkeeper_messages_in_hand{instance="i"}'
HERE = {'spotkeeper_build_info{instance="i",version="1"}': "1x60"}


def bucket(metric: str, bounds: dict[str, str], labels: str = "") -> dict:
    return {f'{metric}_bucket{{instance="i",le="{le}"{labels}}}': values for le, values in bounds.items()}


CASES = {
    "SpotkeeperPodsCutOff": [({'spotkeeper_pods_cut_off_total{instance="i"}': "0x30 2x9"}, 35, True)],
    "SpotkeeperDrainFailed": [
        ({'actions_total{instance="i",node_action="cordon-and-drain",node_status="error"}': "_x30 1x9"}, 35, True),
        ({'actions_total{instance="i",node_action="pre-drain",node_status="error"}': "1x9 1x20 2x9"}, 35, True),
        ({'actions_total{instance="i",node_action="pre-drain",node_status="error"}': "1x60"}, 35, False),
        ({'actions_total{instance="i",node_action="pre-drain",node_status="success"}': "_x30 1x9"}, 35, False),
    ],
    "SpotkeeperBudgetOverruled": [({'spotkeeper_pods_overruled_total{instance="i"}': "0x30 1x9"}, 35, True)],
    "SpotkeeperServiceDark": [
        ({'spotkeeper_service_dark_seconds_total{instance="i"}': "0x30 7.5x9"}, 35, True),
        ({'spotkeeper_service_dark_seconds_total{instance="i"}': "0x30 0.4x9"}, 35, False),
    ],
    "SpotkeeperMarkedLate": [
        (bucket("spotkeeper_mark_seconds", {"1": "0x60", "10": "0x30 3x30", "+Inf": "0x30 3x30"}), 40, True),
        (bucket("spotkeeper_mark_seconds", {"1": "0x30 3x30", "10": "0x30 3x30", "+Inf": "0x30 3x30"}), 40, False),
    ],
    "SpotkeeperHeardLate": [
        (
            bucket(
                "spotkeeper_notice_lead_seconds",
                {"60": "0x30 3x30", "120": "0x30 3x30", "+Inf": "0x30 3x30"},
                ',kind="SpotInterruption"',
            ),
            40,
            True,
        ),
        (
            bucket(
                "spotkeeper_notice_lead_seconds",
                {"115": "0x60", "120": "0x30 3x30", "+Inf": "0x30 3x30"},
                ',kind="SpotInterruption"',
            ),
            40,
            False,
        ),
    ],
    "SpotkeeperDeaf": [
        ({POLLS % "quiet": "0+60x10 600x50", POLLS % "retryable": "0x10 0+12x50"}, 30, True),
        ({POLLS % "retryable": "0+12x50"}, 30, True),
        ({POLLS % "quiet": "0+60x60", POLLS % "retryable": "0+1x60"}, 30, False),
        ({POLLS % "quiet": "0+60x20 1200x3 1200+60x40"}, 25, False),
    ],
    "SpotkeeperGone": [({"nothing": "1x60"}, 20, True), (HERE, 20, False)],
    "SpotkeeperForbidden": [
        ({REQUESTS % "403": "_x30 1x9"}, 35, True),
        ({REQUESTS % "403": "1x30 4x9"}, 35, True),
        ({REQUESTS % "200": "_x30 1x9", REQUESTS % "429": "_x30 1x9"}, 35, False),
    ],
    "SpotkeeperRequestsFail": [
        ({REQUESTS % "200": "5x60", REQUESTS % "0": "0+10x60"}, 30, True),
        ({REQUESTS % "200": "0+10x60", REQUESTS % "503": "0+2x60"}, 30, False),
    ],
    "SpotkeeperWebhookFails": [
        ({'spotkeeper_webhook_posts_total{instance="i",outcome="failure"}': "_x30 1x9"}, 35, True),
        ({'spotkeeper_webhook_posts_total{instance="i",outcome="retry"}': "_x30 4x9"}, 35, False),
    ],
    "SpotkeeperEventsDropped": [
        ({'spotkeeper_kubernetes_events_total{instance="i",outcome="dropped"}': "_x30 1x9"}, 35, True),
        ({'spotkeeper_kubernetes_events_total{instance="i",outcome="written"}': "_x30 1x9"}, 35, False),
    ],
    "SpotkeeperQueueDeaf": [
        ({RECEIVED % "200": "0+3x20 60x40", IN_HAND: "0x60"}, 40, True),
        ({RECEIVED % "403": "0+3x60", IN_HAND: "0x60"}, 20, True),
        ({RECEIVED % "200": "0+3x60", RECEIVED % "500": "0+1x60", IN_HAND: "0x60"}, 40, False),
        ({POLLS % "quiet": "0+60x60"}, 40, False),
    ],
    "SpotkeeperPoison": [
        ({'spotkeeper_queue_messages_total{instance="i",outcome="poison"}': "_x30 1x9"}, 35, True),
        ({'spotkeeper_queue_messages_total{instance="i",outcome="acted_on"}': "_x30 1x9"}, 35, False),
    ],
    "SpotkeeperHooksFail": [
        ({'spotkeeper_lifecycle_actions_total{instance="i",outcome="failed"}': "_x30 1x9"}, 35, True),
        ({'spotkeeper_lifecycle_actions_total{instance="i",outcome="completed"}': "_x30 1x9"}, 35, False),
    ],
    "SpotkeeperInstancesWithoutNode": [
        ({'nth_tagged_instances{instance="i"}': "5x60", 'nth_tagged_nodes{instance="i"}': "4x60"}, 40, True),
        ({'nth_tagged_instances{instance="i"}': "5x60", 'nth_tagged_nodes{instance="i"}': "5x60"}, 40, False),
    ],
    "SpotkeeperClockWrong": [({'spotkeeper_clock_corrections_total{instance="i"}': "_x30 1x9"}, 35, True)],
}


def test_every_alert_is_tried():
    assert {rule["alert"] for rule in rules()} == set(CASES)
    assert all(any(fires for _, _, fires in cases) for cases in CASES.values())


@pytest.mark.parametrize(
    "alert, series, at, fires",
    [(alert, *case) for alert, cases in CASES.items() for case in cases],
    ids=[f"{alert}-{n}" for alert, cases in CASES.items() for n in range(len(cases))],
)
def test_alerts_fire_when_they_should(tmp_path, alert, series, at, fires):
    rule = next(one for one in rules() if one["alert"] == alert)
    others = {} if alert == "SpotkeeperGone" else HERE
    inputs = [{"series": name, "values": values} for name, values in (series | others).items()]
    query = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    wanted = [{"labels": "{}", "value": 1}] if fires else []
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": inputs,
                "promql_expr_test": [{"expr": query, "eval_time": f"{at}m", "exp_samples": wanted}],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, f"{rule['expr']}\n{done.stdout}{done.stderr}"


def test_no_alert_fires_on_a_quiet_cluster(tmp_path):
    """An agent that has polled for an hour, and one that has drained its host as it should."""
    zero = ("pods_cut_off", "pods_overruled", "service_dark_seconds")
    series = HERE | {f'spotkeeper_{name}_total{{instance="i"}}': "0x60" for name in zero}
    series |= {POLLS % "quiet": "0+60x60", REQUESTS % "200": "0+1x60"}
    series |= {'actions_total{instance="i",node_action="cordon-and-drain",node_status="success"}': "_x30 1x30"}
    series |= {'actions_total{instance="i"}': "0x60", 'spotkeeper_pods_told_total{instance="i"}': "0x30 8x30"}
    series |= bucket("spotkeeper_mark_seconds", dict(zip(("0.05", "+Inf"), itertools.repeat("0x30 1x30"))))
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"expr": 'count(ALERTS{alertstate="firing"})', "eval_time": f"{at}m"} for at in (20, 40, 59)
                ],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
