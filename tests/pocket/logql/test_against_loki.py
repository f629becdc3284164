# ruff: noqa: E501 - a case a line reads best
"""The same lines and the same requests, to Loki itself and to the twin.

Left different, on purpose: ties in topk (Loki's order is random), the text of regexp faults beyond the first colon,
which line and which labels a pipeline error names, and an avg_over_time that Loki rewrites to a count which fails.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from pocket.api import loki
from pocket.config import Settings
from pocket.rows import LogEntry
from pocket.store import Store

S = 10**9
FOR_EVER = 10**10  # a record is of long ago
A, P, N, ALL = (
    '{service_name="dice-roller"}',
    '{service_name="app"}',
    '{service_name="nginx"}',
    '{service_name=~".+"}',
)
ROLLS = A + ' | json | unwrap roll_value | __error__=""'

LOGS = [
    A + ' | json | line_format "{{ div 1 0 }}"', A + ' | json | line_format "{{ trunc .die_type 5 }}"', A + ' | json | line_format "{{ __timestamp__.Nope }}"', A + ' | label_format l="{{ upper 5 }}"',
    A + ' | line_format "{{ unixToTime `1673798889` }} {{ (toDate `2006-01-02` `2024-02-29`).Weekday }} {{ toDateInZone `2006-01-02` `Asia/Tokyo` `2024-02-29` }} {{ nindent 2 `a` }} {{ (__timestamp__).Year | lt 2000 }}"',
    N + ' |= ip("10.0.0.1")', N + ' != ip("10.0.0.0/31")', N + ' |= ip("10.0.0.2-10.0.0.9") or "GET"', N + ' | pattern "<addr> <_>" | addr=ip("10.0.0.0/31")',
    N + ' | pattern "<addr> <_>" | addr!=ip("10.0.0.1")', A + " | unpack", A + " | json | roll_value > 0x1p2", A + " | json | roll_value > 1_0", A + ' | json age="missing.path"',
    A, P, N, ALL, '{service_name!=""}', A + ' |= "rolled"', A + ' != "rolled"', A + ' |~ "roll.*fair"', A + ' !~ "rolled|slow"',
    A + ' |= "rolled" or "slow"', A + ' != "rolled" or "slow"', A + ' |= `"ok":true`', A + ' |> "<_>rolled<_>"', A + ' !> "<_>rolled<_>"',
    A + ' |= ""', A + ' |~ "(?i)ROLLED"', A + ' |~ "\\\\d{2}ms"', A + " | json", A + " | json | roll_value > 4", A + " | json | took > 1s",
    A + " | json | size > 2KB", A + ' | json | die_type="fair" or die_type="risky" and roll_value > 5', A + ' | json | __error__!=""',
    A + ' | json | __error_details__ =~ ".+"', A + ' | trace_id="a2"', A + ' | json | trace_id="a4" | trace_id_extracted="mine"',
    A + ' | json die="die_type", n="nested.a", l="nested.list[1]", ll="nested.list", no="nope", nul="nothing"', A + ' | json x="[\\"die-type\\"]"',
    A + " | json | message > 5", A + " | json | nope > 5", A + ' | json | nope != "x"', A + " | json | logfmt", P + " | logfmt | json",
    P + " | logfmt", P + " | logfmt --strict", P + " | logfmt --strict --keep-empty", P + ' | logfmt msg, s="status"', P + " | logfmt | duration > 100ms",
    P + " | logfmt | bytes > 1MB", P + ' | logfmt | level="error" | line_format "{{.msg}} ({{.status}})"', P + " | decolorize",
    P + ' | logfmt | keep level="error", service_name', P + ' | logfmt | drop level="error"', A + " | json | drop __error__, __error_details__",
    N + ' | pattern `<ip> - - <_> "<method> <path> <_>" <status> <size>`', N + ' | regexp `(?P<ip>\\S+) .*"(?P<method>\\w+) (?P<path>\\S+)`',
    N + " | pattern `<_> <_> <_> <_> \"<method> <_>\" <status> <_>` | label_format code=status, verb=`{{.method | ToLower}}`",
    A + ' | json | line_format "{{ .message | upper }} {{ if eq .die_type \\"fair\\" }}F{{ else }}R{{ end }} {{ add 1 2 }} {{ trunc 3 .message }} {{ __line__ | len }}"',
    A + ' | json | label_format trace_id=span_id', A + ' | json | label_format level="{{.die_type}}"', A + ' | detected_level="warn"',
    A + ' | json | line_format "{{ .roll_value | float64 | mulf 2.5 }} {{ .roll_value | int }} {{ div 7 2 }} {{ round 3.14159 2}} {{ default \\"none\\" .nope }}"',
]  # fmt: skip
METRICS = [
    f'sum by (age)(count_over_time({A} | json age="missing.path" | __error__="" [1m]))', f"count_over_time({P} | logfmt --keep-empty [1m])", f"sum by (empty, flag)(count_over_time({P} | logfmt --keep-empty [1m]))",
    f"sum by (roll_value)(count_over_time({A} |= `{{` | json [1m]))", "vector(0x1.8p1)",
    f"rate({A}[1m])", f"count_over_time({A}[30s])", f"sum(count_over_time({A}[1m]))", f"sum by (service_name,level)(rate({ALL}[2m]))",
    f"bytes_rate({N}[1m])", f"bytes_over_time({P}[1m])", f"sum without (trace_id, span_id)(count_over_time({A}[1m]))", f"absent_over_time({A}[10s])",
    f"sum(count_over_time({A} | json [1m]))", f'sum by (die_type)(count_over_time({A} | json | __error__="" [1m]))', f"sum_over_time({ROLLS}[1m])",
    f"max_over_time({ROLLS}[2m]) by (die_type)", f"first_over_time({ROLLS}[2m]) by (die_type)", f"last_over_time({ROLLS}[2m]) by (die_type)",
    f"quantile_over_time(0.9, {ROLLS}[2m]) by (die_type)", f"stddev_over_time({ROLLS}[2m]) by (die_type)", f"rate({ROLLS}[2m])", f"rate_counter({ROLLS}[2m])",
    f'sum(sum_over_time({A} | json | unwrap duration(took) | __error__="" [2m]))', f'sum(sum_over_time({A} | json | unwrap bytes(size) | __error__="" [2m]))',
    f"avg_over_time({P} | logfmt | unwrap status [1m]) without (level)", f"sort_desc(sum by (service_name)(count_over_time({ALL}[1m])))",
    f"stdvar by (service_name)(count_over_time({ALL}[2m]))", f'sum(rate({A} |= "rolled" [1m])) / sum(rate({A}[1m]))',
    f"sum by (level)(rate({A}[1m])) / ignoring(level) group_left sum(rate({A}[1m]))", f"sum by (level)(count_over_time({A}[1m])) > bool 1",
    f"1 < sum by (level)(count_over_time({A}[1m]))", f"sum(count_over_time({A}[1m])) / 0", f"2 ^ sum(count_over_time({A}[1m])) - 1",
    f'sum by (level)(count_over_time({A}[1m])) unless sum by (level)(count_over_time({A} |= "slow"[1m]))', f"sum(count_over_time({A} |= `x` [1m])) or vector(0)",
    "vector(1)+vector(1)", f'label_replace(sum by (level)(count_over_time({A}[1m])), "lvl", "$1-x", "level", "(.*)ing")', f"sum(count_over_time({A}[1m] offset 1m))",
    f"sum by (level, detected_level)(count_over_time({ALL} | drop __error__[1m]))", f"count_over_time({A} | json [1m])",
]  # fmt: skip
FAULTS = [
    '{a="b"} | logfmt x="b.c"', '{a="b"} | logfmt x="x y"', '{a="b"} | logfmt --strict x=""', '{a="b"} | regexp "(?P<x>.)(?P<x>.)"', '{a="b"} | json | a > 0x10', "vector(0x10)", "0x10 + 1",
    '{a="b"} |= ip("nope")', '{a="b"} |~ ip("10.0.0.1")', '{a="b"} | x = ip("10.0.0.0/99")', '{a="b"} | x != ip("2-1")',
    "", "foo", "{", '{a="b"', '{a="b"} |', '{a="b"} | json | foo', '{a="b"} |= "x', 'rate({a="b"})', 'rate({a="b"}[5x])', 'rate({a="b"}[5m', 'sum({a="b"})',
    '{a=~".*"}', "{}", '{a=~"("}', '{a="b"} |~ "("', '{a="b"} | regexp "(.*)"', '{a="b"} | pattern "x"', '{a="b"} | line_format "{{.x"', '{a="b"} | label_format a=b,a=c',
    '{a="b"} + 1', "1 and vector(1)", 'count_over_time({a="b"} | unwrap x [1m])', 'sum_over_time({a="b"}[1m])', 'topk({a="b"})', 'topk(0,rate({a="b"}[1m]))',
    'rate({a="b"}[1m]) by (x)', '{a="b",}', '{a=="b"}', '{a="b"} {c="d"}', '{a="b"} | logfmt --x', '{a="b"}[5m]', '{a="\\q"}', '{a="b"}\n| json\n| x >',
]  # fmt: skip
BAD = [
    {"limit": "x"}, {"limit": "-1"}, {"limit": "5001"}, {"direction": "up"}, {"step": "0"}, {"step": "x"}, {"step": "0.001"}, {"interval": "-1"}, {"since": "x"},
    {"start": "x"}, {"start": "2020-01-01T00:00:00Z"},
]  # fmt: skip
Loki = tuple[httpx.Client, int, list[LogEntry]]


@pytest_asyncio.fixture
async def twin(real_loki: Loki, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(data_dir=tmp_path, retention_seconds=FOR_EVER)
    store = Store(settings)
    store.append_logs(real_loki[2])
    store.flush()
    transport = httpx.ASGITransport(loki.app(store, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://twin") as client:
        yield client
    store.close()


async def same(
    real: httpx.Client, twin: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None, **query: Any
) -> None:
    theirs = await asyncio.to_thread(real.get, "/loki/api/v1/" + path, params=query, headers=headers)
    ours = await twin.get("/loki/api/v1/" + path, params=query, headers=headers)
    assert ours.status_code == theirs.status_code, (query, theirs.text, ours.text)
    if theirs.status_code == 200:
        assert_alike(normal(ours.json()["data"]), normal(theirs.json()["data"]), str(query))
    else:
        assert ours.text == theirs.text, query


def normal(data: dict[str, Any]) -> Any:
    """Without statistics, and series in one order."""
    found = {key: value for key, value in data.items() if key != "stats"}
    found["result"] = sorted(
        found["result"], key=lambda item: json.dumps(item.get("metric", item.get("stream")), sort_keys=True)
    )
    return found


def assert_alike(ours: Any, theirs: Any, where: str) -> None:
    """Equal, but for the last digits of numbers."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_alike(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (where, ours, theirs)
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_alike(*pair, f"{where}[{index}]")
    elif ours != theirs:
        assert math.isclose(float(ours), float(theirs), rel_tol=1e-12), (where, ours, theirs)


@pytest.mark.parametrize("encoding", ["", "categorize-labels"])
async def test_log_queries(real_loki: Loki, twin: httpx.AsyncClient, encoding: str) -> None:
    real, base, _ = real_loki
    headers = {"X-Loki-Response-Encoding-Flags": encoding} if encoding else None
    for text in LOGS:
        await same(real, twin, "query_range", headers, query=text, start=base, end=base + 600 * S, limit=1000)
    for options in (
        {"limit": 7},
        {"limit": 7, "direction": "forward"},
        {"interval": 30},
        {"start": base + 12 * S, "end": base + 60 * S},
    ):
        await same(
            real, twin, "query_range", headers, **{"query": A, "start": base, "end": base + 600 * S} | options
        )


async def test_metric_queries(real_loki: Loki, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_loki
    for text in METRICS:
        await same(real, twin, "query_range", query=text, start=base, end=base + 300 * S, step="15s")
        await same(real, twin, "query", query=text, time=base + 130 * S)
    for step in ("20s", "7s", "60000ms", "24h"):
        await same(
            real,
            twin,
            "query_range",
            query=METRICS[2],
            start=base + 7 * S + 123456789,
            end=base + 303 * S,
            step=step,
        )


async def test_faults(real_loki: Loki, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_loki
    for text in FAULTS:
        await same(real, twin, "query_range", query=text, start=base, end=base + 300 * S, step=15)
    for options in BAD:
        given: dict[str, Any] = {"query": A, "start": base, "end": base + 300 * S, **options}
        await same(real, twin, "query_range", **given)
    await same(real, twin, "query", query=A)


async def test_labels_and_series(real_loki: Loki, twin: httpx.AsyncClient) -> None:
    real, base, _ = real_loki
    span = {"start": base, "end": base + 300 * S}
    for path in ("labels", "label/service_name/values", "label/nope/values", "label/level/values", "series"):
        for query in (
            {},
            {"query": A},
            {"match[]": A},
            {"match[]": '{level="info"}'},
            {"query": "{"},
            {"match[]": "{"},
        ):
            theirs = await asyncio.to_thread(real.get, "/loki/api/v1/" + path, params={**span, **query})
            ours = await twin.get("/loki/api/v1/" + path, params={**span, **query})
            assert ours.status_code == theirs.status_code
            if theirs.status_code == 200:
                key = lambda item: json.dumps(item, sort_keys=True)  # noqa: E731
                assert sorted(ours.json().get("data", []), key=key) == sorted(
                    theirs.json().get("data", []), key=key
                )
            else:
                assert ours.text == theirs.text
