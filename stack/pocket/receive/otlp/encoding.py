"""OTLP's two encodings of a request: protobuf, and JSON with hexadecimal ids."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

import orjson
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

PROTOBUF, JSON = "application/x-protobuf", "application/json"
M = TypeVar("M", bound=Message)

_IDS = {"traceId", "spanId", "parentSpanId"}


class MalformedError(Exception):
    """The body is not what its content type says."""


def decode(body: bytes, content_type: str, message: type[M]) -> M:
    """Raises MalformedError, whatever the body is."""
    try:
        if content_type == PROTOBUF:
            return message.FromString(body)
        document = _with_base64_ids(_object(body))
        return json_format.ParseDict(document, message(), ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, orjson.JSONDecodeError, binascii.Error, RecursionError) as error:
        raise MalformedError(str(error).splitlines()[0][:200] or type(error).__name__) from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:  # json_format's on a wrong type
        raise MalformedError(f"{type(error).__name__}: {error}"[:200]) from error


def encode(message: Message, content_type: str) -> bytes:
    """A message in the encoding that its request had."""
    if content_type == PROTOBUF:
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode()


def _object(body: bytes) -> Any:
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise MalformedError("a JSON object is expected")
    return value


def _with_base64_ids(value: Any) -> Any:
    """protobuf's JSON has bytes as base64, OTLP/JSON has ids as hex (opentelemetry.io/docs/specs/otlp, JSON)."""
    if isinstance(value, dict):
        return {
            key: _base64(item) if key in _IDS and isinstance(item, str) else _with_base64_ids(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    return value


def _base64(text: str) -> str:
    return base64.b64encode(binascii.unhexlify(text)).decode()
