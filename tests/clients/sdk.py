"""Asks the proxy through Anthropic's library and prints what came of it, one JSON object a line.

Base URLs and keys come from the environment, as the library reads them itself.
"""

import argparse
import json

import anthropic

REQUEST = {
    "model": "claude-opus-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "say something"}],
}


def show(**line):
    print(json.dumps(line), flush=True)


def create(client):
    return client.messages.create(**REQUEST)


def stream(client):
    with client.messages.stream(**REQUEST) as events:
        for text in events.text_stream:
            show(delta=text)
        return events.get_final_message()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operation", choices=["create", "stream"])
    parser.add_argument("--bedrock", action="store_true", help="speak Bedrock's own format")
    parser.add_argument("--max-retries", type=int, default=anthropic.DEFAULT_MAX_RETRIES)
    arguments = parser.parse_args()
    sent = []
    http_client = anthropic.DefaultHttpxClient(event_hooks={"request": [sent.append]})
    make = anthropic.AnthropicBedrock if arguments.bedrock else anthropic.Anthropic
    client = make(http_client=http_client, max_retries=arguments.max_retries)
    try:
        message = {"create": create, "stream": stream}[arguments.operation](client)
    except anthropic.APIStatusError as error:
        show(
            exception=type(error).__name__,
            status=error.status_code,
            error=error.body.get("error"),
            requests=len(sent),
        )
    else:
        text = "".join(block.text for block in message.content if block.type == "text")
        show(id=message.id, text=text, usage=message.usage.model_dump(), requests=len(sent))


main()
