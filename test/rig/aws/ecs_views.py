"""The model's objects as the ECS API shows them (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html,
API_ContainerInstance.html, API_Service.html). Reading changes nothing."""

from .ecs_state import STARTING, Deployment, Instance, Service, Task

AGENT_VERSION = "1.105.0"


def describe_instance(model, instance: Instance) -> dict:
    cpu, memory = model.used(instance)
    there = model.tasks_on(instance)
    attributes = {"ecs.availability-zone": instance.zone} | instance.attributes
    shown = {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_id,
        "version": instance.version,
        "versionInfo": {"agentVersion": AGENT_VERSION, "agentHash": "00000000", "dockerVersion": "DockerVersion: 25.0"},
        "remainingResources": _resources(instance.cpu - cpu, instance.memory - memory),
        "registeredResources": _resources(instance.cpu, instance.memory),
        "status": instance.status,
        "agentConnected": instance.agent_connected,
        "runningTasksCount": sum(task.last == "RUNNING" for task in there),
        "pendingTasksCount": sum(task.last in STARTING for task in there),
        "registeredAt": instance.registered_at,
        "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
        "attachments": [],
        "tags": [],
    }
    return shown | ({"capacityProviderName": instance.capacity_provider} if instance.capacity_provider else {})


def _resources(cpu: int, memory: int) -> list[dict]:
    numbers = {"doubleValue": 0.0, "longValue": 0}
    return [
        {"name": "CPU", "type": "INTEGER", **numbers, "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", **numbers, "integerValue": memory},
    ]


def describe_task(model, task: Task, params: dict | None = None) -> dict:
    times = {
        "startedAt": task.started_at,
        "stoppingAt": task.stopping_at,
        "executionStoppedAt": task.execution_stopped_at,
        "stoppedAt": task.stopped_at,
        "stopCode": task.stop_code or None,
        "stoppedReason": task.stopped_reason or None,
        "startedBy": task.deployment or None,
    }
    shown = {
        "taskArn": task.arn,
        "clusterArn": model.cluster_arn(task.cluster),
        "taskDefinitionArn": task.definition.arn,
        "containerInstanceArn": task.instance.arn,
        "lastStatus": task.last,
        "desiredStatus": task.desired,
        "group": task.group,
        "launchType": "EC2",
        "availabilityZone": task.instance.zone,
        "connectivity": "CONNECTED" if task.instance.agent_connected else "DISCONNECTED",
        "cpu": str(task.cpu),
        "memory": str(task.memory),
        "createdAt": task.created_at,
        "healthStatus": "UNKNOWN",
        "version": task.version,
        "containers": [_container(task, number) for number in range(len(task.containers))],
        "attachments": _attachments(task),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "attributes": [],
    }
    if params and "TAGS" in params.get("include", []):
        shown["tags"] = task.tags
    return shown | {name: value for name, value in times.items() if value is not None}


def _container(task: Task, number: int) -> dict:
    """What the agent reported: an exit code only when it could (a host that has gone reports nothing)."""
    container = task.containers[number]
    shown = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{number}",
        "taskArn": task.arn,
        "name": container.name,
        "lastStatus": "PENDING" if container.started_at is None else "RUNNING",
        "networkInterfaces": [],
        "networkBindings": [] if task.definition.network_mode == "awsvpc" else _bindings(task),
    }
    if container.ended_at is not None and container.end != "cut off" and task.stop_code != "TerminationNotice":
        shown |= {"lastStatus": "STOPPED", "exitCode": container.exit_code}
    return shown | ({"lastStatus": "STOPPED"} if task.last == "STOPPED" else {})


def _bindings(task: Task) -> list[dict]:
    balancers = task.service.load_balancers if task.service else []
    pairs = zip(task.targets, balancers, strict=False)
    return [
        {"bindIP": "0.0.0.0", "containerPort": one["containerPort"], "hostPort": target.port, "protocol": "tcp"}
        for target, one in pairs
    ]


def _attachments(task: Task) -> list[dict]:
    """awsvpc: the interface, with the address by which it is a target."""
    if task.definition.network_mode != "awsvpc" or not task.targets:
        return []
    details = [{"name": "privateIPv4Address", "value": task.targets[0].id}]
    return [{"id": task.id, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}]


def describe_service(model, service: Service) -> dict:
    tasks = [task for task in model.tasks if task.service is service]
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": model.cluster_arn(service.cluster),
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": sum(task.last == "RUNNING" for task in tasks),
        "pendingCount": sum(task.last in STARTING for task in tasks),
        "launchType": "EC2",
        "taskDefinition": service.primary.definition.arn,
        "deploymentConfiguration": {
            "maximumPercent": service.maximum,
            "minimumHealthyPercent": service.minimum,
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        },
        "deployments": [_deployment(service, one, tasks) for one in service.deployments],
        "loadBalancers": service.load_balancers,
        "serviceRegistries": [],
        "placementConstraints": service.constraints,
        "placementStrategy": [],
        "schedulingStrategy": "DAEMON" if service.daemon else "REPLICA",
        "deploymentController": {"type": "ECS"},
        "events": service.events,
        "createdAt": service.created_at,
        "healthCheckGracePeriodSeconds": 0,
    }


def _deployment(service: Service, deployment: Deployment, tasks: list[Task]) -> dict:
    own = [task for task in tasks if task.deployment == deployment.id]
    primary = deployment.status == "PRIMARY"
    running = sum(task.last == "RUNNING" for task in own)
    done = primary and len(service.deployments) == 1 and running == service.desired
    return {
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.definition.arn,
        "desiredCount": service.desired if primary else 0,
        "runningCount": running,
        "pendingCount": sum(task.last in STARTING for task in own),
        "failedTasks": 0,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.created_at,
        "launchType": "EC2",
        "rolloutState": "COMPLETED" if done else "IN_PROGRESS",
    }
