"""What an administrator does with a new developer, through the client that openapi-python-client makes of the document."""

import json
import os
import time
import uuid

import httpx
from admin_client import AuthenticatedClient, Client
from admin_client.api.access_keys import create_access_key, revoke_access_key, rotate_access_key
from admin_client.api.bedrock_keys import put_bedrock_key
from admin_client.api.login import create_session
from admin_client.api.usage import get_usage
from admin_client.api.users import create_user, get_user
from admin_client.models import CreateAccessKey, CreateUser, ErrorBody, PutBedrockKey, RotateAccessKey

BASE_URL = os.environ["BASE_URL"]


def ask(key):
    """The status of an answer to a message."""
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    url = f"{BASE_URL}/ak/{key}/v1/messages"
    return httpx.post(url, content=os.environ["MESSAGE"], headers=headers).status_code


def got(answer):
    """What an answer brought; an error ends the program."""
    if answer is None or isinstance(answer, ErrorBody):
        raise SystemExit(f"refused: {answer}")
    return answer


def main():
    login = httpx.BasicAuth(os.environ["ADMIN_NAME"], os.environ["ADMIN_PASSWORD"])
    with Client(BASE_URL, httpx_args={"auth": login}) as client:
        session = got(create_session.sync(client=client))
    client = AuthenticatedClient(BASE_URL, token=session.token, raise_on_unexpected_status=True)

    user = got(create_user.sync(client=client, body=CreateUser(os.environ["DEVELOPER"], monthly_budget_usd="12.50")))
    wish = CreateAccessKey(label="laptop", region="us-east-1")
    issued = got(create_access_key.sync(user.id, client=client, body=wish))
    first = issued.access_key.id
    got(put_bedrock_key.sync(first, client=client, body=PutBedrockKey(os.environ["BEDROCK_KEY"])))
    served = ask(issued.key)

    usage, deadline = {}, time.monotonic() + 20
    while os.environ["TOKENS"] not in json.dumps(usage) and time.monotonic() < deadline:
        time.sleep(0.1)
        usage = got(get_usage.sync(client=client, user_id=user.id)).to_dict()

    rotated = got(rotate_access_key.sync(first, client=client, body=RotateAccessKey(grace_seconds=300)))
    served_in_grace, served_afterwards = ask(issued.key), ask(rotated.key)
    for key in (issued.access_key, rotated.access_key):
        revoked = revoke_access_key.sync_detailed(key.id, client=client)
        if revoked.status_code != 204:
            raise SystemExit(f"refused: {revoked.parsed}")
    unknown = get_user.sync(uuid.UUID("00000000-0000-4000-8000-000000000000"), client=client)

    line = {
        "user_id": str(user.id),
        "budget": user.monthly_budget_usd,
        "routing": user.routing,
        "answers": [served, served_in_grace, served_afterwards, ask(rotated.key)],
        "usage": usage,
        "unknown": unknown.error.code,
    }
    print(json.dumps(line))


main()
