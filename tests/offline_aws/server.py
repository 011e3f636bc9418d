"""Runs an AWS for tests on loopback, and prints where: moto, with stacks and containers that behave like AWS's own."""

import argparse
import logging

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from application import Application


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--registry", help="address of the registry that plays ECR, such as http://127.0.0.1:5000")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Application(DomainDispatcherApplication(create_backend_app), arguments.registry)
    server = make_server("127.0.0.1", arguments.port, app, threaded=True, request_handler=MotoRequestHandler)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
