"""Loki push: JSON, or snappy-compressed protobuf (what Alloy and Promtail send)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import cramjam
import orjson
from anyio import CapacityLimiter, to_thread
from google.protobuf.message import DecodeError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pocket.admission.limits import NAME, VALUE, Allowance
from pocket.admission.log_entries import Sink
from pocket.asgi.body import BodyError
from pocket.receive.messages import LokiPush
from pocket.rows import Labels, LogEntry

MAX_LABELS = 15  # Loki's own limit (validation.Limits)

_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\\n]|\\.)*")\s*(,|$)')
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def routes(sink: Sink, limit: int) -> list[Route]:
    """POST /loki/api/v1/push. `limit` bounds a decompressed protobuf body, in bytes."""

    decoders = CapacityLimiter(1)  # a body of 16 MiB may become 400 MB of Python objects

    async def push(request: Request) -> Response:
        body = await request.body()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            entries = await to_thread.run_sync(decode, body, kind, limit, limiter=decoders)
            await sink(entries)
        except BodyError as error:
            return PlainTextResponse(error.message + "\n", error.status)
        return Response(status_code=204)

    return [Route("/loki/api/v1/push", push, methods=["POST"])]


def decode(body: bytes, content_type: str, limit: int) -> list[LogEntry]:
    """The entries of a push request; raises BodyError. As in Loki, anything but JSON is taken for protobuf."""
    allowance = Allowance()
    streams = _json_streams if content_type == "application/json" else partial(_protobuf_streams, limit=limit)
    entries = list(streams(body, allowance))
    if not entries:
        raise BodyError(422, "error at least one valid stream is required for ingestion")
    return entries


def _json_streams(body: bytes, allowance: Allowance) -> Iterator[LogEntry]:
    try:
        document = orjson.loads(body)
        streams = document["streams"]
        for stream in streams:
            labels = _checked(stream["stream"])
            allowance.take(len(stream["values"]))
            for value in stream["values"]:
                yield _json_entry(labels, *value)
    except orjson.JSONDecodeError as error:
        raise BodyError(400, f"couldn't parse push request: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BodyError(400, f"couldn't parse push request: {type(error).__name__} {error}"[:200]) from error


def _json_entry(labels: Labels, t_ns: str, line: str, metadata: Labels | None = None) -> LogEntry:
    if not isinstance(line, str) or not isinstance(t_ns, str) or isinstance(metadata, (list, str, int, bool)):
        raise TypeError('a value must be ["<ns>", "line", {"name": "value"}?]')
    extra = {str(key): text for key, text in (metadata or {}).items()}
    if not all(isinstance(text, str) for text in extra.values()):
        raise TypeError("structured metadata must be strings")
    return LogEntry(labels, int(t_ns), line, extra)


def _protobuf_streams(body: bytes, allowance: Allowance, limit: int) -> Iterator[LogEntry]:
    try:
        for stream in LokiPush.FromString(unsnappy(body, limit)).streams:
            labels = _checked(parse_labels(stream.labels))
            allowance.take(len(stream.entries))
            for entry in stream.entries:
                yield _protobuf_entry(labels, entry)
    except DecodeError as error:
        raise BodyError(400, f"couldn't parse push request: {error}") from error


def _protobuf_entry(labels: Labels, entry: Any) -> LogEntry:
    t_ns = entry.timestamp.seconds * 10**9 + entry.timestamp.nanos
    return LogEntry(labels, t_ns, entry.line, {pair.name: pair.value for pair in entry.structuredMetadata})


def unsnappy(body: bytes, limit: int) -> bytes:
    """Raw snappy to plain; its length stands in front, so a bomb is refused before it is inflated."""
    try:
        if cramjam.snappy.decompress_raw_len(body) > limit:
            raise BodyError(413, f"request body too large, limit: {limit} bytes")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise BodyError(400, f"couldn't decompress push request: {error}") from error


def parse_labels(text: str) -> Labels:
    """`{a="b", c="d"}` to labels; the strings are quoted as in Go."""
    labels: Labels = {}
    inner = text.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise BodyError(400, f"error parsing labels '{text[:200]}' with error: braces expected")
    inner, position = inner[1:-1].strip(), 0
    while position < len(inner):
        match = _LABEL.match(inner, position)
        if match is None:
            raise BodyError(400, f"error parsing labels '{text[:200]}' with error: at character {position + 1}")
        labels[match[1]] = _unquote(match[2])
        position = match.end()
    return labels


def _unquote(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (ValueError, SyntaxError) as error:
        raise BodyError(400, f"error parsing labels with error: {text[:100]} is not a string") from error


def _checked(labels: Any) -> Labels:
    if not isinstance(labels, dict) or not labels:
        raise BodyError(400, "error at least one label pair is required per stream")
    if len(labels) > MAX_LABELS:
        raise BodyError(400, f"entry for stream has {len(labels)} label names; limit {MAX_LABELS}")
    for name, value in labels.items():
        if not isinstance(value, str) or not _NAME.fullmatch(name):
            raise BodyError(400, f"error parsing labels with error: invalid label {name[:100]!r}")
        if len(name) > NAME or len(value) > VALUE:
            raise BodyError(400, f"stream has label name or value too long: '{name[:100]}'")
    return {"service_name": "unknown_service", **labels}
