"""What is common to the services' two protocols: how a request names its action, and how errors look.

Sources: botocore's service models (targetPrefix, jsonVersion, xmlNamespace) and "Common Errors" of the API
references (docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and its ELBv2 sister).
"""

import dataclasses
import json
import urllib.parse
import uuid
from collections.abc import Callable
from xml.sax.saxutils import escape

ELB_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


class AwsError(Exception):
    """An answer other than success: code as the API reference names it."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclasses.dataclass
class Request:
    """One HTTP request. `service` and `region` come from its credential scope, once it has been verified."""

    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    service: str = ""
    region: str = ""
    access_key: str = ""
    is_gone: Callable[[], bool] = lambda: False  # who asked has closed the connection

    @property
    def target(self) -> str:
        """JSON protocols: `<prefix>.<action>` (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html)."""
        return self.headers.get("x-amz-target", "")

    @property
    def action(self) -> str:
        """ "" when it follows neither the JSON nor the query protocol."""
        return self.target.rpartition(".")[2] if self.target else self.form.get("Action", "")

    @property
    def form(self) -> dict[str, str]:
        """Query protocol: the form in the body, or the query string of a GET."""
        text = self.query
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = self.body.decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    def params(self) -> dict:
        """What the caller asked, as JSON or as the flat form; {} for anything else."""
        if not self.target:
            return self.form
        try:
            params = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return params if isinstance(params, dict) else {}


@dataclasses.dataclass
class Reply:
    status: int
    body: bytes
    content_type: str
    error: str = ""
    request_id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def json_reply(params: dict, status: int = 200) -> Reply:
    return Reply(status, json.dumps(params).encode(), "application/x-amz-json-1.1")


def xml_reply(action: str, result: str, namespace: str = ELB_NAMESPACE) -> Reply:
    """Query protocol (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html)."""
    reply = Reply(200, b"", "text/xml")
    reply.body = (
        f'<{action}Response xmlns="{namespace}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{reply.request_id}</RequestId></ResponseMetadata></{action}Response>"
    ).encode()
    return reply


def error_reply(request: Request, error: AwsError) -> Reply:
    """The error in the shape of the protocol that the request speaks."""
    if request.target:
        # awsJson: `__type` may carry a namespace before '#', which a client has to drop (smithy, as above). The common
        # errors of services built on AWS's own framework come with one.
        namespace = "com.amazon.coral.service#" if error.code in _COMMON else ""
        reply = json_reply({"__type": namespace + error.code, "message": error.message}, error.status)
    elif request.service == "ec2":
        # A dialect of its own: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html (error responses)
        reply = Reply(error.status, b"", "text/xml")
        said = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        reply.body = (
            f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{reply.request_id}</RequestID></Response>"
        ).encode()
    elif request.action:
        kind = "Receiver" if error.status >= 500 else "Sender"
        reply = Reply(error.status, b"", "text/xml")
        reply.body = (
            f'<ErrorResponse xmlns="{ELB_NAMESPACE}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
            f"<Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{reply.request_id}</RequestId></ErrorResponse>"
        ).encode()
    else:
        reply = Reply(error.status, json.dumps({"message": error.message}).encode(), "application/json")
        reply.headers["x-amzn-errortype"] = error.code
    reply.error = error.code
    return reply


_COMMON = {
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "SerializationException",
    "UnknownOperationException",
    "InternalFailure",
    "ServiceUnavailableException",
}
