"""Queue mode, one promise a test: each defect of NTH's queue processor with what happens here, whose a message is, hooks
of Auto Scaling, replicas. NTH's own scripts are in nth_sqs_test.py; bad weather in queue_faults_test.py.
"""

import json
import subprocess
import time

import pytest

from queue_scene import PREFIX, SPOT_ITN, Scene, evictions, marks, soon, untold
from rig import stays, until
from rig.aws import notices
from rig.binaries import spotkeeper

# NTH's defects


def test_a_health_event_drains_every_instance_it_names(rig):
    """NTH gives them all one id, and drains the first."""
    scene = Scene(rig)
    others = [rig.queue.node(f"n{i}") for i in range(2)]
    scene.handler()
    scene.queue.health([scene.node, "i-0123456789abcdef0", *others])
    for node in [scene.node, *others]:
        scene.until_cordoned(node=node)
    scene.until_evicted()
    scene.until_empty()


def test_a_second_event_of_a_node_is_completed_too(rig):
    """NTH marks it processed with the first: its message stays, its hook is never completed."""
    scene = Scene(rig)
    handler = scene.handler()
    scene.queue.rebalance(scene.node)
    scene.queue.announce_spot(scene.node)
    action = scene.queue.asg_terminate(scene.node)
    scene.until_evicted()
    scene.until_empty()
    assert action.result == "CONTINUE" and len(scene.queue.completed) == 1
    assert evictions(rig, handler) == 1, "one drain for the three of them"


def test_an_event_that_comes_after_the_drain_is_completed_at_once(rig):
    scene = Scene(rig)
    scene.handler()
    scene.queue.announce_spot(scene.node)
    scene.until_evicted()
    scene.until_empty()
    action = scene.queue.asg_terminate(scene.node)
    until(lambda: action.result == "CONTINUE", 10, "hook completed")
    scene.until_empty()


def test_a_completion_that_fails_is_tried_again(rig):
    """NTH has then forgotten the event: the hook waits for its time-out, heartbeats go on for ever."""
    scene = Scene(rig)
    scene.queue.aws.faults.fail("autoscaling", "CompleteLifecycleAction", for_s=6)
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 5})
    action = scene.queue.asg_terminate(scene.node)
    scene.until_evicted()
    assert scene.queue.left() == 1, "not forgotten"
    until(lambda: action.result == "CONTINUE", 30, "completed in the end")
    scene.until_empty()


def test_a_hook_that_is_over_is_nobody_s_trouble(rig):
    """No active Lifecycle Action: it has been completed by somebody else, or has timed out."""
    scene = Scene(rig)
    scene.queue.hook("workers")
    scene.handler()
    action = scene.queue.asg_terminate(scene.node)
    scene.queue.hooks.complete(action, "CONTINUE")
    scene.until_empty()


POISON = {
    "no JSON": "{",
    "no object": "[1, 2]",
    "nothing": " ",
    "no detail": {"version": "0", "detail-type": notices.SPOT, "source": "aws.ec2"},
    "no instance": notices.envelope("aws.ec2", notices.SPOT, {"instance-id": "../../x"}, 0, []),
    "a big one": "x" * 200_000,
}
OTHERS = {
    "odd transition": {"LifecycleTransition": "autoscaling:EC2_INSTANCE_DANCING", "EC2InstanceId": "i-1"},
    "odd transition by EventBridge": notices.envelope(
        "aws.autoscaling", notices.LIFECYCLE[notices.TERMINATING], {"LifecycleTransition": "x"}, 0, []
    ),
    "an event of EC2 that is for others": notices.envelope("aws.ec2", "EBS Volume Notification", {}, 0, []),
    "health of another kind": notices.envelope("aws.health", "AWS Health Abuse Event", {"service": "EC2"}, 0, []),
    "health of another service": notices.health([], 0, 0, service="RDS"),
    "test notification": notices.test_notification("workers", 0),
}


def test_poison_blocks_nobody_and_kills_nobody(rig):
    """NTH ends itself at the fourth poll with nothing but poison in it; here it is left to the redrive policy."""
    scene = Scene(rig)
    for body in POISON.values():
        scene.queue.raw(body)
    handler = scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 1})
    until(lambda: len(scene.queue.received) >= 4 * len(POISON), 40, "received four times each")
    assert handler.exit_code is None and scene.queue.left() == len(POISON)
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    until(lambda: scene.queue.left() == len(POISON), 20, "the good one done, the bad ones left")
    assert handler.exit_code is None


def test_a_redrive_policy_gets_the_poison(rig):
    """Each reception counts: the queue's own policy moves it away."""
    scene = Scene(rig)
    dead = scene.queue.sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = scene.queue.arn.replace("interruptions", "dead")
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "3"}
    scene.queue.sqs.set_queue_attributes(QueueUrl=scene.queue.url, Attributes={"RedrivePolicy": json.dumps(policy)})
    scene.queue.raw("{")
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 1})
    scene.until_empty()
    assert scene.queue.sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "{"


def test_what_is_understood_and_for_others_is_deleted(rig):
    """As NTH does; but it keeps events of Health of another kind and odd transitions until they kill it."""
    scene = Scene(rig)
    for body in OTHERS.values():
        scene.queue.raw(body)
    scene.handler()
    scene.until_empty()
    scene.never_drained(1)


def test_a_poison_message_is_logged_once(rig):
    scene = Scene(rig)
    scene.queue.raw("{poison-xyz")
    handler = scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 1})
    until(lambda: len(scene.queue.received) >= 5, 30, "received five times")
    warned = [one for one in handler.log_lines() if one["level"] in ("warn", "error")]
    message = scene.queue.messages()[0].id
    about = [one for one in warned if message in str(one)]
    assert len(about) == 1, warned


@pytest.mark.parametrize("state", ["", "stop", "pending", "running"])
def test_only_states_that_end_a_host_are_acted_on(rig, state):
    """NTH looks whether the state is part of "stopping,stopped,shutting-down,terminated": so are "" and "stop"."""
    scene = Scene(rig)
    scene.handler()
    scene.queue.state_change(scene.node, state)
    if state:
        scene.until_empty()
    until(lambda: scene.queue.received, 10, "received")
    scene.never_drained(3)


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated", "Stopping"])
def test_states_that_end_a_host(rig, state):
    scene = Scene(rig)
    scene.handler()
    scene.queue.state_change(scene.node, state)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()


def test_a_dry_run_deletes_and_completes_nothing(rig):
    """NTH deletes messages and completes hooks in a dry run, too."""
    scene = Scene(rig)
    handler = scene.handler({"DRY_RUN": "true", "SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    action = scene.queue.asg_terminate(scene.node)
    scene.queue.announce_spot(scene.node)
    handler.wait_for_log("would have been cordoned and drained", at_most=20)
    scene.never_drained(4)
    assert scene.queue.left() == 2 and not action.result
    changing = ("DeleteMessage", "DeleteMessageBatch", "CompleteLifecycleAction", "RecordLifecycleActionHeartbeat")
    assert not [action for action in changing if scene.queue.aws.calls_of(action)]


def test_a_long_drain_keeps_its_message(rig):
    """NTH never extends the visibility: after 20 s another replica drains the same node, too."""
    scene = Scene(rig, shut=True)
    env = {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 3}
    replicas = [scene.handler(env), scene.handler(env)]
    scene.queue.announce_spot(scene.node, at=soon(100))
    scene.until_cordoned()
    began = len(scene.queue.received)
    stays(lambda: len(scene.queue.received) == began, 12, "held by one of them")
    assert scene.queue.left() == 1
    scene.open()
    scene.until_evicted()
    scene.until_empty()
    assert evictions(rig, *replicas) == 1


def test_who_may_not_mark_drains_all_the_same(rig):
    """NTH tries the same again and again, and nobody is told."""
    scene = Scene(rig)
    handler = scene.handler(without=[("patch", "nodes")])
    scene.queue.announce_spot(scene.node, at=soon(60))
    scene.until_evicted()
    scene.until_empty()
    handler.wait_for_log("missing right nodes patch")


# Whose a message is


def test_what_is_not_ours_is_left(rig):
    """Another cluster's instance: its own queue handler may read the same queue. Tried again at each visibility."""
    scene = Scene(rig)
    stranger = scene.queue.instance()
    scene.queue.announce_spot(stranger)
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    until(lambda: len(scene.queue.received) >= 3, 15, "received again and again")
    assert scene.queue.left() == 1


@pytest.mark.parametrize("what", ["foreign", "unknown", "terminated"])
def test_what_is_not_ours_is_deleted_where_that_is_the_policy(rig, what):
    scene = Scene(rig)
    stranger = "i-0123456789abcdef0" if what == "unknown" else scene.queue.instance()
    if what == "terminated":
        scene.queue.end(stranger)
    scene.handler({"DELETE_SQS_MSG_IF_NODE_NOT_FOUND": "true"})
    action = None
    if what == "foreign":
        scene.queue.group("others")
        scene.queue.hook("others", heartbeat_s=300)
        scene.queue.hooks.launch("others", stranger)
        action = scene.queue.asg_terminate(stranger)
    scene.queue.announce_spot(stranger)
    scene.until_empty()
    if action:
        until(lambda: action.result == "CONTINUE", 10, "its hook is completed, as NTH does")


@pytest.mark.parametrize("what", ["unknown", "terminated"])
def test_who_does_not_exist_any_more_is_nobody_s(rig, what):
    """EC2 does not know it, or it has ended: provably no work."""
    scene = Scene(rig)
    stranger = "i-0123456789abcdef0" if what == "unknown" else scene.queue.instance()
    if what == "terminated":
        scene.queue.end(stranger)
    scene.handler()
    scene.queue.announce_spot(stranger)
    scene.until_empty()


def test_an_instance_without_the_tag_is_not_ours(rig):
    """By default the tag is wanted; its message is deleted, as NTH does."""
    rig.queue.group("workers")
    tagged, foreign = rig.queue.node("tagged"), rig.queue.node("foreign", managed=False)
    rig.queue_agent()
    rig.queue.announce_spot(foreign)
    until(lambda: rig.queue.left() == 0, 20, "deleted")
    stays(lambda: not foreign.is_cordoned(), 2, "left alone")
    rig.queue.announce_spot(tagged)
    until(tagged.is_cordoned, 10, "ours is drained")


def test_another_tag_may_be_asked_for(rig):
    node = rig.queue.node("tagged", managed=False, tags={"ours": ""})
    rig.queue_agent({"MANAGED_TAG": "ours"})
    rig.queue.announce_spot(node)
    until(node.is_cordoned, 15, "drained")


def test_by_provider_id_without_ec2(rig):
    """No EC2 call where the cluster knows the instance and no tag is asked for."""
    scene = Scene(rig)
    scene.queue.aws.faults.fail("ec2")
    scene.handler({"USE_PROVIDER_ID": "true"})
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()
    scene.until_empty()
    assert not [c for c in scene.queue.aws.calls_of("DescribeInstances") if not c.params.get("Filter.1.Name")]


def test_messages_of_yesterday_are_not_drained_for(rig):
    """The host has long survived what they announced, or is another one."""
    scene = Scene(rig)
    scene.queue.announce_spot(scene.node, at=time.time() - 86_400)
    scene.queue.state_change(scene.node, "stopping", at=time.time() - 86_400)
    scene.handler()
    scene.until_empty()
    scene.never_drained(3)


def test_duplicates_change_nothing(rig):
    scene = Scene(rig, shut=True)
    handler = scene.handler()
    event = notices.ec2(notices.SPOT, scene.node.instance_id, soon(90), **{"instance-action": "terminate"})
    for _ in range(5):
        scene.queue.put(event)
    scene.until_cordoned()
    scene.queue.again()
    scene.queue.announce_spot(scene.node, at=soon(90))  # another id for the same end
    until(lambda: handler.steps("held"), 15, "held by its budget")
    scene.open()
    scene.until_evicted()
    scene.until_empty()
    assert evictions(rig, handler) == 1


def test_the_order_does_not_matter(rig):
    """The interruption comes before the recommendation that preceded it: the stronger stays."""
    scene = Scene(rig)
    scene.queue.rebalance(scene.node, at=time.time() - 20)
    scene.queue.announce_spot(scene.node)
    scene.queue.shuffle(lambda messages: messages[::-1])
    handler = scene.handler({"TAINT_NODE": "true"})
    scene.until_cordoned(SPOT_ITN)
    scene.until_evicted()
    scene.until_empty()
    assert evictions(rig, handler) == 1 and scene.node.taint(SPOT_ITN)


def test_a_recommendation_is_soft_and_the_interruption_upgrades_it(rig):
    """In both modes: a recommendation overrules no budget."""
    scene = Scene(rig, shut=True)
    scene.handler({"TAINT_NODE": "true", "ENOUGH_GRACE": 8})
    scene.queue.rebalance(scene.node)
    scene.until_cordoned(PREFIX + "rebalance-recommendation")
    stays(lambda: len(scene.node.pods(scene.app)) == 1, 3, "its budget holds")
    scene.queue.announce_spot(scene.node, at=soon(25))
    until(lambda: scene.node.taint(SPOT_ITN), 10, "the stronger mark")
    assert rig.told(scene.app, at_most=30)
    scene.until_empty()


# Auto Scaling


HEARTBEATS = {"HEARTBEAT_INTERVAL": 30, "HEARTBEAT_UNTIL": 120}  # the shortest interval that NTH allows


def test_heartbeats_hold_a_hook_while_its_drain_runs(rig):
    """The hook waits 60 s, which are 42 here."""
    scene = Scene(rig, shut=True)
    scene.queue.hooks.second = 0.7
    scene.handler(HEARTBEATS)
    action = scene.queue.asg_terminate(scene.node, heartbeat_s=60)
    scene.until_cordoned()
    until(lambda: action.heartbeats, 40, "a heartbeat")
    scene.open()
    scene.until_evicted()
    until(lambda: action.result == "CONTINUE", 10, "completed")
    scene.until_empty()
    assert not scene.queue.lost_hooks


@pytest.mark.timeout(200)
def test_heartbeats_are_resumed_after_a_restart(rig):
    scene = Scene(rig, shut=True)
    scene.queue.hooks.second = 1.4  # the hook waits 84 s
    env = HEARTBEATS | {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 3}
    first = scene.handler(env)
    action = scene.queue.asg_terminate(scene.node, heartbeat_s=60)
    scene.until_cordoned()
    first.kill()
    scene.handler(env)
    until(lambda: action.heartbeats, 80, "a heartbeat of the second")
    scene.open()
    scene.until_evicted()
    until(lambda: action.result == "CONTINUE", 20, "completed")
    assert not scene.queue.lost_hooks


def test_a_hook_without_heartbeats_is_the_deadline(rig):
    """Pods are told before its time is over, whatever their budgets say: NTH's drain goes on beyond it."""
    scene = Scene(rig, shut=True)
    scene.handler()
    action = scene.queue.asg_terminate(scene.node, heartbeat_s=45)
    told = rig.told(scene.app, at_most=45)
    scene.until_empty()
    assert told.told_at < action.deadline - 3 and action.result == "CONTINUE" and not scene.queue.lost_hooks


def test_the_hook_waits_for_the_pods(rig):
    scene = Scene(rig, shut=True)
    scene.handler()
    action = scene.queue.asg_terminate(scene.node, heartbeat_s=300)
    scene.until_cordoned()
    stays(lambda: not action.result, 4, "not completed while a pod is there")
    scene.open()
    scene.until_evicted()
    until(lambda: action.result == "CONTINUE", 10, "completed")
    rig.history.catch_up()
    gone = max(story.gone_at for story in rig.history.pods(scene.app, scene.node.name))
    assert action.ended_at > gone - 0.1, "the watch that saw it go is a little late"


def test_the_delay_before_a_completion(rig):
    scene = Scene(rig)
    scene.handler({"COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS": 5})
    action = scene.queue.asg_terminate(scene.node)
    scene.until_evicted()
    gone = time.time()
    until(lambda: action.result == "CONTINUE", 15, "completed")
    assert action.ended_at - gone > 3.5
    scene.until_empty()


def test_two_hooks_of_one_instance_are_both_completed(rig):
    scene = Scene(rig)
    scene.queue.hook("workers", "one")
    scene.queue.hook("workers", "two")
    scene.handler()
    one = scene.queue.asg_terminate(scene.node, "one")
    scene.until_evicted()
    two = scene.queue.action_of(scene.node, "two")
    until(lambda: one.result == two.result == "CONTINUE", 15, "both completed")
    scene.until_empty()


def test_a_launch_hook_of_a_node_that_never_comes_is_not_completed(rig):
    scene = Scene(rig)
    instance = scene.queue.instance()
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    action = scene.queue.asg_launch(instance, "fleet")
    stays(lambda: not action.result, 6, "waits")
    assert scene.queue.left() == 1


def test_a_launched_node_is_found_by_eksctl_s_label(rig):
    scene = Scene(rig)
    instance = scene.queue.instance()
    scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    action = scene.queue.asg_launch(instance, "fleet")
    rig.node("launched", "i-0aaaaaaaaaaaaaaaa", provider_id="", labels={"alpha.eksctl.io/instance-id": instance})
    until(lambda: action.result == "CONTINUE", 15, "completed")
    scene.until_empty()


def test_an_instance_of_no_group_is_drained_all_the_same(rig):
    """A Spot Fleet's."""
    scene = Scene(rig, group=None)
    scene.handler()
    scene.queue.announce_spot(scene.node)
    scene.until_evicted()
    scene.until_empty()
    assert not scene.queue.completed


# What can be switched on


def test_detached_at_the_first_second(rig):
    """DETACH_ASG of the older handlers: the group starts the replacement two minutes earlier."""
    scene = Scene(rig, shut=True)
    scene.handler({"DETACH_ASG": "true"})
    scene.queue.announce_spot(scene.node)
    until(lambda: scene.queue.hooks.states[scene.node.instance_id][-1] == "Detached", 10, "detached")
    done = lambda: [call for call in scene.queue.aws.calls_of("DetachInstances") if call.status == 200]  # noqa: E731
    [call] = until(done, 5, "answered")
    assert call.params["ShouldDecrementDesiredCapacity"] == "false" and scene.queue.hooks.replacements == 1
    scene.open()
    scene.until_evicted()
    scene.until_empty()


@pytest.mark.parametrize("why", ["no interruption", "managed node group", "not InService", "no group"])
def test_who_is_not_detached(rig, why):
    labels = {"eks.amazonaws.com/nodegroup": "ng"} if why == "managed node group" else {}
    tags = {"eks:nodegroup-name": "ng"} if why == "managed node group" else {}
    scene = Scene(rig, labels=labels, tags=tags, group=None if why == "no group" else "workers")
    scene.handler({"DETACH_ASG": "true"})
    if why == "not InService":
        scene.queue.asg_terminate(scene.node, heartbeat_s=300)
    (scene.queue.rebalance if why == "no interruption" else scene.queue.announce_spot)(scene.node)
    scene.until_evicted()
    scene.until_empty()
    assert not [call for call in scene.queue.aws.calls_of("DetachInstances") if call.status == 200]


@pytest.mark.parametrize("what", ["nothing", "delete-node", "out-of-service-taint"])
def test_once_ec2_says_terminated(rig, what):
    scene = Scene(rig)
    scene.handler({"AFTER_TERMINATION": what})
    scene.queue.announce_spot(scene.node)
    scene.until_evicted()
    scene.queue.end(scene.node)
    scene.queue.state_change(scene.node, "terminated")
    if what == "delete-node":
        until(lambda: rig.kube.find("nodes", scene.node.name) is None, 15, "node deleted")
    elif what == "out-of-service-taint":
        until(lambda: scene.node.taint("node.kubernetes.io/out-of-service"), 15, "tainted")
    scene.until_empty()
    if what == "nothing":
        assert scene.node.taint("node.kubernetes.io/out-of-service") is None


def test_a_launch_may_be_abandoned(rig):
    scene = Scene(rig)
    instance = scene.queue.instance()
    scene.handler({"ABANDON_LAUNCH_AFTER": "5s", "SQS_MSG_VISIBILITY_TIMEOUT_SEC": 2})
    action = scene.queue.asg_launch(instance, "fleet")
    until(lambda: action.result == "ABANDON", 20, "abandoned")
    scene.until_empty()
    assert scene.queue.state_of(instance) == ""


WRONG = {
    "QUEUE_URL: expected the queue's URL": {"QUEUE_URL": "arn:aws:sqs:us-east-1:123456789012:q"},
    "not its name or ARN": {"QUEUE_URL": "interruptions"},
    "(QUEUE_URL): expected the URL": {"QUEUE_URL": ""},
    "(HEARTBEAT_INTERVAL): expected 30": {"HEARTBEAT_INTERVAL": "29"},
    "(HEARTBEAT_UNTIL): expected 60": {"HEARTBEAT_INTERVAL": "30", "HEARTBEAT_UNTIL": "59"},
    "(HEARTBEAT_UNTIL): needs": {"HEARTBEAT_UNTIL": "60"},
    "is more than": {"HEARTBEAT_INTERVAL": "90", "HEARTBEAT_UNTIL": "60"},
    "SQS_MSG_VISIBILITY_TIMEOUT_SEC: expected": {"SQS_MSG_VISIBILITY_TIMEOUT_SEC": "120"},
    "AFTER_TERMINATION: expected": {"AFTER_TERMINATION": "dance"},
}


@pytest.mark.parametrize("says", WRONG)
def test_wrong_options_are_one_line_and_exit_2(says):
    known = {"NODE_NAME": "n", "ENABLE_SQS_TERMINATION_DRAINING": "true", "QUEUE_URL": "http://127.0.0.1:9/1/q"}
    done = subprocess.run(
        [spotkeeper(), "--aws-region=us-east-1"], env=known | WRONG[says], text=True, capture_output=True, timeout=10,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr


# Replicas


def test_replicas_share_the_work(rig):
    nodes = [rig.queue.node(f"n{i}") for i in range(6)]
    spare = rig.node("spare")
    rig.deployment("web", replicas=6)
    replicas = [rig.queue_agent(), rig.queue_agent()]
    before = [node for node in nodes if node.pods("web")]
    for node in nodes:
        rig.queue.announce_spot(node)
    for node in nodes:
        until(node.is_cordoned, 15, f"{node.name} cordoned")
    until(lambda: not any(node.pods("web") for node in nodes), 40, "all drained")
    until(lambda: rig.queue.left() == 0, 30, "queue empty")
    assert not untold(rig, before) and spare.pods("web")
    told = len([story for story in rig.history.pods("web") if story.told_at])
    assert evictions(rig, *replicas) <= told, "nobody was asked twice"


def test_a_replica_on_a_doomed_node_drains_it_all_the_same(rig):
    scene = Scene(rig)
    handler = scene.handler(on=scene.node)
    rig.pod(handler.env["POD_NAME"], on=scene.node)
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    scene.until_evicted()


def test_told_to_end_it_gives_its_work_to_others_at_once(rig):
    """NTH waits for its workers without limit, and a rollout of the Deployment with it."""
    scene = Scene(rig, shut=True)
    first = scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 60})
    scene.queue.announce_spot(scene.node)
    scene.until_cordoned()
    second = scene.handler({"SQS_MSG_VISIBILITY_TIMEOUT_SEC": 60})
    assert first.terminate(at_most=15) == 0
    until(lambda: second.steps("notice"), 15, "the other has it")
    scene.open()
    scene.until_evicted()
    scene.until_empty()
    assert scene.node.is_cordoned()


def test_idle_it_asks_little(rig):
    """One long poll after the other, one watch of nodes; nothing else."""
    scene = Scene(rig)
    handler = scene.handler()
    until(lambda: scene.queue.polling, 10, "it polls")
    stays(lambda: scene.queue.polling, 3, "polling")
    before = len(rig.api_requests(user=handler.user))
    stays(lambda: scene.queue.polling, 6, "polling")
    assert len(rig.api_requests(user=handler.user)) - before <= 1
    assert marks(rig, handler) == 0
