"""The connect protocol's unary calls, in protobuf or JSON (https://connectrpc.com/docs/protocol)."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call, Dialect
from pocket.api.form import BadRequest
from pocket.api.pyroscope.messages import MESSAGES
from pocket.api.queries import Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.query.errors import Ended, QueryFailure

PROTO, JSON = "application/proto", "application/json"
Message = Any  # classes made at run time

# connect's codes; the words are those of dskit's frontend, which Pyroscope shares with Loki and Tempo.
_CODES = {
    501: "unimplemented", 504: "deadline_exceeded", 499: "canceled", 429: "resource_exhausted",
    422: "resource_exhausted",
}  # fmt: skip
STOPPED: Words = {
    TimedOut: lambda: Ended("context deadline exceeded", 504),
    Cancelled: lambda: Ended("context canceled", 499),
    TooMuch: lambda: Ended("the query would hold too many bytes in memory; narrow its time range", 422),
    Busy: lambda: Ended("too many outstanding requests", 429),
}


class UnsupportedMediaType(QueryFailure):
    status = 415

    def __init__(self) -> None:
        super().__init__("")


def read(call: Call, name: str) -> Message:
    """The request's message. Raises BadRequest, or UnsupportedMediaType for another format than the two."""
    message_class = MESSAGES[name]
    try:
        if _format(call) == PROTO:
            return message_class.FromString(call.body)
        return json_format.Parse(call.body or b"{}", message_class(), ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError) as error:
        raise BadRequest(f"unmarshal message: {error}") from None


def write(call: Call, name: str, **fields: Any) -> Response:
    """A message of these fields, in the request's format."""
    message = MESSAGES[name](**fields)
    if _format(call) == PROTO:
        return Response(message.SerializeToString(), media_type=PROTO)
    return answers.json(json_format.MessageToDict(message))


def _format(call: Call) -> str:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (PROTO, JSON):
        raise UnsupportedMediaType
    return kind


def _failed(failure: QueryFailure) -> Response:
    if isinstance(failure, UnsupportedMediaType):
        return Response(status_code=failure.status, headers={"accept-post": f"{JSON}, {PROTO}"})
    code = _CODES.get(failure.status, "invalid_argument")
    return answers.json({"code": code, "message": failure.message}, failure.status)


DIALECT = Dialect(STOPPED, _failed)
