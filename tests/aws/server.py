"""Runs moto, an AWS for tests, on a free port of loopback, and prints where.

CloudWatch is asked by newer SDKs in the protocol `rpc-v2-cbor`, which this moto does not speak: such requests are
translated to the JSON protocol on their way in. What they said is kept, whole, for `GET /requests/{region}`.
"""

import gzip
import io
import json
import logging
import re
import sys
from datetime import datetime

from botocore.parsers import RpcV2CBORParser
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

CBOR_PATH = re.compile(r"/service/(\w+)/operation/(\w+)")
REGION = re.compile(r"Credential=[^/]+/\d+/([\w-]+)/")
NOTHING = b"\xa0"


class Translated:
    """The application of moto, with requests in CBOR translated."""

    def __init__(self, app):
        self.app = app
        self.kept = []

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/requests/"):
            region = path.removeprefix("/requests/")
            body = json.dumps([said for where, said in self.kept if where == region]).encode()
            start_response("200 OK", [("content-type", "application/json")])
            return [body]
        if found := CBOR_PATH.fullmatch(path):
            return self.translate(found, environ, start_response)
        return self.app(environ, start_response)

    def translate(self, found, environ, start_response):
        service, operation = found.groups()
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if environ.pop("HTTP_CONTENT_ENCODING", None) == "gzip":
            body = gzip.decompress(body)
        said = plain(RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body))))
        text = json.dumps(said).encode()
        environ |= {
            "PATH_INFO": "/",
            "REQUEST_URI": "/",
            "RAW_URI": "/",
            "HTTP_X_AMZ_TARGET": f"{service}.{operation}",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(text)),
            "wsgi.input": io.BytesIO(text),
        }
        status = []
        answer = b"".join(self.app(environ, lambda told, headers, error=None: status.append(told)))
        headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        if status[0].startswith("200"):
            assert not json.loads(answer or b"{}"), "an answer that says something would have to be translated too"
            region = REGION.search(environ.get("HTTP_AUTHORIZATION", ""))
            self.kept.append((region and region[1], {"operation": operation, **said}))
        else:
            code = json.loads(answer)["__type"].split("#")[-1]
            headers.append(("x-amzn-query-error", f"{code};Sender"))
        start_response(status[0], headers)
        return [NOTHING]


def plain(value):
    """What JSON can say; times become seconds."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.timestamp() if isinstance(value, datetime) else value


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Translated(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
