"""Answers in Loki's JSON (pkg/util/marshal): streams, matrix, vector, scalar."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from pocket.api import answers
from pocket.api.loki.parameters import CATEGORIZE
from pocket.query.logql import Stream

Json = dict[str, Any]
LabelKey = tuple[tuple[str, str], ...]


def number(value: float) -> str:
    """As Prometheus' SampleValue prints it: shortest, never with an exponent."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def seconds(t_ns: int) -> float | int:
    """Unix seconds with milliseconds, whole where they are."""
    ms = t_ns // 10**6
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def success(data: Any) -> Response:
    """The envelope of every answer with data."""
    return answers.json({"status": "success", "data": data})


def result(kind: str, values: Any, summary: Mapping[str, Any], *, categorize: bool = False) -> Response:
    """A query's answer. `stats` holds what this process measures: Loki's has many more fields."""
    flags = {"encodingFlags": [CATEGORIZE]} if categorize else {}
    return success({"resultType": kind, **flags, "result": values, "stats": {"summary": dict(summary)}})


def streams(found: Iterable[Stream], *, categorize: bool) -> list[Json]:
    return [stream(item, categorize=categorize) for item in found]


def stream(found: Stream, *, categorize: bool) -> Json:
    """`values` are `[ns, line]`, with `{structuredMetadata, parsed}` as third if categories were asked for."""
    if not categorize:
        return {"stream": found.labels, "values": [[str(line.t_ns), line.text] for line in found.lines]}
    values = []
    for line in found.lines:
        extra: Json = {"structuredMetadata": line.metadata} if line.metadata else {}
        if line.parsed:
            extra["parsed"] = line.parsed
        values.append([str(line.t_ns), line.text, extra])
    return {"stream": found.labels, "values": values}


def matrix(series: Mapping[LabelKey, list[tuple[int, float]]]) -> list[Json]:
    """`(t_ns, value)` points → `[seconds, text]`."""
    return [
        {"metric": dict(labels), "values": [[seconds(t), number(value)] for t, value in points]}
        for labels, points in series.items()
    ]


def vector(samples: Mapping[LabelKey, float], t_ns: int) -> list[Json]:
    """All at one time, in Unix ns."""
    return [{"metric": dict(labels), "value": [seconds(t_ns), number(value)]} for labels, value in samples.items()]
