"""CloudWatch's protocol `rpc-v2-cbor`, as far as the services say anything in it."""

import io
import struct
from datetime import datetime

from botocore.parsers import RpcV2CBORParser
from moto.core.utils import get_service_model

TIME = b"\xc1"


def decode(body):
    """What a body says, as JSON can say it."""
    return plain(RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body)))) if body else {}


def plain(value):
    """What JSON can say; times become seconds."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.timestamp() if isinstance(value, datetime) else value


def answer(operation, said):
    """An answer in JSON as a body in CBOR: the description of CloudWatch tells which of its numbers are times."""
    shape = get_service_model("cloudwatch").operation_model(operation).output_shape
    return encode(said, shape) if shape else encode({})


def encode(value, shape=None):
    """A value in CBOR. What is null is left out, as AWS leaves it out."""
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, dict):
        there = {key: inner for key, inner in value.items() if inner is not None}
        return head(5, len(there)) + b"".join(
            encode(key) + encode(inner, member(shape, key)) for key, inner in there.items()
        )
    if isinstance(value, list):
        inner_shape = getattr(shape, "member", None)
        return head(4, len(value)) + b"".join(encode(inner, inner_shape) for inner in value)
    if isinstance(value, str):
        data = value.encode()
        return head(3, len(data)) + data
    if shape is not None and shape.type_name == "timestamp":
        return TIME + b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int) and (shape is None or shape.type_name not in ("double", "float")):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    return b"\xfb" + struct.pack(">d", value)


def member(shape, key):
    """The description of a part."""
    if shape is None:
        return None
    return shape.members.get(key) if shape.type_name == "structure" else getattr(shape, "value", None)


def head(major, number):
    """A kind of item and its length, in as few bytes as it takes."""
    kind = major << 5
    if number < 24:
        return bytes([kind | number])
    for extra, size in ((24, "B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if number < 256 ** struct.calcsize(size):
            return bytes([kind | extra]) + struct.pack(size, number)
    raise OverflowError(number)
