"""The part of the ECS API that is about services (docs.aws.amazon.com/AmazonECS/latest/APIReference/)."""

import random
import time

from . import ecs_scheduler
from .ecs_state import Deployment, Service
from .ecs_views import describe_service
from .replies import AwsError

# API_DeploymentConfiguration.html: what a service gets that says nothing.
_REPLICA_PERCENTS, _DAEMON_PERCENTS = (100, 200), (0, 100)


class ServicesApi:
    """A part of EcsApi, whose `model` it uses."""

    def _service_actions(self) -> dict:
        return {
            "CreateService": self._create_service,
            "UpdateService": self._update_service,
            "DeleteService": self._delete_service,
            "ListServices": self._list_services,
            "DescribeServices": self._describe_services,
            "DescribeClusters": self._describe_clusters,
        }

    def _find_service(self, cluster: str, name_or_arn: str) -> Service:
        service = self._service(cluster, name_or_arn)
        if service is None or service.status == "INACTIVE":
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return service

    def _service(self, cluster: str, name_or_arn: str) -> Service | None:
        """The newest of that name."""
        both = [one for one in self.model.services if one.cluster == cluster and name_or_arn in (one.arn, one.name)]
        return both[-1] if both else None

    def _create_service(self, params: dict) -> dict:
        cluster, name = self.model.cluster(params.get("cluster")), params["serviceName"]
        if (known := self._service(cluster, name)) and known.status != "INACTIVE":
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        for strange in ("placementStrategy", "serviceRegistries", "deploymentController", "capacityProviderStrategy"):
            if params.get(strange):
                raise AwsError("UnsupportedFeatureException", f"The rig does not model {strange}.")
        if any(one["type"] != "distinctInstance" for one in params.get("placementConstraints", [])):
            raise AwsError("UnsupportedFeatureException", "The rig models no constraint but distinctInstance.")
        daemon = params.get("schedulingStrategy") == "DAEMON"
        if not daemon and "desiredCount" not in params:
            raise AwsError("InvalidParameterException", "The desiredCount is required for REPLICA services.")
        now = time.time()
        service = Service(
            arn=f"{self.model.cluster_arn(cluster).replace(':cluster/', ':service/')}/{name}",
            name=name,
            cluster=cluster,
            desired=params.get("desiredCount", 0),
            minimum=0,
            maximum=0,
            daemon=daemon,
            created_at=now,
            deployments=[Deployment(_deployment_id(), self.model.definition(params["taskDefinition"]), now)],
            load_balancers=params.get("loadBalancers", []),
            constraints=params.get("placementConstraints", []),
        )
        service.minimum, service.maximum = _DAEMON_PERCENTS if daemon else _REPLICA_PERCENTS
        self._configure(service, params)
        for balancer in service.load_balancers:
            self.model.elb.delay_s(balancer["targetGroupArn"])  # raises when there is no such group
        self.model.services.append(service)
        return {"service": describe_service(self.model, service)}

    def _configure(self, service: Service, params: dict) -> None:
        asked = params.get("deploymentConfiguration", {})
        minimum = asked.get("minimumHealthyPercent", service.minimum)
        maximum = asked.get("maximumPercent", service.maximum)
        if service.daemon and maximum != 100:
            raise AwsError("InvalidParameterException", "maximumPercent must be 100 for DAEMON services.")
        if minimum == maximum == 100:  # AWS refuses this pair, though 100/199 of one task leaves no more room
            text = "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments"
            raise AwsError("InvalidParameterException", text)
        if maximum < 100 or maximum < minimum:
            raise AwsError(
                "InvalidParameterException", "maximumPercent must be at least 100 and minimumHealthyPercent."
            )
        service.minimum, service.maximum = minimum, maximum

    def _update_service(self, params: dict) -> dict:
        service = self._find_service(self.model.cluster(params.get("cluster")), params["service"])
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        self._configure(service, params)
        service.desired = params.get("desiredCount", service.desired)
        current = service.primary.definition
        definition = self.model.definition(params["taskDefinition"]) if "taskDefinition" in params else current
        if definition is not current or params.get("forceNewDeployment"):
            ecs_scheduler.redeploy(service, definition, _deployment_id(), time.time())
        return {"service": describe_service(self.model, service)}

    def _delete_service(self, params: dict) -> dict:
        """DRAINING until its tasks are gone, then INACTIVE."""
        service = self._find_service(self.model.cluster(params.get("cluster")), params["service"])
        if service.desired and not service.daemon and not params.get("force"):
            raise AwsError("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
        service.status, service.desired = "DRAINING", 0
        return {"service": describe_service(self.model, service)}

    def _list_services(self, params: dict) -> dict:
        from .ecs_api import page

        cluster = self.model.cluster(params.get("cluster"))
        active = [one for one in self.model.services if one.cluster == cluster and one.status == "ACTIVE"]
        if strategy := params.get("schedulingStrategy"):
            active = [one for one in active if one.daemon == (strategy == "DAEMON")]
        return page([one.arn for one in active], params, "serviceArns", default=10)

    def _describe_services(self, params: dict) -> dict:
        from .ecs_api import limited

        cluster = self.model.cluster(params.get("cluster"))
        found = {name: self._service(cluster, name) for name in limited(params["services"], 10, "services")}
        failures = [{"arn": name, "reason": "MISSING"} for name, one in found.items() if one is None]
        return {"services": [describe_service(self.model, one) for one in found.values() if one], "failures": failures}

    def _describe_clusters(self, params: dict) -> dict:
        """moto's clusters, with this model's numbers."""
        found, failures = [], []
        for name in params.get("clusters", ["default"]):
            try:
                found.append(self._cluster(self.model.cluster(name)))
            except AwsError:
                failures.append({"arn": name, "reason": "MISSING"})
        return {"clusters": found, "failures": failures}

    def _cluster(self, name: str) -> dict:
        tasks = [task for task in self.model.tasks if task.cluster == name]
        hosts = [one for one in self.model.instances if one.cluster == name and one.status != "INACTIVE"]
        return {
            "clusterArn": self.model.cluster_arn(name),
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": len(hosts),
            "runningTasksCount": sum(task.last == "RUNNING" for task in tasks),
            "pendingTasksCount": sum(task.last == "PENDING" for task in tasks),
            "activeServicesCount": sum(one.cluster == name and one.status == "ACTIVE" for one in self.model.services),
        }


def _deployment_id() -> str:
    return f"ecs-svc/{random.randrange(10**19):019}"
