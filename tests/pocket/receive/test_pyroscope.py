import gzip
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import ASGIApp

from pocket.admission.bounds import Bounds
from pocket.asgi.body import BodyError
from pocket.config import Settings
from pocket.receive.messages import Profile, ProfilePush
from pocket.receive.pyroscope import decode, routes
from pocket.rows import ProfileSample
from pocket.store import Store, StoreFull

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
PROTO, LIMIT = "application/proto", 1 << 20
STRINGS = ["", "cpu", "nanoseconds", "main", "roll", "shake", "span_id", "ab"]


def pprof(now: int) -> Any:
    profile = Profile(string_table=STRINGS, time_nanos=now, duration_nanos=10**10)
    profile.sample_type.add(type=1, unit=2)
    profile.period_type.type, profile.period_type.unit = 1, 2
    for number, name in ((1, 3), (2, 4), (3, 5)):
        profile.function.add(id=number, name=name)
    profile.location.add(id=1).line.add(function_id=1)
    inlined = profile.location.add(id=2)  # shake inlined into roll
    inlined.line.add(function_id=3)
    inlined.line.add(function_id=2)
    profile.sample.add(location_id=[2, 1], value=[10])
    profile.sample.add(location_id=[2, 1], value=[5])
    profile.sample.add(location_id=[1], value=[3]).label.add(key=6, str=7)
    profile.sample.add(location_id=[1], value=[0])
    return profile


def push(raw: bytes) -> bytes:
    message = ProfilePush()
    series = message.series.add()
    for name, value in (("__name__", "process_cpu"), ("service_name", "roller"), ("__session_id__", "x")):
        series.labels.add(name=name, value=value)
    series.samples.add(rawProfile=raw)
    return bytes(message.SerializeToString())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_stacks_root_first_equal_ones_added_up(pack: Any, now: int, bounds: Bounds) -> None:
    rows = decode(push(pack(pprof(now).SerializeToString())), PROTO, bounds, LIMIT)
    assert rows == [
        ProfileSample(CPU, {"service_name": "roller"}, now // 10**6, ("main", "roll", "shake"), 15),
        ProfileSample(CPU, {"service_name": "roller", "span_id": "ab"}, now // 10**6, ("main",), 3),
    ]


def test_inlined_calls_cannot_multiply_a_stack(now: int, bounds: Bounds) -> None:
    profile = pprof(now)
    for _ in range(2000):
        profile.location[0].line.add(function_id=profile.location[0].line[0].function_id)
    profile.sample[0].location_id[:] = [profile.location[0].id] * 2000
    rows = decode(push(profile.SerializeToString()), PROTO, bounds, LIMIT)
    assert max(len(row.stack) for row in rows) == 1024


def test_indexes_that_point_nowhere_are_refused(now: int, bounds: Bounds) -> None:
    for change in ("location_id", "function", "string", "label"):
        profile = pprof(now)
        if change == "location_id":
            profile.sample[0].location_id[0] = 99
        elif change == "function":
            profile.location[0].line[0].function_id = 99
        elif change == "string":
            profile.function[0].name = 99
        else:
            profile.sample[2].label[0].str = 99
        with pytest.raises(BodyError, match="failed to parse pprof"):
            decode(push(profile.SerializeToString()), PROTO, bounds, LIMIT)


def test_times_and_sizes_are_bounded(now: int, bounds: Bounds) -> None:
    with pytest.raises(BodyError, match="history"):
        decode(push(pprof(5).SerializeToString()), PROTO, bounds, LIMIT)
    with pytest.raises(BodyError) as caught:
        decode(push(gzip.compress(bytes(LIMIT + 1))), PROTO, bounds, LIMIT)
    assert caught.value.status == 413


def test_http(connect: Callable[[ASGIApp], Any], store: Store, settings: Settings, now: int) -> None:
    app = Starlette(routes=routes(store, lambda: Bounds.now(settings), LIMIT))
    client = connect(app)
    path = "/push.v1.PusherService/Push"
    response = client.post(path, content=push(pprof(now).SerializeToString()), headers={"content-type": PROTO})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == PROTO
    store.flush()
    assert store.profiles.types() == [CPU]
    assert sum(s.value for s in store.profiles.select(CPU, [], 0, 1 << 60)) == 18
    response = client.post(path, content=b"\xff", headers={"content-type": PROTO})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_argument")
    assert client.post(path, content=b"{}", headers={"content-type": "application/json"}).json() == {}
    assert client.post(path, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(path, content=b"", headers={"content-type": "text/plain"}).status_code == 415


def test_a_push_that_comes_again_is_stored_once(
    connect: Callable[[ASGIApp], Any], store: Store, settings: Settings, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, append_profiles = [True], store.append_profiles

    def append(rows: list[ProfileSample]) -> None:
        if full.pop():
            raise StoreFull("full")
        append_profiles(rows)

    monkeypatch.setattr(store, "append_profiles", append)
    client = connect(Starlette(routes=routes(store, lambda: Bounds.now(settings), LIMIT)))

    def send(at: int) -> int:
        body = push(pprof(at).SerializeToString())
        response = client.post("/push.v1.PusherService/Push", content=body, headers={"content-type": PROTO})
        status: int = response.status_code
        return status

    assert send(now) == 503
    full[:] = [False] * 3
    assert [send(now), send(now), send(now + 10**6)] == [200] * 3
    store.flush()
    assert sum(s.value for s in store.profiles.select(CPU, [], 0, 1 << 60)) == 36
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "profiles", "reason": "repeated"}
        )
        == 2
    )
    assert store.own_metrics.value("pocket_refused_total", signal="profiles") == 1


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=40), at=st.integers(0, 150), wrap=st.booleans())
def test_any_bytes_are_refused_or_decoded(noise: bytes, at: int, wrap: bool) -> None:
    now = 1_800_000_000 * 10**9
    good = pprof(now).SerializeToString()
    broken = good[:at] + noise + good[at + len(noise) :]
    try:
        rows = decode(push(broken) if wrap else broken, PROTO, Bounds(0, 1 << 62), LIMIT)
    except BodyError as error:
        status = error.status
    else:
        status = 400
        assert all(-(1 << 63) <= row.value < 1 << 63 for row in rows)
    assert 400 <= status < 500
