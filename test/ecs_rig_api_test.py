"""The rig's AWS endpoint: signatures, faults, the API's manners. Each rule once."""

import datetime
import http.client
import threading
import time

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError

from rig.aws.server import SECRET_KEY
from rig.aws.signing import Key, actions_of
from rig.process import until


def code_of(call, *arguments, **named) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def answers(call) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True


def post(url: str, headers: dict | None = None, body: str = "{}") -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, data=body, headers=headers, timeout=5)


# Signatures.


def test_a_bad_signature_is_refused_in_each_services_own_words(ecs_rig):
    bad = {"aws_secret_access_key": SECRET_KEY + "x"}
    ecs, elb = ecs_rig.aws.client("ecs", **bad), ecs_rig.aws.client("elbv2", **bad)
    assert code_of(ecs.list_clusters) == ("InvalidSignatureException", 403)
    assert code_of(elb.describe_target_groups) == ("SignatureDoesNotMatch", 403)
    assert [(call.status, call.error) for call in ecs_rig.aws.calls[-2:]] == [
        (403, "InvalidSignatureException"),
        (403, "SignatureDoesNotMatch"),
    ]


def test_no_signature_an_unknown_key_and_another_region_are_refused(ecs_rig):
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    assert "MissingAuthenticationTokenException" in post(ecs_rig.aws.url, target).text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = post(ecs_rig.aws.url, form, "Action=DescribeTargetGroups&Version=2015-12-01")
    assert answer.status_code == 403 and "<Code>MissingAuthenticationToken</Code>" in answer.text
    stranger = ecs_rig.aws.client("ecs", aws_access_key_id="AKIASTRANGER")
    assert code_of(stranger.list_clusters) == ("UnrecognizedClientException", 403)
    elsewhere = ecs_rig.aws.client("ecs", region_name="us-east-1")
    assert code_of(elsewhere.list_clusters) == ("InvalidSignatureException", 403)


def test_a_changed_body_or_header_is_refused(ecs_rig):
    signed: dict = {}
    ecs_rig.ecs.meta.events.register("before-send.ecs", lambda request, **_: signed.update(request=request))
    ecs_rig.ecs.list_clusters()
    headers = {
        name: value.decode() if isinstance(value, bytes) else value for name, value in signed["request"].headers.items()
    }
    assert post(ecs_rig.aws.url, headers).status_code == 200
    assert post(ecs_rig.aws.url, headers, '{"maxResults": 1}').status_code == 403
    other = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListTasks"}
    assert post(ecs_rig.aws.url, headers | other).status_code == 403
    assert post(ecs_rig.aws.url, headers | {"X-Amz-New": "unsigned"}).status_code == 403


@pytest.mark.parametrize("offset", [400, -400])
def test_a_clock_that_is_wrong_is_refused_and_told_the_time(ecs_rig, offset):
    ecs_rig.aws.clock_offset_s = offset
    with pytest.raises(ClientError, match="Signature expired" if offset > 0 else "not yet current") as refused:
        ecs_rig.ecs.list_clusters()
    date = refused.value.response["ResponseMetadata"]["HTTPHeaders"]["date"]
    told = datetime.datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.UTC).timestamp()
    assert told - time.time() == pytest.approx(offset, abs=2)
    assert code_of(ecs_rig.elb.describe_target_groups) == ("RequestExpired", 400)
    ecs_rig.aws.clock_offset_s = offset / 2
    ecs_rig.ecs.list_clusters()


def test_temporary_keys_need_their_token_and_expire(ecs_rig):
    ecs_rig.aws.keys["ASIA1"] = Key("secret", token="token", expires=time.time() + 60)
    temporary = {"aws_access_key_id": "ASIA1", "aws_secret_access_key": "secret"}
    ecs_rig.aws.client("ecs", **temporary, aws_session_token="token").list_clusters()
    other = ecs_rig.aws.client("ecs", **temporary, aws_session_token="other")
    assert code_of(other.list_clusters) == ("UnrecognizedClientException", 403)
    ecs_rig.aws.keys["ASIA1"].expires = time.time()
    late = ecs_rig.aws.client("ecs", **temporary, aws_session_token="token")
    assert code_of(late.list_clusters) == ("ExpiredTokenException", 403)


def test_keys_that_sts_handed_out_are_good(ecs_rig):
    role = "arn:aws:iam::123456789012:role/spotkeeper"
    got = ecs_rig.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    temporary = {"aws_access_key_id": got["AccessKeyId"], "aws_secret_access_key": got["SecretAccessKey"]}
    ecs_rig.aws.client("ecs", **temporary, aws_session_token=got["SessionToken"]).list_clusters()
    assert code_of(ecs_rig.aws.client("ecs", **temporary).list_clusters) == ("UnrecognizedClientException", 403)


def test_a_role_may_do_what_its_policy_allows(ecs_rig):
    one = ecs_rig.host()
    key = ecs_rig.key_of(one)
    key.actions = actions_of({"Statement": [{"Effect": "Allow", "Action": ["ecs:List*"], "Resource": "*"}]})
    (name,) = [name for name, known in ecs_rig.aws.keys.items() if known is key]
    keys = {"aws_access_key_id": name, "aws_secret_access_key": key.secret, "aws_session_token": key.token}
    ecs = ecs_rig.aws.client("ecs", **keys)
    ecs.list_clusters()
    assert code_of(ecs.describe_clusters) == ("AccessDeniedException", 400)
    assert code_of(ecs_rig.aws.client("elbv2", **keys).describe_target_groups) == ("AccessDenied", 403)
    with pytest.raises(ValueError, match="Allow and Action only"):
        actions_of({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


# Faults and the record.


def test_faults_meet_the_calls_they_are_for_and_then_end(ecs_rig):
    faults, ecs = ecs_rig.aws.faults, ecs_rig.ecs
    faults.throttle("ecs", "ListClusters", times=2)
    assert [code_of(ecs.list_clusters) for _ in range(2)] == [("ThrottlingException", 400)] * 2
    ecs.list_clusters()
    faults.throttle("elasticloadbalancing", times=1)
    ecs.list_clusters()
    assert code_of(ecs_rig.elb.describe_target_groups) == ("Throttling", 400)
    faults.fail("ecs", for_s=1)
    assert code_of(ecs.list_clusters) == ("InternalFailure", 500)
    until(lambda: answers(ecs.list_clusters), 10, "the fault over")
    faults.slow(0.3, times=1)
    began = time.monotonic()
    ecs.list_clusters()
    assert time.monotonic() - began >= 0.3


def test_a_dropped_connection_before_the_work_and_after_it(ecs_rig):
    one = ecs_rig.host()
    first, second = ecs_rig.run("first", on=one), ecs_rig.run("second", on=one)
    ecs_rig.settle()
    for task, after in ((first, False), (second, True)):
        ecs_rig.aws.faults.drop("ecs", "StopTask", times=1, after=after)
        with pytest.raises(ConnectionClosedError):
            ecs_rig.ecs.stop_task(cluster="rig", task=task.arn)
        assert task.desired == ("STOPPED" if after else "RUNNING")
    assert [(call.status, call.error) for call in ecs_rig.aws.calls_of("StopTask")] == [(0, "Dropped")] * 2


def test_calls_are_recorded_with_what_they_asked(ecs_rig):
    before = time.time()
    ecs_rig.ecs.list_tasks(cluster="rig", desiredStatus="STOPPED")
    (call,) = ecs_rig.aws.calls_of("ListTasks")
    assert call.params == {"cluster": "rig", "desiredStatus": "STOPPED"}
    assert (call.service, call.status, call.error) == ("ecs", 200, "") and before <= call.at <= time.time()


def test_connections_stay_open_between_requests_and_die_with_the_server(ecs_rig):
    connection = http.client.HTTPConnection("127.0.0.1", ecs_rig.aws.port, timeout=5)
    sockets = []
    for _ in range(2):
        connection.request("POST", "/", body="x" * 1000)
        assert connection.getresponse().read()
        sockets.append(connection.sock)
    assert sockets[0] and sockets[0] is sockets[1]
    ecs_rig.aws.stop()
    with pytest.raises(ConnectionError):
        connection.request("POST", "/")
        connection.getresponse()


def test_many_ask_at_the_same_time(ecs_rig):
    threads = [threading.Thread(target=ecs_rig.ecs.list_clusters) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([call for call in ecs_rig.aws.calls_of("ListClusters") if call.status == 200]) == 20


# The API's manners.


def test_what_stops_is_listed_under_stopped_only(ecs_rig):
    one, two = ecs_rig.hosts(2)
    job, _ = ecs_rig.run("job", on=one, ends_after=2), ecs_rig.run("job", on=two)
    ecs_rig.settle()
    ecs_rig.ecs.stop_task(cluster="rig", task=job.id)

    def listed(**more):
        return ecs_rig.ecs.list_tasks(cluster="rig", containerInstance=one.id, **more)["taskArns"]

    assert (listed(), listed(desiredStatus="STOPPED"), listed(desiredStatus="PENDING")) == ([], [job.arn], [])
    assert job.last in ("RUNNING", "STOPPING")


def test_pages_and_failures(ecs_rig):
    hosts = ecs_rig.hosts(5)
    pages = ecs_rig.ecs.get_paginator("list_container_instances").paginate(
        cluster="rig", PaginationConfig={"PageSize": 2}
    )
    arns = [page["containerInstanceArns"] for page in pages]
    assert [len(page) for page in arns] == [2, 2, 1] and sum(arns, []) == [host.arn for host in hosts]
    answer = ecs_rig.ecs.describe_tasks(cluster="rig", tasks=["nobody"])
    assert answer["failures"] == [{"arn": "nobody", "reason": "MISSING"}]
    assert code_of(ecs_rig.ecs.list_tasks, cluster="none") == ("ClusterNotFoundException", 400)
    assert code_of(ecs_rig.ecs.stop_task, cluster="rig", task="x")[0] == "InvalidParameterException"
    many = [str(number) for number in range(101)]
    assert code_of(ecs_rig.ecs.describe_tasks, cluster="rig", tasks=many)[0] == "InvalidParameterException"
    assert code_of(ecs_rig.ecs.describe_tasks, cluster=5, tasks=["x"])[0] == "InvalidParameterException"


def test_moto_keeps_what_a_drain_reads(ecs_rig):
    arn = ecs_rig.definition("web", stop_timeout=90, network_mode="awsvpc")
    shown = ecs_rig.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert (shown["containerDefinitions"][0]["stopTimeout"], shown["networkMode"]) == (90, "awsvpc")
    group = ecs_rig.target_group("web", delay_s=45, kind="ip")
    attributes = ecs_rig.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "45"} in attributes
    assert ecs_rig.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["TargetType"] == "ip"


def test_a_filter_finds_the_instance_and_may_be_wrong_in_each_way(ecs_rig):
    one, two = ecs_rig.hosts(2)
    ecs_rig.drain(two)

    def found(text):
        return ecs_rig.ecs.list_container_instances(cluster="rig", filter=text)["containerInstanceArns"]

    mine = f"ec2InstanceId == {one.ec2_id}"
    assert (found(mine), found(f"ec2InstanceId in ['{two.ec2_id}']")) == ([one.arn], [two.arn])
    assert found(f"ec2InstanceId != {one.ec2_id} and agentConnected == true") == [two.arn]
    assert ecs_rig.ecs.list_container_instances(cluster="rig", status="DRAINING")["containerInstanceArns"] == [two.arn]
    assert code_of(found, "ec2InstanceId =~ i-.*")[0] == "InvalidParameterException"
    for rows, expected in (("all", [one.arn, two.arn]), ("none", []), ("another", [two.arn])):
        ecs_rig.model.filter_rows = rows
        assert found(mine) == expected
    ecs_rig.model.filter_rows, ecs_rig.model.filter_lag_s = "matching", 2
    late = ecs_rig.host()
    assert found(f"ec2InstanceId == {late.ec2_id}") == []
    until(lambda: found(f"ec2InstanceId == {late.ec2_id}") == [late.arn], 10, "found at last")


def test_room_is_counted_until_a_task_has_stopped(ecs_rig):
    one = ecs_rig.host(slots=1)
    job = ecs_rig.run("job", on=one, ends_after=0.5)
    ecs_rig.settle()

    def again():
        return ecs_rig.ecs.run_task(cluster="rig", taskDefinition="job")

    assert again()["failures"] == [{"arn": one.arn, "reason": "RESOURCE:CPU"}]
    shown = ecs_rig.ecs.describe_container_instances(cluster="rig", containerInstances=[one.arn])["containerInstances"][
        0
    ]
    assert (shown["runningTasksCount"], shown["remainingResources"][0]["integerValue"]) == (1, 0)
    ecs_rig.ecs.stop_task(cluster="rig", task=job.arn)
    assert again()["failures"]
    until(lambda: job.last == "STOPPED", 5, "stopped")
    assert not again()["failures"]


def test_attributes_have_their_limits(ecs_rig):
    host = ecs_rig.host()

    def put(name: str = "stack", value: str = "blue", **target):
        attribute = {"name": name, "value": value} | (target or {"targetId": host.arn})
        return ecs_rig.ecs.put_attributes(cluster="rig", attributes=[attribute])

    def shown() -> dict:
        answer = ecs_rig.ecs.describe_container_instances(cluster="rig", containerInstances=[host.arn])
        return {one["name"]: one["value"] for one in answer["containerInstances"][0]["attributes"]}

    put()
    put(value="a green@1.0/x\\y:z")
    put("other", targetId=host.id, targetType="container-instance")
    assert shown() == {"ecs.availability-zone": host.zone, "stack": "a green@1.0/x\\y:z", "other": "blue"}
    for name, value in (("a b", "x"), ("x" * 129, "x"), ("x", " x"), ("x", "a,b"), ("x", "y" * 129)):
        assert code_of(put, name, value)[0] == "InvalidParameterException", (name, value)
    assert code_of(put, targetId=host.id)[0] == "InvalidParameterException", "of a short id the type is not known"
    assert code_of(put, targetId=host.arn[:-1] + "x")[0] == "TargetNotFoundException"
    for number in range(8):
        put(f"more-{number}")
    assert code_of(put, "one-too-many")[0] == "AttributeLimitExceededException"
    put("stack", "red")
    named = [{"name": "stack", "targetId": host.arn}]
    answer = ecs_rig.ecs.delete_attributes(cluster="rig", attributes=named)
    assert answer["attributes"] == [{"name": "stack", "targetId": host.arn, "value": "red"}]
    assert "stack" not in shown()
