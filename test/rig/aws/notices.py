"""Bodies of the messages a queue gets: as EventBridge, EC2 Auto Scaling and AWS Health write them. Pure.

Sources: EventBridge's envelope, docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html; Spot and
rebalance, …/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html and rebalance-recommendations.html; state
changes, …/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html; capacity reservations,
…/AWSEC2/latest/UserGuide/capacity-reservations-monitor.html; Auto Scaling, …/autoscaling/ec2/userguide/
ec2-auto-scaling-event-reference.html and prepare-for-lifecycle-notifications.html; Health,
…/health/latest/ug/aws-health-events-eventbridge-schema.html.
"""

import datetime
import uuid

ACCOUNT = "123456789012"
SPOT = "EC2 Spot Instance Interruption Warning"
REBALANCE = "EC2 Instance Rebalance Recommendation"
STATE_CHANGE = "EC2 Instance State-change Notification"
CAPACITY = "EC2 Capacity Reservation Instance Interruption Warning"
HEALTH = "AWS Health Event"
LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
TEST_NOTIFICATION = "autoscaling:TEST_NOTIFICATION"
LIFECYCLE = {TERMINATING: "EC2 Instance-terminate Lifecycle Action", LAUNCHING: "EC2 Instance-launch Lifecycle Action"}


def stamp(unix_s: float) -> str:
    return datetime.datetime.fromtimestamp(unix_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(source: str, kind: str, detail: dict, at: float, resources: list[str], event_id: str | None = None) -> dict:
    """EventBridge's. `at`: Unix seconds."""
    return {
        "version": "0",
        "id": event_id or str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        "time": stamp(at),
        "region": "us-east-1",
        "resources": resources,
        "detail": detail,
    }


def ec2(kind: str, instance: str, at: float, zone: str = "us-east-1a", event_id: str | None = None, **detail) -> dict:
    """Of aws.ec2. Spot and rebalance name the zone in the ARN, state changes region and account."""
    where = f"us-east-1:{ACCOUNT}" if kind == STATE_CHANGE else zone
    resource = f"arn:aws:ec2:{where}:instance/{instance}"
    return envelope("aws.ec2", kind, {"instance-id": instance} | detail, at, [resource], event_id)


def health(instances: list[str], at: float, starts: float, event_id: str | None = None, **detail) -> dict:
    """A scheduled change of EC2. `detail`: other values ("service", "eventTypeCategory" …)."""
    written = datetime.datetime.fromtimestamp(starts, datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    text = "Network maintenance of a dedicated host."
    known = {
        "eventArn": "arn:aws:health:region::event/id",
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_DEDICATED_HOST_NETWORK_MAINTENANCE_SCHEDULED",
        "eventTypeCategory": "scheduledChange",
        "startTime": written,
        "eventDescription": [{"language": "en_US", "latestDescription": text}],
        "affectedEntities": [{"entityValue": one, "tags": {"stage": "prod", "app": "my-app"}} for one in instances],
    }
    return envelope("aws.health", HEALTH, known | detail, at, list(instances), event_id)


def lifecycle(group: str, hook: str, instance: str, token: str, transition: str, at: float, metadata: str = "") -> dict:
    """Auto Scaling's event on EventBridge."""
    arn = group_arn(group)
    detail = {
        "LifecycleActionToken": token,
        "AutoScalingGroupName": group,
        "LifecycleHookName": hook,
        "EC2InstanceId": instance,
        "LifecycleTransition": transition,
    } | _places(transition)
    if metadata:
        detail["NotificationMetadata"] = metadata
    return envelope("aws.autoscaling", LIFECYCLE[transition], detail, at, [arn])


def lifecycle_direct(
    group: str, hook: str, instance: str, token: str, transition: str, at: float, metadata: str = ""
) -> dict:
    """The same to a hook's own target, a queue or a topic: no envelope."""
    known = {
        "AccountId": ACCOUNT,
        "RequestId": str(uuid.uuid4()),
        "LifecycleHookName": hook,
        "LifecycleTransition": transition,
        "AutoScalingGroupName": group,
        "Service": "AWS Auto Scaling",
        "Time": stamp(at)[:-1] + ".872Z",
        "EC2InstanceId": instance,
        "LifecycleActionToken": token,
    } | _places(transition)
    return known | ({"NotificationMetadata": metadata} if metadata else {})


def test_notification(group: str, at: float) -> dict:
    """What a hook's target gets once, when the hook is put."""
    return {
        "AccountId": ACCOUNT,
        "RequestId": str(uuid.uuid4()),
        "AutoScalingGroupARN": group_arn(group),
        "AutoScalingGroupName": group,
        "Service": "AWS Auto Scaling",
        "Event": TEST_NOTIFICATION,
        "Time": stamp(at)[:-1] + ".000Z",
    }


def group_arn(group: str) -> str:
    return (
        f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:26e7234b-03a4-47fb-b0a9-2b241662774e:"
        f"autoScalingGroupName/{group}"
    )


def _places(transition: str) -> dict:
    if transition == LAUNCHING:
        return {"Origin": "EC2", "Destination": "AutoScalingGroup"}
    return {"Origin": "AutoScalingGroup", "Destination": "EC2"}
