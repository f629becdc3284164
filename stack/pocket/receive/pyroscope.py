"""Pyroscope push: the connect protocol's `/push.v1.PusherService/Push`, with pprof inside."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import islice
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pocket.receive.body import BodyError, inflate
from pocket.receive.bounds import Bounds
from pocket.receive.messages import Profile, ProfilePush
from pocket.rows import Labels, ProfileSample
from pocket.store import StoreFull
from pocket.store.recent import Recent

_PROTO, _JSON = "application/proto", "application/json"
_MAX_FRAMES = 1024  # of a row, however many each location has inlined
# Connect's codes (connectrpc.com/docs/protocol#error-codes).
_CODES = {400: "invalid_argument", 413: "resource_exhausted", 415: "invalid_argument", 503: "unavailable"}

Append = Callable[[list[ProfileSample]], None]


def routes(
    append: Append, bounds: Callable[[], Bounds], limit: int, repeated: Callable[[int], None] = lambda _: None
) -> list[Route]:
    """`limit` bounds an inflated pprof, in bytes; `repeated` is told of rows that were there already."""
    once = _once(append, repeated)

    async def push(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await request.body()
        try:
            once(body, await run_in_threadpool(decode, body, kind, bounds(), limit))
        except BodyError as error:
            return refuse(error.status, error.message)
        except StoreFull as error:
            return refuse(503, str(error))
        return Response(b"{}" if kind == _JSON else b"", media_type=kind)

    return [Route("/push.v1.PusherService/Push", push, methods=["POST"])]


def _once(append: Append, repeated: Callable[[int], None]) -> Callable[[bytes, list[ProfileSample]], None]:
    """`append`, unless the same request was appended before: a sender that had no answer sends it again.

    The whole request is the key, as rows are not unique: two processes of a service may share labels, time, stack
    and value. Runs on the event loop alone, so a request that comes twice at once is appended once.
    """
    requests = Recent(1000)  # 10 s apart and 6 services: about half an hour

    def once(body: bytes, rows: list[ProfileSample]) -> None:
        if not requests.add(body):
            return repeated(len(rows))
        try:
            append(rows)
        except StoreFull:
            requests.rolled_back()
            raise
        return requests.committed()

    return once


def refuse(status: int, message: str, _headers: object = None) -> Response:
    """An error as connect's unary calls have it."""
    return JSONResponse({"code": _CODES.get(status, "unknown"), "message": message}, status)


def decode(body: bytes, content_type: str, bounds: Bounds, limit: int) -> list[ProfileSample]:
    """The stacks of a push request; raises BodyError."""
    rows: list[ProfileSample] = []
    for series in _message(body, content_type).series:
        labels = {pair.name: pair.value for pair in series.labels}
        for sample in series.samples:
            rows += stacks(_pprof(sample.rawProfile, limit), labels, bounds)
    return rows


def _message(body: bytes, content_type: str) -> Any:
    try:
        if content_type == _PROTO:
            return ProfilePush.FromString(body)
        if content_type == _JSON:
            return json_format.Parse(body, ProfilePush(), ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError) as error:
        raise BodyError(400, f"unmarshal message: {error}"[:200]) from error
    raise BodyError(415, f"Content-Type must be {_PROTO} or {_JSON}")


def _pprof(raw: bytes, limit: int) -> Any:
    try:
        return Profile.FromString(inflate(raw, limit) if raw[:2] == b"\x1f\x8b" else raw)
    except DecodeError as error:
        raise BodyError(400, f"failed to parse pprof: {error}"[:200]) from error


def stacks(profile: Any, labels: Labels, bounds: Bounds) -> list[ProfileSample]:
    """One row a distinct stack and label set of each sample type; equal ones are added up.

    Source of the format: github.com/google/pprof/blob/main/proto/profile.proto. Raises BodyError if an index in it
    points nowhere.
    """
    t_ns = profile.time_nanos or time.time_ns()
    if not bounds.holds(t_ns):
        raise BodyError(400, "profile outside of the history kept")
    try:
        return _stacks(profile, labels, t_ns // 10**6)
    except (IndexError, KeyError) as error:
        raise BodyError(400, f"failed to parse pprof: no entry {error}") from error


def _stacks(profile: Any, labels: Labels, t_ms: int) -> list[ProfileSample]:
    strings = list(profile.string_table)
    types = _types(profile, labels.get("__name__", "process_cpu"), strings)
    frames = _frames(profile, strings)
    series = {name: value for name, value in labels.items() if not name.startswith("__")}
    totals: dict[tuple[str, frozenset[tuple[str, str]], tuple[int, ...]], int] = Counter()
    for sample in profile.sample:
        own = frozenset((strings[pair.key], strings[pair.str]) for pair in sample.label if pair.str)
        stack = tuple(sample.location_id)
        for profile_type, value in zip(types, sample.value, strict=False):
            if value:
                totals[profile_type, own, stack] += value
    names = {stack: _names(stack, frames) for _, _, stack in totals}
    return [
        ProfileSample(profile_type, {**series, **dict(own)}, t_ms, names[stack], value)
        for (profile_type, own, stack), value in totals.items()
        if -(1 << 63) <= value < 1 << 63
    ]


def _types(profile: Any, name: str, strings: list[str]) -> list[str]:
    """Pyroscope's ids: name:sample type:sample unit:period type:period unit."""
    period = f"{strings[profile.period_type.type]}:{strings[profile.period_type.unit]}"
    return [f"{name}:{strings[item.type]}:{strings[item.unit]}:{period}" for item in profile.sample_type]


def _frames(profile: Any, strings: list[str]) -> dict[int, list[str]]:
    """Function names by location id, innermost first: inlined calls make several of one location."""
    functions = {function.id: strings[function.name] for function in profile.function}
    found: dict[int, list[str]] = defaultdict(list)
    for location in profile.location:
        found[location.id] = [functions[line.function_id] for line in location.line]
    return dict(found)


def _names(stack: tuple[int, ...], frames: dict[int, list[str]]) -> tuple[str, ...]:
    """pprof has the leaf first, a row has the root first."""
    names = islice((name for location in stack for name in frames[location]), _MAX_FRAMES)
    return tuple(reversed(list(names)))
