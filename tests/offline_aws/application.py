"""The door of the offline AWS: who answers a request, what is written down of it, and how tests talk to it."""

import base64
import json
import traceback
from datetime import timedelta

from botocore import xform_name

import cbor
import wire
from cloudformation.calls import CloudFormation
from ecs.calls import Containers
from errors import Refused
from world import ACCOUNT, World

# The longest text of a call that is kept, and how many calls are.
LONGEST_TEXT = 4096
MOST_CALLS = 100_000


class Application:
    """Own services before those of moto."""

    def __init__(self, moto, registry):
        self.moto, self.world = moto, World(moto, registry)
        self.calls = []
        self.own = {"cloudformation": CloudFormation(self.world), "ecs": Containers(self.world)}
        self.besides = {("ecr", "GetAuthorizationToken"): self.authorize,
                        ("elasticloadbalancing", "DescribeTargetHealth"): self.target_health}

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/control":
            return self.control(environ, start_response)
        if path == "/requests" or path.startswith("/requests/"):
            region = path.removeprefix("/requests").strip("/")
            return send(start_response, [call for call in self.calls if region in ("", call["region"])])
        request = wire.read(environ)
        call = self.note(request)
        try:
            self.world.control.refuse(request)
            status, kind, body = self.answer(request, environ)
        except Refused as refused:
            status, kind, body = wire.refusal(request, refused)
            call["refused"] = refused.code
        except Exception:
            traceback.print_exc()
            status, kind, body = wire.refusal(request, Refused("InternalFailure", traceback.format_exc(limit=-1), 500))
        if status is None:
            return self.moto(environ, start_response)
        headers = [("content-type", kind), ("content-length", str(len(body)))]
        if request.protocol == "cbor":
            headers.append(("smithy-protocol", "rpc-v2-cbor"))
            if "refused" in call:
                headers.append(("x-amzn-query-error", f"{call['refused']};Sender"))
        start_response(status, headers)
        return [body]

    def answer(self, request, environ):
        """Status, content type and body; no status where moto answers by itself."""
        if request.protocol == "cbor":
            return self.translated(request)
        if (answered := self.besides.get((request.service, request.operation))) is None:
            service = self.own.get(request.service)
            if service is None:
                return None, None, None
            answered = getattr(service, xform_name(request.operation), None)
            if answered is None:
                raise Refused("InvalidAction", f"{request.operation} is not played here")
        with self.world.lock:
            return wire.answer(request, answered(request))

    def translated(self, request):
        """CloudWatch, which newer SDKs ask in a protocol that this moto does not speak."""
        said = self.world.inside.call(request.region, "monitoring", request.operation, **request.parameters)
        return "200 OK", "application/cbor", cbor.answer(request.operation, said)

    def note(self, request):
        """Writes a call down."""
        call = {"service": request.service, "operation": request.operation, "region": request.region,
                "parameters": short(request.parameters)}
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)
        return call

    def control(self, environ, start_response):
        """Decisions of a test, and what has become of them."""
        if environ["REQUEST_METHOD"] == "POST":
            said = json.loads(wire.body_of(environ))
            try:
                for name, state in said.pop("alarms", {}).items():
                    self.set_alarm(name, state)
                self.world.control.decide(said)
            except Refused as refused:
                return send(start_response, {"refused": refused.message}, "400 REFUSED")
        return send(start_response, self.world.control.state())

    def set_alarm(self, name, state):
        """Sets an alarm wherever a stack has it."""
        for region in list(self.world.regions):
            alarms = self.world.inside.call(region, "monitoring", "DescribeAlarms", AlarmNames=[name])
            if alarms["MetricAlarms"]:
                self.world.inside.call(region, "monitoring", "SetAlarmState", AlarmName=name, StateValue=state,
                                       StateReason="Threshold Crossed")

    def authorize(self, request):
        """A login for the registry, which is the local one if there is one."""
        token = base64.b64encode(b"AWS:a-password-of-ecr").decode()
        where = self.world.registry or f"https://{ACCOUNT}.dkr.ecr.{request.region}.amazonaws.com"
        expires = wire.now() + timedelta(hours=12)
        return {"authorizationData": [{"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": where}]}

    def target_health(self, request):
        """A target for each task that runs for the target group."""
        wanted, region = request.parameters["TargetGroupArn"], self.world.region(request.region)
        targets = []
        for service in region.services.values():
            for balancer in service.get("loadBalancers", []):
                if balancer.get("targetGroupArn") == wanted and service["status"] == "ACTIVE":
                    targets += [{"Id": f"10.0.11.{10 + number}", "Port": int(balancer["containerPort"])}
                                for number in range(service["runningCount"])]
        health = {"State": self.world.control.health}
        return {"TargetHealthDescriptions": [{"Target": target, "TargetHealth": health} for target in targets]}


def short(value):
    """A call without what would fill the memory, such as templates."""
    if isinstance(value, dict):
        return {key: short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [short(inner) for inner in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"
    return value


def send(start_response, said, status="200 OK"):
    """JSON for a test."""
    body = json.dumps(said, default=str).encode()
    start_response(status, [("content-type", "application/json"), ("content-length", str(len(body)))])
    return [body]
