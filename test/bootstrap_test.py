"""`spotkeeper bootstrap`: what it prints is taken by the tools it is for; what it creates is there, once; and --check
names each thing that is broken afterwards, and nothing else. Needs no control plane.

SQS, SNS, EventBridge, Auto Scaling, IAM and STS are moto's, behind the rig's front door (SigV4 verified). IAM is one
for all regions and signed for us-east-1: it has a front door of its own.
"""

import json
import pathlib
import re
import subprocess
import sys
import types

import hcl2
import pytest
import yaml

from rig.aws.server import AwsServer
from rig.binaries import REPOSITORY, spotkeeper

CLUSTER = ("--cluster", "prod", "--group", "workers")
QUEUE = "spotkeeper-prod"
ACCOUNT = "123456789012"
TAG = "aws-node-termination-handler/managed"
EVENTS = ("spot", "rebalance", "state", "capacity", "terminate", "launch", "health")


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    command = [spotkeeper(), "bootstrap", *arguments]
    return subprocess.run(command, env=env or {}, capture_output=True, text=True, timeout=60)


class Account:
    """An AWS account with two groups without instances, and `spotkeeper bootstrap` with its keys."""

    def __init__(self, aws: AwsServer, iam: AwsServer):
        self.aws, self.env = aws, aws.environment() | {"AWS_ENDPOINT_URL_IAM": iam.url}
        self.fronts = (aws, iam)
        self.sqs, self.events, self.sns = aws.client("sqs"), aws.client("events"), aws.client("sns")
        self.groups, self.iam = aws.client("autoscaling"), iam.client("iam")
        self.groups.create_launch_configuration(
            LaunchConfigurationName="any", ImageId="ami-00000000", InstanceType="t3.micro"
        )
        for name in ("workers", "batch"):
            self.groups.create_auto_scaling_group(
                AutoScalingGroupName=name,
                LaunchConfigurationName="any",
                MinSize=0,
                MaxSize=1,
                AvailabilityZones=["eu-west-1a"],
            )

    def bootstrap(self, *arguments: str, status: int = 0, env: dict[str, str] | None = None) -> str:
        result = run(*arguments, env=self.env | (env or {}))
        assert result.returncode == status, (result.stdout, result.stderr)
        if status == 0:
            assert result.stderr == ""
        return result.stdout

    def check(self, *arguments: str, env: dict[str, str] | None = None, of=CLUSTER) -> list[dict]:
        """What is wrong; its exit status says the same."""
        result = run(*of, "--check", "-o", "json", *arguments, env=self.env | (env or {}))
        assert result.stderr == "", result.stderr
        document = json.loads(result.stdout)
        wrong = [one for one in document["findings"] if one["level"] == "wrong"]
        assert document["wrong"] == len(wrong) and result.returncode == (1 if wrong else 0)
        assert all(one["advice"] for one in wrong), "each says what to do"
        assert not [one for one in document["findings"] if "\n" in one["text"] + one.get("advice", "")]
        return wrong

    @property
    def url(self) -> str:
        return self.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]

    def attributes(self, name: str = QUEUE) -> dict[str, str]:
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    def set(self, **attributes: str) -> None:
        """moto forgets the policy when others are set without it; AWS does not."""
        policy = {"Policy": self.attributes().get("Policy", "")}
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=policy | attributes)

    def writes(self) -> list[str]:
        """Every call so far that was not only a look."""
        reads = ("Get", "List", "Describe")
        return [call.action for front in self.fronts for call in front.calls if not call.action.startswith(reads)]

    def hook(self, **changes) -> None:
        """Of workers, as --create makes it but for the changes."""
        given = {
            "AutoScalingGroupName": "workers",
            "LifecycleHookName": f"{QUEUE}-terminate",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "HeartbeatTimeout": 300,
            "DefaultResult": "CONTINUE",
        }
        self.groups.put_lifecycle_hook(**(given | changes))


@pytest.fixture
def account():
    with AwsServer() as aws, AwsServer("us-east-1") as iam:
        yield Account(aws, iam)


@pytest.fixture
def made(account):
    account.bootstrap(*CLUSTER, "--create")
    return account


# What is printed.

FORMS = {
    "cluster": ("--cluster", "prod", "--group", "workers,a b", "--launch-hook"),
    "pod-identity": ("--cluster", "prod", "--identity", "pod-identity", "--detach-from-asg"),
    "irsa": ("--cluster", "prod", "--identity", "irsa", "--oidc-issuer", "https://oidc.eks/id/1"),
    "router": ("--router", "hub"),
    "behind the router": ("--cluster", "prod", "--router", "hub", "--group", "workers"),
}


@pytest.mark.parametrize("form", FORMS)
def test_cloudformation_has_nothing_to_say_against_the_template(form, tmp_path):
    template = tmp_path / "queue.yaml"
    result = run(*FORMS[form])
    assert result.returncode == 0 and result.stderr == "", result.stderr
    template.write_text(result.stdout)
    lint = [pathlib.Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-1", "--template", template]
    linted = subprocess.run(lint, capture_output=True, text=True, timeout=120)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_json_is_the_same_template():
    given = FORMS["cluster"]
    assert yaml.safe_load(run(*given).stdout) == json.loads(run(*given, "-o", "json").stdout)


@pytest.mark.parametrize("form", FORMS)
def test_terraform_is_hcl_and_has_the_same_parts(form):
    text = run(*FORMS[form], "--region", "eu-west-1", "-o", "terraform").stdout
    parsed = hcl2.loads(text)
    kinds = [kind.strip('"') for resource in parsed["resource"] for kind in resource]
    template = json.loads(run(*FORMS[form], "-o", "json").stdout)
    resources = [one["Type"] for one in template["Resources"].values()]
    for cloudformation, terraform in {
        "AWS::SQS::Queue": "aws_sqs_queue",
        "AWS::SQS::QueuePolicy": "aws_sqs_queue_policy",
        "AWS::Events::Rule": "aws_cloudwatch_event_rule",
        "AWS::SNS::Topic": "aws_sns_topic",
        "AWS::SNS::TopicPolicy": "aws_sns_topic_policy",
        "AWS::SNS::Subscription": "aws_sns_topic_subscription",
        "AWS::AutoScaling::LifecycleHook": "aws_autoscaling_lifecycle_hook",
        "AWS::IAM::ManagedPolicy": "aws_iam_policy",
        "AWS::IAM::Role": "aws_iam_role",
        "AWS::EKS::PodIdentityAssociation": "aws_eks_pod_identity_association",
    }.items():
        assert kinds.count(terraform) == resources.count(cloudformation), terraform
    assert kinds.count("aws_cloudwatch_event_target") == kinds.count("aws_cloudwatch_event_rule")
    names = [(kind, name) for one in parsed["resource"] for kind, named in one.items() for name in named]
    assert len(names) == len(set(names))


def test_the_template_makes_a_queue_that_the_check_likes(account):
    """As far as moto's CloudFormation goes: it leaves out hooks, and cannot tag groups."""
    without_api_gateway()
    template = account.bootstrap("--cluster", "prod", "--identity", "irsa", "--oidc-issuer", "oidc.eks/id/1")
    account.aws.client("cloudformation").create_stack(
        StackName="queue", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    account.set(Policy=json.dumps(queue_policy_of(template)))  # moto ignores AWS::SQS::QueuePolicy
    assert account.check(of=("--cluster", "prod")) == []
    there = account.attributes()
    assert there["MessageRetentionPeriod"] == "86400"
    assert json.loads(there["RedrivePolicy"])["maxReceiveCount"] == 500
    role = account.iam.get_role(RoleName=QUEUE)["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRoleWithWebIdentity"


def without_api_gateway() -> None:
    """moto's CloudFormation imports all that it could make, and of these only API Gateway needs packages more."""
    for name in ("", ".validation", ".validation.exceptions"):
        module = types.ModuleType("openapi_spec_validator" + name)
        module.validate, module.OpenAPIValidationError = None, Exception
        sys.modules.setdefault(module.__name__, module)


def filled_in(text: str, partition: str, region: str, account: str) -> str:
    for word, value in {"Partition": partition, "Region": region, "AccountId": account}.items():
        text = text.replace("${AWS::%s}" % word, value)
    return text


def queue_policy_of(template: str) -> dict:
    """As CloudFormation would set it here."""
    resources = yaml.safe_load(filled_in(template, "aws", "eu-west-1", ACCOUNT))["Resources"]
    return plain(resources["QueuePolicy"]["Properties"]["PolicyDocument"])


def plain(value):
    """Without {"Fn::Sub": …} around texts."""
    if isinstance(value, dict):
        return value["Fn::Sub"] if set(value) == {"Fn::Sub"} else {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def test_the_shipped_policy_is_the_printed_one():
    text = run("--cluster", "CLUSTER", "--queue", "QUEUE", "--group", "GROUP", "--detach-from-asg", "-o", "json").stdout
    printed = plain(json.loads(filled_in(text, "aws", "REGION", "ACCOUNT"))["Resources"]["Policy"]["Properties"]["PolicyDocument"])
    assert printed == json.loads((REPOSITORY / "deploy/iam/queue.json").read_text())


# What is created.


def test_twice_is_once(account):
    given = (*CLUSTER, "--launch-hook", "--identity", "irsa", "--oidc-issuer", "oidc.eks/id/1", "--create")
    first = account.bootstrap(*given).splitlines()
    assert first[-1] == f"QUEUE_URL={account.url}"
    assert all(line.startswith("created ") for line in first[:-1]), first
    done = account.writes()
    second = account.bootstrap(*given).splitlines()
    assert [line.removeprefix("exists").strip() for line in second[:-1]] == [
        line.removeprefix("created").strip() for line in first[:-1]
    ]
    assert account.writes() == done, "the second time only looked"


def test_dry_run_changes_nothing(account):
    before = account.writes()
    lines = account.bootstrap(*CLUSTER, "--create", "--dry-run").splitlines()
    assert lines and all(line.startswith("would create ") for line in lines), lines
    assert account.writes() == before


def test_what_was_created_is_as_it_should_be(made):
    assert made.check("--queue-url", made.url) == []
    there = made.attributes()
    assert (there["MessageRetentionPeriod"], there["SqsManagedSseEnabled"]) == ("86400", "true")
    assert json.loads(there["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{QUEUE}-dead")
    [hook] = made.groups.describe_lifecycle_hooks(AutoScalingGroupName="workers")["LifecycleHooks"]
    assert (hook["HeartbeatTimeout"], hook["DefaultResult"]) == (300, "CONTINUE")
    names = {rule["Name"] for rule in made.events.list_rules()["Rules"]}
    assert names == {f"{QUEUE}-{kind}" for kind in EVENTS}
    [group] = made.groups.describe_auto_scaling_groups(AutoScalingGroupNames=["workers"])["AutoScalingGroups"]
    assert [(tag["Key"], tag["PropagateAtLaunch"]) for tag in group["Tags"]] == [(TAG, True)]
    assert made.groups.describe_lifecycle_hooks(AutoScalingGroupName="batch")["LifecycleHooks"] == []


def test_the_first_failure_ends_it_in_one_line(account):
    result = run(*CLUSTER, "--group", "no-such", "--create", env=account.env)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert "no-such" in line and "does not exist" in line and "eu-west-1" in line
    account.aws.faults.throttle("sqs", times=20)
    result = run("--cluster", "other", "--create", env=account.env)
    assert result.returncode == 1 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and "sqs" in result.stderr


def test_create_repairs_and_leaves_the_rest(made):
    """Somebody's longer retention and statements stay."""
    policy = json.loads(made.attributes()["Policy"])
    mine = {"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sqs:*", "Resource": "*"}
    policy["Statement"] = [mine]
    made.set(Policy=json.dumps(policy), MessageRetentionPeriod="345600")
    made.events.disable_rule(Name=f"{QUEUE}-spot")
    made.hook(HeartbeatTimeout=60, DefaultResult="ABANDON")
    break_redrive(made)
    assert len(made.check()) == 4
    lines = made.bootstrap(*CLUSTER, "--create").splitlines()
    changed = [line.split(maxsplit=1)[1] for line in lines if line.startswith("changed")]
    assert changed == [
        f"queue {QUEUE}: Policy RedrivePolicy",
        f"rule {QUEUE}-spot",
        f"hook {QUEUE}-terminate of group workers",
    ]
    assert made.check() == []
    there = made.attributes()
    assert there["MessageRetentionPeriod"] == "345600"
    assert "Mine" in [one["Sid"] for one in json.loads(there["Policy"])["Statement"]]


# What is found: one thing is broken at a time.


def break_policy(account):
    account.set(Policy="")


def break_source(account):
    account.set(Policy=account.attributes()["Policy"].replace(":rule/", ":rule/other-"))


def break_by_denying(account):
    policy = json.loads(account.attributes()["Policy"])
    deny = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sqs:Send*", "Resource": "*"}
    policy["Statement"].append(deny)
    account.set(Policy=json.dumps(policy))


def break_targets(account):
    account.events.remove_targets(Rule=f"{QUEUE}-spot", Ids=["spotkeeper"])


def break_rule(account):
    break_targets(account)
    account.events.delete_rule(Name=f"{QUEUE}-spot")


def break_pattern(account):
    pattern = {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Interruption"]}
    account.events.put_rule(Name=f"{QUEUE}-spot", EventPattern=json.dumps(pattern))


def break_tag(propagated):
    def change(account):
        tag = {"ResourceId": "workers", "ResourceType": "auto-scaling-group", "Key": TAG, "Value": "true"}
        account.groups.delete_tags(Tags=[tag])
        if propagated is not None:
            account.groups.create_or_update_tags(Tags=[tag | {"PropagateAtLaunch": propagated}])

    return change


def break_redrive(account):
    dead = account.attributes(f"{QUEUE}-dead")["QueueArn"]
    account.set(RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5}))


BROKEN = {
    "no queue": (lambda a: a.sqs.delete_queue(QueueUrl=a.url), f"queue {QUEUE}", "does not exist in eu-west-1"),
    "retention": (lambda a: a.set(MessageRetentionPeriod="300"), f"queue {QUEUE}", "keeps messages for 300 s"),
    "key": (lambda a: a.set(KmsMasterKeyId="alias/aws/sqs"), f"queue {QUEUE}", "AWS managed key"),
    "redrive": (break_redrive, f"queue {QUEUE}", "after 5 looks"),
    "no policy": (break_policy, f"queue {QUEUE}", "no statement allows sqs:SendMessage to events.amazonaws.com"),
    "other source": (break_source, f"queue {QUEUE}", "the condition aws:SourceArn"),
    "denied": (break_by_denying, f"queue {QUEUE}", "statement No denies it"),
    "no target": (break_targets, f"rule {QUEUE}-spot", "has no target"),
    "no rule": (break_rule, f"rule {QUEUE}-spot", "does not exist"),
    "disabled": (lambda a: a.events.disable_rule(Name=f"{QUEUE}-health"), f"rule {QUEUE}-health", "is disabled"),
    "pattern": (break_pattern, f"rule {QUEUE}-spot", "its pattern does not fit"),
    "short hook": (lambda a: a.hook(HeartbeatTimeout=30), "group workers", "waits 30 s"),
    "result": (lambda a: a.hook(DefaultResult="ABANDON"), "group workers", "ends with ABANDON"),
    "no hook": (
        lambda a: a.groups.delete_lifecycle_hook(
            AutoScalingGroupName="workers", LifecycleHookName=f"{QUEUE}-terminate"
        ),
        "group workers",
        "has no terminate hook",
    ),
    "no tag": (break_tag(None), "group workers", f"has no tag {TAG}"),
    "tag kept": (break_tag(False), "group workers", "keeps its tag"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_check_names_what_is_broken_and_nothing_else(made, what):
    change, subject, words = BROKEN[what]
    change(made)
    [found] = made.check()
    assert found["subject"] == subject and words in found["text"], found


@pytest.mark.parametrize(
    "url, words",
    [
        (QUEUE, "is the queue's name"),
        (f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{QUEUE}", "is the queue's ARN"),
        (f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{QUEUE}", "is in us-east-1"),
        (f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/other", f"not the URL of queue {QUEUE}"),
        (f"https://sqs.eu-west-1.amazonaws.com/210987654321/{QUEUE}", f"of account {ACCOUNT}"),
        (f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{QUEUE}", None),
    ],
)
def test_check_looks_at_the_url_that_the_process_is_given(made, url, words):
    wrong = made.check(env={"QUEUE_URL": url})
    assert [one["subject"] for one in wrong] == ([] if words is None else ["QUEUE_URL"])
    assert words is None or words in wrong[0]["text"], wrong
    assert words is None or made.url in wrong[0]["advice"]


def test_rules_and_hooks_of_others_do_as_well(account):
    """As NTH's documents have them made: other names, no conditions, no dead-letter queue."""
    url = account.sqs.create_queue(QueueName="nth")["QueueUrl"]
    arn = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": [arn],
    }
    account.sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": allow})}
    )
    everything = {"source": ["aws.ec2", "aws.autoscaling", "aws.health"]}
    account.events.put_rule(Name="all", EventPattern=json.dumps(everything))
    account.events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    account.hook(LifecycleHookName="nth", HeartbeatTimeout=1200)
    tag = {"ResourceId": "workers", "ResourceType": "auto-scaling-group", "Key": TAG, "Value": ""}
    account.groups.create_or_update_tags(Tags=[tag | {"PropagateAtLaunch": True}])
    assert account.check("--queue", "nth") == []
    table = account.bootstrap(*CLUSTER, "--queue", "nth", "--check")
    notes = [line for line in table.splitlines() if line.startswith("note")]
    assert len(notes) == 2 and "no dead-letter queue" in notes[0] and "waits 1200 s" in notes[1], table


def test_a_group_that_is_not_there_and_tags_that_nobody_looks_at(made):
    [wrong] = made.check("--group", "gone")
    assert wrong["subject"] == "group gone" and "does not exist" in wrong["text"]
    break_tag(None)(made)
    assert made.check(env={"CHECK_TAG_BEFORE_DRAINING": "false"}) == []
    [wrong] = made.check(env={"MANAGED_TAG": "mine"})
    assert "has no tag mine" in wrong["text"]


def test_a_look_that_is_denied_is_one_line(made):
    result = run(*CLUSTER, "--check", env=made.env | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    assert result.returncode == 1 and result.stdout == ""
    [line] = result.stderr.splitlines()
    assert "sts GetCallerIdentity" in line


# One router for many clusters.


def test_a_router_tells_every_cluster_behind_it(account):
    result = run("--cluster", "a", "--router", "hub", "--create", env=account.env)
    assert result.returncode == 1 and "spotkeeper bootstrap --router hub --create" in result.stderr
    account.bootstrap("--router", "hub", "--create")
    assert account.check(of=("--router", "hub")) == []
    for cluster in ("a", "b"):
        account.bootstrap("--cluster", cluster, "--router", "hub", "--create")
        assert account.check(of=("--cluster", cluster, "--router", "hub")) == []
    done = account.writes()
    account.bootstrap("--router", "hub", "--create")
    account.bootstrap("--cluster", "a", "--router", "hub", "--create")
    assert account.writes() == done
    assert len(account.events.list_rules()["Rules"]) == len(EVENTS), "once, whatever the clusters"
    # An event on the bus arrives at each, as EventBridge would have sent it itself.
    account.sns.publish(TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:hub", Message='{"source": "aws.ec2"}')
    for cluster in ("a", "b"):
        url = account.sqs.get_queue_url(QueueName=f"spotkeeper-{cluster}")["QueueUrl"]
        [message] = account.sqs.receive_message(QueueUrl=url)["Messages"]
        assert json.loads(message["Body"]) == {"source": "aws.ec2"}


def test_what_is_broken_at_a_router_is_named(account):
    behind = ("--cluster", "a", "--router", "hub")
    account.bootstrap("--router", "hub", "--create")
    account.bootstrap(*behind, "--create")
    topic = f"arn:aws:sns:eu-west-1:{ACCOUNT}:hub"
    [subscription] = account.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    account.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    [wrong] = account.check(of=behind)
    assert wrong["subject"] == "topic hub" and "not subscribed" in wrong["text"]
    account.events.remove_targets(Rule="hub-spot", Ids=["spotkeeper"])
    account.bootstrap(*behind, "--create")
    for of in (behind, ("--router", "hub")):
        [wrong] = account.check(of=of)
        assert wrong["subject"] == "rule hub-spot" and "has no target" in wrong["text"]
    account.sns.delete_topic(TopicArn=topic)
    assert "does not exist: the router is missing" in account.check(of=behind)[0]["text"]


# What a person meets.


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), ["--cluster", "--router", "--help"]),
        (("--cluster", "prod", "--check"), ["--region", "eu-west-1"]),
        (("--cluster", "prod", "--queue", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"), ["--queue", "--queue-url"]),
        (("--cluster", "prod", "--region", "Europe", "--check"), ["--region", "eu-west-1"]),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words):
    result = run(*arguments)
    assert result.returncode == 2 and result.stdout == ""
    [line] = result.stderr.splitlines()
    assert all(word in line for word in words), line


def test_help_and_completion_know_it():
    shown = run("--help").stdout
    assert "--check" in shown and "spotkeeper bootstrap --cluster prod" in shown
    words = [str(spotkeeper()), "__complete", "bootstrap", "--identity", ""]
    assert subprocess.run(words, capture_output=True, text=True).stdout.split() == ["none", "irsa", "pod-identity"]


def test_the_manual_names_every_option():
    manual = (REPOSITORY / "docs/bootstrap.md").read_text()
    options = re.findall(r"^  (?:-o, )?(--[a-z-]+)", run("--help").stdout, re.MULTILINE)
    assert len(options) > 15
    assert [name for name in options if f"`{name}" not in manual] == []
