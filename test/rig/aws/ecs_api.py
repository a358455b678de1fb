"""The ECS API over the model: container instances and tasks. Services are in ecs_api_services.py, attributes in
ecs_api_attributes.py; the rest is moto's.

Limits, defaults and errors: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_<action>.html of each; `failures`:
…/developerguide/api_failures_messages.html. Inputs are checked against botocore's model of the service.
"""

import functools
import time

import botocore.loaders
import botocore.model
import botocore.validate

from . import ecs_queries, ecs_scheduler
from .ecs_api_attributes import AttributesApi
from .ecs_api_services import ServicesApi
from .ecs_model import EcsModel, locked
from .ecs_state import Instance, Task
from .ecs_views import describe_instance, describe_task
from .replies import AwsError, Reply, Request, json_reply


@functools.cache
def _shapes() -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"), "ecs")


class EcsApi(ServicesApi, AttributesApi):
    def __init__(self, model: EcsModel):
        self.model = model
        self._shapes = _shapes()
        self._actions = {
            "ListContainerInstances": self._list_instances,
            "DescribeContainerInstances": self._describe_instances,
            "UpdateContainerInstancesState": self._update_state,
            "DeregisterContainerInstance": self._deregister,
            "RunTask": self._run_task,
            "StartTask": self._start_task,
            "ListTasks": self._list_tasks,
            "DescribeTasks": self._describe_tasks,
            "StopTask": self._stop_task,
            "UpdateTaskProtection": self._update_protection,
            "GetTaskProtection": self._get_protection,
        } | self._service_actions() | self._attribute_actions()
        # What moto would answer from a state of its own that this model replaces.
        self._refused = {"RegisterContainerInstance", "CreateTaskSet", "ListAttributes"}

    @locked
    def answer(self, request: Request) -> Reply | None:
        self.model.check()
        action = request.action
        if action in self._refused:
            raise AwsError("UnsupportedFeatureException", f"The rig does not model {action}.")
        if action not in self._actions:
            return None
        params = request.params()
        shape = self._shapes.operation_model(action).input_shape
        if (report := botocore.validate.ParamValidator().validate(params, shape)).has_errors():
            raise AwsError("InvalidParameterException", report.generate_report())
        return json_reply(self._actions[action](params))

    # Container instances.

    def _list_instances(self, params: dict) -> dict:
        cluster = self.model.cluster(params.get("cluster"))
        arns = ecs_queries.find(self.model, cluster, params.get("status"), params.get("filter"))
        return page(arns, params, "containerInstanceArns")

    def _describe_instances(self, params: dict) -> dict:
        found, failures = self._instances(params, at_most=100)
        return {"containerInstances": [describe_instance(self.model, one) for one in found], "failures": failures}

    def _update_state(self, params: dict) -> dict:
        """At most 10; only an ACTIVE instance can be set to DRAINING (one that is DRAINING stays so)."""
        if params["status"] not in ("ACTIVE", "DRAINING"):
            raise AwsError("InvalidParameterException", "Container instance status should be one of [ACTIVE,DRAINING]")
        found, failures = self._instances(params, at_most=10)
        for one in [one for one in found if one.status not in ("ACTIVE", "DRAINING")]:
            failures.append({"arn": one.arn, "reason": one.status})
            found.remove(one)
        for one in found:
            one.version += one.status != params["status"]
            one.status = params["status"]
        return {"containerInstances": [describe_instance(self.model, one) for one in found], "failures": failures}

    def _deregister(self, params: dict) -> dict:
        instance = self._instance(params["containerInstance"], self.model.cluster(params.get("cluster")))
        if instance is None or instance.status == "INACTIVE":
            raise AwsError("InvalidParameterException", "The referenced container instance was not found.")
        if self.model.tasks_on(instance) and not params.get("force"):
            raise AwsError("InvalidParameterException", "Found running tasks on the instance.")
        self.model.deregister(instance)
        return {"containerInstance": describe_instance(self.model, instance)}

    def _instance(self, arn_or_id: str, cluster: str) -> Instance | None:
        both = (one for one in self.model.instances if one.cluster == cluster and arn_or_id in (one.arn, one.id))
        return next(both, None)

    def _instances(self, params: dict, at_most: int) -> tuple[list[Instance], list[dict]]:
        cluster = self.model.cluster(params.get("cluster"))
        asked = limited(params["containerInstances"], at_most, "container instances")
        found = {arn: self._instance(arn, cluster) for arn in asked}
        failures = [{"arn": arn, "reason": "MISSING"} for arn, one in found.items() if one is None]
        return [one for one in found.values() if one], failures

    # Tasks.

    def _run_task(self, params: dict) -> dict:
        cluster, definition = self.model.cluster(params.get("cluster")), self.model.definition(params["taskDefinition"])
        group = params.get("group", f"family:{definition.family}")
        started, failures = [], []
        for _ in range(min(params.get("count", 1), 10)):
            same = [task for task in self.model.tasks if task.group == group and task.last != "STOPPED"]
            if host := ecs_scheduler.placement(self.model, cluster, definition, same):
                started.append(self._started(host, definition, group, params))
                continue
            hosts = [one for one in self.model.instances if one.cluster == cluster and one.status == "ACTIVE"]
            if not hosts:
                raise AwsError("InvalidParameterException", "No Container Instances were found in your cluster.")
            why = [(one.arn, ecs_scheduler.refusal(self.model, one, definition)) for one in hosts]
            failures += [{"arn": arn, "reason": reason} for arn, reason in why]
        return {"tasks": [describe_task(self.model, task) for task in started], "failures": failures}

    def _start_task(self, params: dict) -> dict:
        """Onto the instances named, at most 10; the scheduler has no say."""
        found, failures = self._instances(params, at_most=10)
        definition = self.model.definition(params["taskDefinition"])
        group = params.get("group", f"family:{definition.family}")
        started = []
        for host in found:
            reason = ecs_scheduler.refusal(self.model, host, definition) if host.status == "ACTIVE" else host.status
            if reason:
                failures.append({"arn": host.arn, "reason": reason})
            else:
                started.append(self._started(host, definition, group, params))
        return {"tasks": [describe_task(self.model, task) for task in started], "failures": failures}

    def _started(self, host: Instance, definition, group: str, params: dict) -> Task:
        more = {"deployment": params.get("startedBy", ""), "tags": params.get("tags", [])}
        return self.model.start_task(host, definition, group, **more)

    def _list_tasks(self, params: dict) -> dict:
        """desiredStatus RUNNING unless asked otherwise: what is being stopped is listed under STOPPED only. PENDING
        finds nothing, since ECS never desires that."""
        cluster = self.model.cluster(params.get("cluster"))
        tasks = [task for task in self.model.tasks if task.cluster == cluster and self.model.describable(task)]
        tasks = [task for task in tasks if task.desired == params.get("desiredStatus", "RUNNING")]
        if host := params.get("containerInstance"):
            if not (instance := self._instance(host, cluster)):
                raise AwsError("InvalidParameterException", "The referenced container instance was not found.")
            tasks = [task for task in tasks if task.instance is instance]
        if name := params.get("serviceName"):
            service = self._find_service(cluster, name)
            tasks = [task for task in tasks if task.service is service]
        if family := params.get("family"):
            tasks = [task for task in tasks if task.definition.family == family]
        if by := params.get("startedBy"):
            tasks = [task for task in tasks if task.deployment == by]
        return page([task.arn for task in tasks], params, "taskArns")

    def _describe_tasks(self, params: dict) -> dict:
        found, failures = self._tasks(params)
        return {"tasks": [describe_task(self.model, task, params) for task in found], "failures": failures}

    def _stop_task(self, params: dict) -> dict:
        """One that stops or has stopped already is answered as it is."""
        cluster = self.model.cluster(params.get("cluster"))
        task = self._task(params["task"], cluster)
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        self.model.stop_task(task, "UserInitiated", params.get("reason", "Task stopped by user"))
        return {"task": describe_task(self.model, task)}

    def _task(self, arn_or_id: str, cluster: str) -> Task | None:
        both = (task for task in self.model.tasks if task.cluster == cluster and arn_or_id in (task.arn, task.id))
        return next((task for task in both if self.model.describable(task)), None)

    def _tasks(self, params: dict) -> tuple[list[Task], list[dict]]:
        cluster = self.model.cluster(params.get("cluster"))
        asked = limited(params.get("tasks", []), 100, "tasks")
        found = {arn: self._task(arn, cluster) for arn in asked}
        failures = [{"arn": arn, "reason": "MISSING"} for arn, task in found.items() if task is None]
        return [task for task in found.values() if task], failures

    def _update_protection(self, params: dict) -> dict:
        """Tasks of services only; 1 to 2880 minutes, 120 by default (task-scale-in-protection.html)."""
        found, failures = self._tasks(params)
        failures += [{"arn": task.arn, "reason": "TASK_NOT_VALID"} for task in found if task.service is None]
        minutes = params.get("expiresInMinutes", 120)
        for task in found:
            task.protected_until = time.time() + 60 * minutes if params["protectionEnabled"] else None
        return {"protectedTasks": self._protections(found), "failures": failures}

    def _get_protection(self, params: dict) -> dict:
        found, failures = self._tasks(params)
        return {"protectedTasks": self._protections(found), "failures": failures}

    def _protections(self, tasks: list[Task]) -> list[dict]:
        def view(task: Task) -> dict:
            on = task.protected(time.time())
            return {"taskArn": task.arn, "protectionEnabled": on} | (
                {"expirationDate": task.protected_until} if on else {}
            )

        return [view(task) for task in tasks if task.service]


def limited(asked: list[str], at_most: int, what: str) -> list[str]:
    if not asked:
        raise AwsError("InvalidParameterException", f"{what} cannot be empty.")
    if len(asked) > at_most:
        raise AwsError("InvalidParameterException", f"{what} can have at most {at_most} items.")
    return asked


def page(rows: list[str], params: dict, key: str, default: int = 100) -> dict:
    """maxResults 1..100; nextToken is opaque: here where the next page begins."""
    size = params.get("maxResults", default)
    if not 1 <= size <= 100:
        raise AwsError("InvalidParameterException", "Max results must be between 1 and 100.")
    token = params.get("nextToken", "page-0")
    if not token.removeprefix("page-").isdecimal():
        raise AwsError("InvalidParameterException", "Invalid token.")
    begin = int(token.removeprefix("page-"))
    more = {"nextToken": f"page-{begin + size}"} if begin + size < len(rows) else {}
    return {key: rows[begin : begin + size]} | more
