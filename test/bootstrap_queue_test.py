"""`spotkeeper bootstrap --create` and then `spotkeeper queue` on what it made: a notice comes through its rules into its
queue, its hook waits and is answered, and the process has the rights of its policy and no others.
"""

import subprocess

from queue_scene import Scene
from rig import until
from rig.aws.queue_rig import QueueRig
from rig.aws.signing import Key, actions_of
from rig.binaries import spotkeeper

CLUSTER = ("bootstrap", "--cluster", "prod", "--group", "workers", "--detach-from-asg")


def bootstrap(queue: QueueRig, *arguments: str) -> subprocess.CompletedProcess:
    command = [spotkeeper(), *CLUSTER, *arguments]
    return subprocess.run(command, env=queue.aws.environment(), capture_output=True, text=True, timeout=60)


def test_what_is_created_is_what_the_process_needs(rig):
    scene = Scene(rig)
    queue = scene.queue
    for rule in queue.events.list_rules()["Rules"]:
        queue.events.disable_rule(Name=rule["Name"])  # the rig's own: from now on only those of bootstrap
    made = bootstrap(queue, "--create")
    assert made.returncode == 0, made.stderr
    url = made.stdout.splitlines()[-1].removeprefix("QUEUE_URL=")
    checked = bootstrap(queue, "--check", "--queue-url", url)
    assert checked.returncode == 0, checked.stdout + checked.stderr

    account = url.split("/")[-2]
    policy = f"arn:aws:iam::{account}:policy/spotkeeper-prod-queue"
    version = queue.aws.client("iam").get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]
    allowed = actions_of(version["Document"])
    # IAM knows no batches: who may delete a message may delete ten.
    batches = tuple(f"{action}Batch" for action in allowed if action.startswith("sqs:"))
    key = "AKIAQUEUEPROCESS0000"
    queue.aws.keys[key] = Key("the/queue/s/own/key", actions=allowed + batches)
    as_its_role = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "the/queue/s/own/key"}
    scene.handler({"QUEUE_URL": url, "DETACH_ASG": "true"} | as_its_role)

    other = queue.node("other", group="workers")
    queue.announce_spot(other)
    action = queue.asg_terminate(scene.node, hook="spotkeeper-prod-terminate")
    assert action.hook.heartbeat_s == 300
    scene.until_cordoned(node=other)
    scene.until_evicted()
    until(lambda: action.result == "CONTINUE", 20, "the hook answered")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> int:
        there = queue.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(there[name]) for name in names)

    until(lambda: left() == 0, 20, "no message left")
    until(lambda: queue.state_of(other) == "", 10, "out of its group")
    calls = [call for call in queue.aws.calls if call.access_key == key]
    assert not [call for call in calls if "AccessDenied" in call.error], calls
    used = {f"{call.service}:{call.action.removesuffix('Batch')}" for call in calls}
    # What only a drain that takes longer needs, and what helps a person who looks at the queue with the same role.
    spare = {"autoscaling:RecordLifecycleActionHeartbeat", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
    spare.add("ec2:TerminateInstances")  # twelve minutes after an instance was detached, if it still runs
    assert set(allowed) - used <= spare, "no right that nobody needs"
