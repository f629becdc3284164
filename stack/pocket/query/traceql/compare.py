"""`compare({…}, 10)`: how the values of every attribute are spread in the spans selected and in all others.

For each of the two sides, and each attribute, the most frequent values over time, and how often there was any
(Tempo's engine_metrics_compare.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pocket.budget import current, size_of
from pocket.query.traceql import ast, values
from pocket.query.traceql.evaluate import matches
from pocket.query.traceql.fields import compile_field
from pocket.query.traceql.series import BYTES_A_SERIES, BYTES_A_STEP, Series, Window, timed
from pocket.query.traceql.source import TraceSource
from pocket.query.traceql.trace import Trace
from pocket.rows import Span

_KIND = "__meta_type"
_BASELINE, _SELECTION = "baseline", "selection"
# What Tempo groups by besides attributes; neither ids, which are all different, nor durations.
_INTRINSICS = (
    "rootServiceName", "rootName", "instrumentation:name", "instrumentation:version", "name", "status",
    "statusMessage", "kind", "span:childCount",
)  # fmt: skip

Key = tuple[str, str, str]  # an attribute, the type and the text of a value


def series(source: TraceSource, query: ast.Query, compare: ast.Compare, steps: Window) -> list[Series]:
    """Series of values, then of totals; the baseline first, attributes by name."""
    selected = _selection(compare)
    sides = {_BASELINE: _Side(steps), _SELECTION: _Side(steps)}
    for trace, spansets in matches(source, query, steps.start_ns + 1, steps.end_ns):
        for span in _spans(spansets):
            side = sides[_SELECTION if selected(span, trace) else _BASELINE]
            side.add(steps.index(span.start_ns), _fields(span, trace))
    found = [item for name, side in sides.items() for item in side.values(name, compare.top)]
    return [*found, *(item for name, side in sides.items() for item in side.totals(f"{name}_total"))]


def _spans(spansets: Any) -> Iterator[Span]:
    for spanset in spansets:
        yield from spanset.spans


def _selection(compare: ast.Compare) -> Callable[[Span, Trace], bool]:
    """A span that the condition cannot be evaluated for belongs to the baseline."""
    condition = compile_field(compare.filter.condition)

    def run(span: Span, trace: Trace) -> bool:
        if compare.end_ns and not compare.start_ns < span.start_ns <= compare.end_ns:
            return False
        try:
            return condition(span, trace) is True
        except values.Impossible:
            return False

    return run


class _Side:
    """The selection or the baseline: how often each value was seen in each step."""

    def __init__(self, steps: Window) -> None:
        self._steps = steps
        self._seen: dict[Key, npt.NDArray[np.float64]] = {}
        self._texts: dict[Key, ast.Value] = {}
        self._any: dict[str, npt.NDArray[np.float64]] = {}

    def add(self, index: int, fields: Iterator[tuple[str, ast.Value]]) -> None:
        for name, value in fields:
            key = (name, values.go_type(value), str(value))
            if key not in self._seen:
                current().hold(BYTES_A_SERIES + size_of(*key) + self._steps.count * BYTES_A_STEP)
                self._seen[key], self._texts[key] = np.zeros(self._steps.count), value
            if name not in self._any:
                self._any[name] = np.zeros(self._steps.count)
            self._seen[key][index] += 1
            self._any[name][index] += 1

    def values(self, side: str, top: int) -> Iterator[Series]:
        sums: dict[str, Counter[Key]] = {}
        for key, counts in self._seen.items():
            sums.setdefault(key[0], Counter())[key] = int(counts.sum())
        for name in sorted(sums):
            current().check()
            for key, _ in sums[name].most_common(top):
                labels = ((_KIND, side), (name, self._texts[key]))
                yield timed(labels, self._steps, self._seen[key].tolist())

    def totals(self, side: str) -> Iterator[Series]:
        for name in sorted(self._any):
            yield timed(((_KIND, side), (name, None)), self._steps, self._any[name].tolist())


_RUN = [(name, compile_field(ast.Intrinsic(name))) for name in _INTRINSICS]


def _fields(span: Span, trace: Trace) -> Iterator[tuple[str, ast.Value]]:
    """Everything of a span that is compared, by the name TraceQL has for it; Tempo leaves out links."""
    for name, evaluate in _RUN:
        yield name, evaluate(span, trace)
    for scope, attributes in (
        ("resource", span.resource), ("instrumentation", span.scope_attributes), ("span", span.attributes),
        *(("event", event.attributes) for event in span.events),
    ):  # fmt: skip
        for name, value in attributes.items():
            if value is not None and not isinstance(value, dict):
                yield f"{scope}.{name}", value
