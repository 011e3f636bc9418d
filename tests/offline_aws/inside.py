"""Calls of moto's services from within, for what the resources of a stack are made of."""

import json

from werkzeug.test import Client

from errors import Refused

TARGETS = {
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "logs": "Logs_20140328",
    "monitoring": "GraniteServiceVersion20100801",
    "secretsmanager": "secretsmanager",
}


class Inside:
    """moto, without a socket between."""

    def __init__(self, moto):
        self.client = Client(moto)

    def call(self, region, service, operation, **parameters):
        """Calls an operation of a service that speaks JSON."""
        headers = {**signed(region, service), "x-amz-target": f"{TARGETS[service]}.{operation}"}
        headers["content-type"] = "application/x-amz-json-1.1"
        answer = self.client.post("/", data=json.dumps(parameters), headers=headers)
        said = json.loads(answer.data or b"{}")
        if answer.status_code >= 300:
            code = said.get("__type", "InternalFailure").rpartition("#")[2]
            raise Refused(code, said.get("message") or said.get("Message") or code, answer.status_code)
        return said

    def object(self, region, bucket, key):
        """The text of an object in S3, or nothing."""
        answer = self.client.get(f"/{bucket}/{key}", headers=signed(region, "s3"))
        return answer.data.decode() if answer.status_code == 200 else None


def signed(region, service):
    """Headers that say which service of which region is meant."""
    scope = f"Credential=inside/20260101/{region}/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x", "host": "127.0.0.1"}
