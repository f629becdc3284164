"""The same samples and queries, here and in a real Prometheus 3, or in the record of what one answered."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pocket.api.prometheus.encode import query_data
from pocket.query import promql
from pocket.rows import STALE_NAN, Labels
from tests import golden

START = 1_700_000_000  # a whole minute it is not: subqueries' steps and ours differ

Data = list[tuple[Labels, list[tuple[float, float]]]]


@dataclass
class Pair:
    """Both engines over the same samples."""

    real: Any
    ours: Any

    @property
    def is_recorded(self) -> bool:
        return bool(golden.RECORD or self.real.recorded)

    def add(self, data: Data) -> None:
        """Remote write wants the samples of all series in the order of time, not series by series."""
        self.real.write(data)
        for labels, samples in data:
            self.ours.add(labels, samples)

    def instant(self, query: str, t: float) -> tuple[dict[str, Any], dict[str, Any]]:
        theirs = self.real.query("query", {"query": query, "time": t})
        return theirs, answer(lambda: promql.instant(self.ours, query, round(t * 1000)))

    def range(self, query: str, start: float, end: float, step: float) -> tuple[dict[str, Any], dict[str, Any]]:
        theirs = self.real.query("query_range", {"query": query, "start": start, "end": end, "step": step})
        first, last, every = (round(x * 1000) for x in (start, end, step))
        return theirs, answer(lambda: promql.range_matrix(self.ours, query, first, last, every))


def answer(evaluate: Any) -> dict[str, Any]:
    try:
        result = evaluate()
    except promql.QueryError as failure:
        return {"status": "error", "errorType": failure.kind, "error": failure.message}
    data = query_data(result)
    notes = result.annotations
    return {"status": "success", "data": data, "warnings": notes.warnings, "infos": notes.infos}


def series(seed: int, count: int, step: float, kind: str) -> list[tuple[float, float]]:
    """Half an hour and more of a counter with resets, or a gauge, with gaps, NaN, infinities and staleness."""
    rng = random.Random(seed)
    value, samples = float(rng.randrange(50)), []
    gap = range(rng.randrange(count), rng.randrange(count) + 30)
    for i in range(count):
        value = value + rng.choice([0, 1, 1, 2, 2.5]) if kind != "gauge" else rng.uniform(-100, 100)
        if kind == "counter" and rng.random() < 0.03:
            value = float(rng.randrange(3))
        given = value
        if kind == "gauge" and rng.random() < 0.02:
            given = rng.choice([math.nan, math.inf, -math.inf, 0.0])
        if i in gap:
            given = STALE_NAN
        if i not in gap or i == gap.start:
            samples.append((START + i * step, given))
    return samples


def dataset() -> Data:
    data: Data = []
    for i, (job, instance, status) in enumerate(
        (j, n, s) for j in ("api", "web") for n in ("a:1", "b:2") for s in ("200", "404", "500")
    ):
        labels = {"job": job, "instance": instance, "status": status}
        data.append(({"__name__": "http_requests_total", **labels}, series(i, 150, 15, "counter")))
        data.append(({"__name__": "memory_bytes", **labels}, series(100 + i, 150, 15, "gauge")))
    for job in ("api", "web"):
        data += histogram(job)
        data.append(
            ({"__name__": "up", "job": job, "instance": "a:1"}, [(START + i * 15, 1.0) for i in range(150)])
        )
        data.append(({"__name__": "version_info", "job": job, "version": f"v{len(job)}.{job[0]}"}, [(START, 1.0)]))
    ramp = [(START + i * 60.0, float(i)) for i in range(35)]
    data.append(({"__name__": "ramp", "n": "2"}, ramp))
    data.append(({"__name__": "ramp", "n": "10"}, [(t, -v / 3) for t, v in ramp]))
    data.append(({"__name__": "moments"}, [(START + i * 60.0, 1e8 * i + 951_782_400) for i in range(35)]))
    return data


def histogram(job: str) -> Data:
    rng = random.Random(job)
    bounds = [("0.1", 0.1), ("0.5", 0.5), ("1", 1.0), ("2.5", 2.5), ("+Inf", math.inf)]
    counts = dict.fromkeys([text for text, _ in bounds], 0.0)
    rows: dict[str, list[tuple[float, float]]] = {text: [] for text, _ in bounds}
    for i in range(150):
        for _ in range(rng.randrange(6)):
            observed = rng.expovariate(1)
            for text, bound in bounds:
                counts[text] += observed <= bound
        for text, count in counts.items():
            rows[text].append((START + i * 15, count))
    name = "request_duration_seconds_bucket"
    return [({"__name__": name, "job": job, "le": text}, samples) for text, samples in rows.items()]


@pytest.fixture(scope="module")
def pair(real_prometheus: Any, memory_source: Any) -> Pair:
    both = Pair(real_prometheus, memory_source())
    both.add(dataset())
    return both


QUERIES = Path(__file__).with_name("queries.txt").read_text().splitlines()
INSTANTS = [0, 200, 313, 600.5, 1000, 1493, 2240, 2700]
RANGES_OF_TIME = [(13, 2413, 60), (598, 1500, 7), (1000, 1000, 15)]  # start, end, step
# Less of it where a record is made or read: that of all has 6 MB.
RECORDED_INSTANTS = INSTANTS[::3]
RECORDED_RANGES = [(13, 2413, 300), (598, 1200, 67)]


@pytest.mark.parametrize("query", QUERIES)
def test_instant_queries_answer_as_prometheus(pair: Pair, query: str) -> None:
    for offset in RECORDED_INSTANTS if pair.is_recorded else INSTANTS:
        compare(*pair.instant(query, START + offset), keep_order=query.startswith("sort"))


@pytest.mark.parametrize("query", QUERIES)
def test_range_queries_answer_as_prometheus(pair: Pair, query: str) -> None:
    for start, end, step in RECORDED_RANGES if pair.is_recorded else RANGES_OF_TIME:
        compare(*pair.range(query, START + start, START + end, step), keep_order=False)


def compare(theirs: dict[str, Any], ours: dict[str, Any], *, keep_order: bool) -> None:
    assert (ours["status"], ours.get("errorType")) == (theirs["status"], theirs.get("errorType")), (theirs, ours)
    if theirs["status"] == "success":
        assert ours["data"]["resultType"] == theirs["data"]["resultType"]
        want, got = rows(theirs["data"], keep_order), rows(ours["data"], keep_order)
        assert [row[0] for row in got] == [row[0] for row in want]
        for (name, left), (_, right) in zip(want, got, strict=True):
            assert [t for t, _ in right] == [t for t, _ in left], name
            for (t, value), (_, mine) in zip(left, right, strict=True):
                assert close(value, mine), (name, t, value, mine)
    for kind in ("warnings", "infos"):
        assert notes(ours, kind) == notes(theirs, kind)
    if theirs.get("errorType") == "execution":
        assert ours["error"] == theirs["error"]


def notes(answer: dict[str, Any], kind: str) -> list[str]:
    """Without the number of samples told of monotonicity: 3.14 doubles it with every step, until it overflows."""
    return sorted(re.sub(r"over -?\d+ samples", "over samples", note) for note in answer.get(kind, []))


def rows(data: dict[str, Any], keep_order: bool) -> list[tuple[Any, list[tuple[float, str]]]]:
    """(labels, points) a series; a scalar or string is one without labels."""
    if data["resultType"] in ("scalar", "string"):
        return [((), [tuple(data["result"])])]
    found = [
        (tuple(sorted(row["metric"].items())), [tuple(p) for p in row.get("values", [row.get("value")])])
        for row in data["result"]
    ]
    return found if keep_order else sorted(found, key=lambda row: row[0])


def close(want: str, got: str) -> bool:
    """The last digits may differ where the processor's exp or log does."""
    if want == got:
        return True
    left, right = float(want), float(got)
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(left) and math.isnan(right))


FUNCTIONS = st.sampled_from(
    ["rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes", "avg_over_time",
     "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "stddev_over_time", "last_over_time"]
)  # fmt: skip
AGGREGATIONS = st.sampled_from(["sum", "avg", "min", "max", "count", "stddev", "group"])
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "^", ">", "<=", "== bool", "and", "or", "unless"])
RANGES = st.sampled_from(["20s", "1m", "3m", "7m"])


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    name = draw(st.sampled_from(["http_requests_total", "memory_bytes"]))
    label = draw(st.sampled_from(["", '{job="api"}', '{status=~"2..|5.."}', '{instance!="a:1"}']))
    offset = draw(st.sampled_from(["", " offset 1m", " offset -30s"]))
    if depth == 0:
        return f"{name}{label}{offset}"
    inner = draw(expressions(depth=depth - 1))
    return draw(
        st.sampled_from(
            [
                f"{draw(FUNCTIONS)}({name}{label}[{draw(RANGES)}]{offset})",
                f"{draw(AGGREGATIONS)} by (job) ({inner})",
                f"{draw(AGGREGATIONS)} without (status) ({inner})",
                f"({inner}) {draw(OPERATORS)} ({draw(expressions(depth=depth - 1))})",
                f"({inner}) {draw(OPERATORS).replace('and', '-').replace('or', '+').replace('unless', '*')} 3",
                f"{draw(FUNCTIONS)}(({inner})[{draw(RANGES)}:40s])",
            ]
        )
    )


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(query=expressions(), start=st.integers(0, 2000), step=st.sampled_from([11, 60]))
def test_made_queries_answer_as_prometheus(pair: Pair, query: str, start: int, step: int) -> None:
    step = 73 if pair.is_recorded else step
    theirs, ours = pair.range(query, START + start, START + start + 600, step)
    compare(theirs, ours, keep_order=False)
