"""Every request's Signature v4, recomputed with botocore from a secret that the rig knows.

Rules: "Signature Version 4 for API requests" and "Troubleshooting SigV4" (docs.aws.amazon.com/IAM/latest/UserGuide/
reference_sigv.html, reference_sigv-troubleshooting.html): the host and every x-amz-* header must be signed, the
scope's date is the timestamp's, region and service are the endpoint's, a request is good for 5 minutes. (S3 and the
API references' RequestExpired speak of 15; ECS and ELB refuse after 5, which is what the troubleshooting page shows.)
"""

import dataclasses
import datetime
import email.utils
import fnmatch
import hashlib
import re

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from moto.core import DEFAULT_ACCOUNT_ID

from .replies import AwsError, Request

SKEW_S = 300
_STAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<date>\d{8})/(?P<region>[^/,]+)/(?P<service>[^/,]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
# Which service a JSON target belongs to: metadata.targetPrefix of botocore's models.
_TARGETS = {"AmazonEC2ContainerServiceV20141113": "ecs", "AmazonSQS": "sqs", "AWSEvents": "events"}
# Called without credentials by design: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
_UNSIGNED = {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}


@dataclasses.dataclass
class Key:
    """A secret access key; with `token` it is temporary, and `expires` (Unix seconds) may end it. `actions`: what its
    policy allows ("ecs:Describe*"), None for all; see `actions_of`."""

    secret: str
    token: str | None = None
    expires: float | None = None
    actions: tuple[str, ...] | None = None


def actions_of(policy: dict) -> tuple[str, ...]:
    """What an IAM policy allows. Resources and conditions are not looked at: a policy that is too narrow in these
    passes here (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html)."""
    allowed: list[str] = []
    for statement in policy["Statement"]:
        if statement["Effect"] != "Allow" or "NotAction" in statement:
            raise ValueError(f"the rig understands Allow and Action only: {statement}")
        action = statement["Action"]
        allowed += [action] if isinstance(action, str) else action
    return tuple(allowed)


def verify(request: Request, keys: dict[str, Key], region: str, now: float) -> None:
    """Fills in who asks what; raises AwsError when AWS would refuse the request."""
    json_protocol = bool(request.target)
    header = request.headers.get("authorization")
    if header is None:
        if request.action in _UNSIGNED:
            request.service, request.region = "sts", region
            return
        code = "MissingAuthenticationTokenException" if json_protocol else "MissingAuthenticationToken"
        raise AwsError(code, "Missing Authentication Token", 403)
    parts = _AUTHORIZATION.fullmatch(header.strip())
    if not parts:
        code = "IncompleteSignatureException" if json_protocol else "IncompleteSignature"
        raise AwsError(code, f"Authorization header is not of the form of AWS4-HMAC-SHA256: {header!r}", 403)
    request.service, request.region, request.access_key = parts["service"], parts["region"], parts["key"]
    key = _find_key(request, keys, now, json_protocol)
    stamp = _timestamp(request, parts)
    _check_scope(request, parts, stamp, region)
    _check_signature(request, parts, stamp, key)
    _check_skew(request, stamp, now)
    _check_rights(request, key)


def _refused(request: Request, message: str) -> AwsError:
    code = "InvalidSignatureException" if request.target else "SignatureDoesNotMatch"
    return AwsError(code, message, 403)


def _check_rights(request: Request, key: Key) -> None:
    """AccessDeniedException is 400 in ECS's reference; AccessDenied of query services 403. Actions ignore case."""
    action = f"{request.service}:{request.action}"
    if key.actions is None or any(fnmatch.fnmatch(action.lower(), one.lower()) for one in key.actions):
        return
    message = f"User: {request.access_key} is not authorized to perform: {action}"
    raise AwsError("AccessDeniedException", message, 400) if request.target else AwsError("AccessDenied", message, 403)


def _find_key(request: Request, keys: dict[str, Key], now: float, json_protocol: bool) -> Key:
    key = keys.get(request.access_key) or _key_of_role(request.access_key)
    if not key or (key.token or "") != request.headers.get("x-amz-security-token", ""):
        code = "UnrecognizedClientException" if json_protocol else "InvalidClientTokenId"
        raise AwsError(code, "The security token included in the request is invalid.", 403)
    if key.expires is not None and key.expires <= now:
        code = "ExpiredTokenException" if json_protocol else "ExpiredToken"
        raise AwsError(code, "The security token included in the request is expired", 403)
    return key


def _key_of_role(access_key: str) -> Key | None:
    """What moto's STS handed out (AssumeRole, AssumeRoleWithWebIdentity)."""
    from moto.sts.models import sts_backends

    for backend in sts_backends[DEFAULT_ACCOUNT_ID].values():
        if role := backend.get_assumed_role_from_access_key(access_key):
            return Key(role.secret_access_key, role.session_token, role.expiration.timestamp())
    return None


def _timestamp(request: Request, parts: re.Match) -> str:
    """X-Amz-Date, else Date."""
    stamp = request.headers.get("x-amz-date", "")
    if not stamp and "date" in request.headers:
        stamp = email.utils.parsedate_to_datetime(request.headers["date"]).strftime(_STAMP)
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise _refused(request, f"Date must be in ISO-8601 'basic format'. Got '{stamp}'.")
    if not stamp.startswith(parts["date"]):
        raise _refused(request, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date")
    return stamp


def _check_scope(request: Request, parts: re.Match, stamp: str, region: str) -> None:
    expected = _TARGETS.get(request.target.partition(".")[0], parts["service"])
    if parts["service"] != expected:
        raise _refused(request, f"Credential should be scoped to correct service: '{expected}'.")
    if parts["region"] != region:
        raise _refused(request, f"Credential should be scoped to a valid region, not '{parts['region']}'.")
    signed = parts["headers"].split(";")
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
    if "host" not in signed or unsigned:
        raise _refused(request, f"'Host' and all 'x-amz-' headers must be signed: missing {unsigned or ['host']}")
    if signed != sorted(signed) or any(name not in request.headers for name in signed):
        raise _refused(request, "SignedHeaders must be sorted, and each be in the request")


def _check_signature(request: Request, parts: re.Match, stamp: str, key: Key) -> None:
    digest = hashlib.sha256(request.body).hexdigest()
    claimed = request.headers.get("x-amz-content-sha256", digest)
    if claimed != digest and not (request.service == "s3" and claimed == "UNSIGNED-PAYLOAD"):
        raise _refused(request, "The provided 'x-amz-content-sha256' header does not match what was computed.")
    url = f"http://{request.headers.get('host', '')}{request.path}{'?' + request.query if request.query else ''}"
    signed = {name: request.headers[name] for name in parts["headers"].split(";")}
    copy = botocore.awsrequest.AWSRequest(request.method, url, headers=signed, data=request.body)
    copy.context["timestamp"] = stamp
    auth_class = botocore.auth.S3SigV4Auth if request.service == "s3" else botocore.auth.SigV4Auth
    credentials = botocore.credentials.Credentials(request.access_key, key.secret)
    auth = auth_class(credentials, parts["service"], parts["region"])
    expected = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    if expected != parts["signature"]:
        raise _refused(
            request,
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )


def _check_skew(request: Request, stamp: str, now: float) -> None:
    signed_at = datetime.datetime.strptime(stamp, _STAMP).replace(tzinfo=datetime.UTC).timestamp()
    if abs(signed_at - now) <= SKEW_S:
        return
    server = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime(_STAMP)
    word = "Signature expired" if signed_at < now else "Signature not yet current"
    message = f"{word}: {stamp} is too far from {server} (5 min.)"
    if request.target:
        raise AwsError("InvalidSignatureException", message, 403)
    raise AwsError("RequestExpired", message, 400)
