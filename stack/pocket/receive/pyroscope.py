"""Pyroscope push: the connect protocol's `/push.v1.PusherService/Push`, with pprof inside."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import islice
from typing import Any

from anyio import CapacityLimiter, to_thread
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pocket.admission.bounds import Bounds
from pocket.admission.limits import NAME, ROWS, Allowance, wrong_labels
from pocket.asgi.body import BodyError, inflate
from pocket.receive.messages import Profile, ProfilePush
from pocket.receive.recent import Recent
from pocket.rows import Labels, ProfileSample
from pocket.store import Store, StoreError, StoreFull, TooLargeError

_PROTO, _JSON = "application/proto", "application/json"
_MAX_FRAMES = 1024  # of a row, however many each location has inlined
_Row = tuple[str, frozenset[tuple[str, str]], tuple[int, ...]]  # type, own labels, stack of location ids
# Connect's codes (connectrpc.com/docs/protocol#error-codes).
_CODES = {400: "invalid_argument", 413: "resource_exhausted", 415: "invalid_argument", 503: "unavailable"}


def routes(store: Store, bounds: Callable[[], Bounds], limit: int) -> list[Route]:
    """`limit` bounds an inflated pprof, in bytes."""
    once = _once(store)
    decoders = CapacityLimiter(1)

    async def push(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        body = await request.body()
        try:
            once(body, await to_thread.run_sync(decode, body, kind, bounds(), limit, limiter=decoders))
            await store.durable()
        except BodyError as error:
            return refuse(error.status, error.message)
        except TooLargeError as error:
            return refuse(413, str(error))
        except (StoreFull, StoreError) as error:
            store.own_metrics.refused.labels("profiles").inc()
            return refuse(503, str(error))
        return Response(b"{}" if kind == _JSON else b"", media_type=kind)

    return [Route("/push.v1.PusherService/Push", push, methods=["POST"])]


def _once(store: Store) -> Callable[[bytes, list[ProfileSample]], None]:
    """Appends, unless the same request was appended before: a sender that had no answer sends it again.

    The whole request is the key, as rows are not unique: two processes of a service may share labels, time, stack
    and value. Runs on the event loop alone, so a request that comes twice at once is appended once.
    """
    requests = Recent(1000)  # 10 s apart and 6 services: about half an hour

    def once(body: bytes, rows: list[ProfileSample]) -> None:
        if not requests.add(body):
            return store.own_metrics.dropped.labels("profiles", "repeated").inc(len(rows))
        try:
            store.append_profiles(rows)
        except (StoreFull, TooLargeError):
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
    allowance = Allowance()
    for series in _message(body, content_type).series:
        labels = {pair.name: pair.value for pair in series.labels}
        for sample in series.samples:
            made = stacks(_pprof(sample.rawProfile, limit), labels, bounds)
            allowance.take(len(made), sum(len(row.stack) for row in made))
            rows += made
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
    series = {name: value for name, value in labels.items() if not name.startswith("__")}
    totals = _totals(profile, types, strings)
    _check_labels(series, totals)
    names = _named({stack for _, _, stack in totals}, _frames(profile, strings))
    return [
        ProfileSample(profile_type, {**series, **dict(own)}, t_ms, names[stack], value)
        for (profile_type, own, stack), value in totals.items()
        if -(1 << 63) <= value < 1 << 63
    ]


def _totals(profile: Any, types: list[str], strings: list[str]) -> Counter[_Row]:
    totals: Counter[_Row] = Counter()
    if len(profile.sample) * len(types) > ROWS:
        raise BodyError(413, f"profile of more than {ROWS} samples")
    for sample in profile.sample:
        own = frozenset((strings[pair.key], strings[pair.str]) for pair in sample.label if pair.str)
        stack = tuple(sample.location_id)
        for profile_type, value in zip(types, sample.value, strict=False):
            if value:
                totals[profile_type, own, stack] += value
    return totals


def _check_labels(series: Labels, totals: Counter[_Row]) -> None:
    for profile_type, own in {(profile_type, own) for profile_type, own, _ in totals}:
        if wrong := wrong_labels({**series, **dict(own), "type": profile_type}):
            raise BodyError(400, f"profile {wrong}")


def _named(stacks: set[tuple[int, ...]], frames: dict[int, list[str]]) -> dict[tuple[int, ...], tuple[str, ...]]:
    allowance, names = Allowance(), {}
    for stack in stacks:
        names[stack] = _names(stack, frames)
        allowance.take(0, len(names[stack]))
    return names


def _types(profile: Any, name: str, strings: list[str]) -> list[str]:
    """Pyroscope's ids: name:sample type:sample unit:period type:period unit."""
    period = f"{strings[profile.period_type.type]}:{strings[profile.period_type.unit]}"
    return [f"{name}:{strings[item.type]}:{strings[item.unit]}:{period}" for item in profile.sample_type]


def _frames(profile: Any, strings: list[str]) -> dict[int, list[str]]:
    """Function names by location id, innermost first: inlined calls make several of one location."""
    functions = {function.id: strings[function.name][:NAME] for function in profile.function}
    found: dict[int, list[str]] = defaultdict(list)
    for location in profile.location:
        found[location.id] = [functions[line.function_id] for line in location.line]
    return dict(found)


def _names(stack: tuple[int, ...], frames: dict[int, list[str]]) -> tuple[str, ...]:
    """pprof has the leaf first, a row has the root first."""
    names = islice((name for location in stack for name in frames[location]), _MAX_FRAMES)
    return tuple(reversed(list(names)))
