"""ListContainerInstances' filter: a part of the cluster query language, and how wrong its answers may be.

docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html: `subject operator [argument]`, joined
by `and`/`or`; subjects agentConnected, agentVersion, ec2InstanceId, registeredAt, runningTasksCount, attribute:…;
operators ==, !=, in, !in, <, <= and so on. Here: ==, !=, in, !in; `and`, `or` without parentheses; anything else is
refused, so that no test leans on what is not modelled.

The answers are eventually consistent (API_Welcome; peers lost hosts by it). `model.filter_lag_s`: filters see the
cluster as it was so long ago. `model.filter_rows`: "matching"; "all": as if the filter was not there (so moto 5.2);
"none"; "another": one that does not match, which nobody may take for granted.
"""

import re
import time

from .ecs_state import Instance
from .replies import AwsError

_TERM = re.compile(r"\s*(?P<subject>[\w:.-]+)\s*(?P<operator>==|!=|!in|in)\s*(?P<argument>\[[^]]*\]|[^\s\[\]]+)\s*")


def row(model, instance: Instance) -> dict[str, str]:
    return {
        "arn": instance.arn,
        "cluster": instance.cluster,
        "status": instance.status,
        "ec2InstanceId": instance.ec2_id,
        "agentConnected": str(instance.agent_connected).lower(),
        "attribute:ecs.availability-zone": instance.zone,
        "runningTasksCount": str(sum(task.last == "RUNNING" for task in model.tasks_on(instance))),
    }


def find(model, cluster: str, status: str | None, text: str | None) -> list[str]:
    """ARNs. Without a status: all but INACTIVE (API_ListContainerInstances.html)."""
    rows = [row(model, one) for one in model.instances]
    if text:
        matches = _parse(text)
        rows = _choose(model, _past(model, rows), matches)
    rows = [one for one in rows if one["cluster"] == cluster]
    return [one["arn"] for one in rows if (one["status"] == status if status else one["status"] != "INACTIVE")]


def _past(model, rows: list[dict]) -> list[dict]:
    if not model.filter_lag_s:
        return rows
    then = time.time() - model.filter_lag_s
    return next((seen for at, seen in reversed(model.history) if at <= then), [])


def _choose(model, rows: list[dict], matches) -> list[dict]:
    if model.filter_rows == "all":
        return rows
    if model.filter_rows == "none":
        return []
    if model.filter_rows == "another":
        return [one for one in rows if not matches(one)][:1]
    return [one for one in rows if matches(one)]


def _parse(text: str):
    """A predicate of a row. `and` binds closer than `or`."""
    parts = [re.split(r"\s+(?:and|&&)\s+", part) for part in re.split(r"\s+(?:or|\|\|)\s+", text)]
    alternatives = [[_term(term) for term in part] for part in parts]
    return lambda one: any(all(term(one) for term in terms) for terms in alternatives)


def _term(text: str):
    found = _TERM.fullmatch(text)
    if not found:
        raise AwsError("InvalidParameterException", f"The rig does not know this filter: {text!r}")
    values = [value.strip().strip("'\"") for value in found["argument"].strip("[]").split(",")]
    negative = found["operator"].startswith("!")
    return lambda one: (one.get(found["subject"]) in values) != negative
