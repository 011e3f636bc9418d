"""What a request asks for, and how an answer is written, in the protocols that AWS's services speak."""

import gzip
import io
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from moto.core.parse import QueryParser
from moto.core.serialize import QuerySerializer, SerializationContext
from moto.core.utils import get_service_model
from werkzeug.datastructures import MultiDict

import cbor

CBOR_PATH = re.compile(r"/service/(\w+)/operation/(\w+)")
SCOPE = re.compile(r"Credential=[^/]+/\d+/([\w-]+)/([\w-]+)/")
# The services that sign under another name than that of their description.
MODELS = {"elasticloadbalancing": "elbv2"}


@dataclass
class Request:
    """A call of an operation."""

    service: str
    operation: str
    region: str
    protocol: str
    parameters: dict = field(default_factory=dict)
    body: bytes = b""


def read(environ):
    """The call that is in a request. Bodies are kept for whoever reads them next, those of S3 are not touched."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    region, service = scope.groups() if scope else ("us-east-1", "s3")
    if found := CBOR_PATH.fullmatch(environ["PATH_INFO"]):
        body = body_of(environ)
        if environ.pop("HTTP_CONTENT_ENCODING", None) == "gzip":
            body = gzip.decompress(body)
        return Request("monitoring", found[2], region, "cbor", cbor.decode(body), body)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        body = body_of(environ)
        return Request(service, target.rpartition(".")[2], region, "json", json.loads(body or b"{}"), body)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = body_of(environ)
        form = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
        return Request(service, form.get("Action", ""), region, "query", form_parameters(service, form), body)
    parameters = {"path": environ["PATH_INFO"], "query": environ.get("QUERY_STRING", "")}
    return Request(service, environ["REQUEST_METHOD"], region, "rest", parameters)


def body_of(environ):
    """The body, which is put back."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def form_parameters(service, form):
    """The parameters of a form as a structure, by the service's own description."""
    try:
        operation = model(service).operation_model(form["Action"])
    except Exception:  # The description does not know it, and neither does whoever has to answer.
        return form.to_dict()
    parsed = QueryParser(operation_model=operation).parse(
        {"values": form, "query_params": {}, "body": "", "headers": {}, "method": "POST", "url_path": "/"}
    )
    return parsed or {}


def model(service):
    return get_service_model(MODELS.get(service, service))


def answer(request, result):
    """Status, headers and body of an answer."""
    if request.protocol == "query":
        operation = model(request.service).operation_model(request.operation)
        context = SerializationContext(request_id=str(uuid.uuid4()))
        body = QuerySerializer(operation, context).serialize(result)["body"]
        return "200 OK", "text/xml", body.encode() if isinstance(body, str) else body
    return "200 OK", "application/x-amz-json-1.1", json.dumps(result, default=seconds).encode()


def refusal(request, refused):
    """The same of a refusal, with the header in which the protocol rpc-v2-cbor wants its code."""
    status = f"{refused.status} REFUSED"
    if request.protocol == "query":
        body = (
            "<ErrorResponse><Error><Type>Sender</Type>"
            f"<Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return status, "text/xml", body.encode()
    if request.protocol == "rest":
        body = f"<Error><Code>{escape(refused.code)}</Code><Message>{escape(refused.message)}</Message></Error>"
        return status, "application/xml", body.encode()
    said = {"__type": refused.code, "message": refused.message}
    if request.protocol == "cbor":
        return status, "application/cbor", cbor.encode(said)
    return status, "application/x-amz-json-1.1", json.dumps(said).encode()


def now():
    """This moment as AWS's answers have it: UTC, to the millisecond."""
    moment = datetime.now(timezone.utc).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def seconds(moment):
    """A time in JSON."""
    return moment.replace(tzinfo=timezone.utc).timestamp()
