"""Trace search: a query over the traces of a time range, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pocket.budget import current
from pocket.query.traceql import ast, values
from pocket.query.traceql.evaluate import matches
from pocket.query.traceql.fields import Evaluate, compile_field
from pocket.query.traceql.source import TraceSource
from pocket.query.traceql.spansets import Spanset
from pocket.query.traceql.trace import Trace
from pocket.rows import Span

SECOND = 10**9
BYTES_A_SPAN = 2000  # of the services here, with attributes and events


@dataclass(slots=True)
class Match:
    """A trace, the spansets of it that the query selects, and the fields of each span that the query names."""

    trace: Trace
    spansets: list[Spanset]
    fields: dict[str, Shown]


def search(
    source: TraceSource,
    query: ast.Query,
    start_ns: int,
    end_ns: int,
    *,
    limit: int,
) -> list[Match]:
    """At most `limit` traces; spans must start in [start, end). Raises Impossible."""
    fields = named_fields(query)
    found: list[Match] = []
    for trace, spansets in matches(source, query, start_ns, end_ns):
        current().hold(len(trace.spans) * BYTES_A_SPAN)
        found.append(Match(trace, spansets, fields))
        if len(found) >= limit:
            break
    return sorted(found, key=lambda match: -match.trace.start_ns)


# ---- the fields that a search shows
# Known of every result already, or shown in places of their own.
_SHOWN_ANYWAY = {"duration", "traceDuration", "rootServiceName", "rootName", "trace:id", "span:id"}
_COMPARISONS = {"=", "!=", ">", ">=", "<", "<=", "=~", "!~"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of a result, and the conditions of which one must hold for it to be shown (None: always)."""

    evaluate: Evaluate
    conditions: tuple[tuple[str, ast.Static], ...] | None

    def value(self, span: Span, trace: Trace) -> ast.Value:
        """None if it is not shown; of an array the elements that fulfil a condition."""
        value = self.evaluate(span, trace)
        if self.conditions is None:
            return value
        if not isinstance(value, list):
            return value if self._holds(value) else None
        kept: list[object] = [item for item in value if self._holds(item)]  # type: ignore[arg-type]
        return kept[0] if len(kept) == 1 else kept or None  # type: ignore[return-value]

    def _holds(self, value: ast.Value) -> bool:
        return any(values.operate(op, value, static.value) is True for op, static in self.conditions or ())


def named_fields(query: ast.Query) -> dict[str, Shown]:
    """The attributes and intrinsics that the query mentions, by their key in the answer, in their order."""
    conditions: dict[ast.Named, tuple[tuple[str, ast.Static], ...] | None] = {}
    for node, condition in _mentioned(query.pipeline):
        known = conditions.get(node, ())
        conditions[node] = None if condition is None or known is None else (*known, condition)
    return {
        node.name: Shown(compile_field(node), found)
        for node, found in conditions.items()
        if not (isinstance(node, ast.Intrinsic) and node.name in _SHOWN_ANYWAY)
    }


def _mentioned(node: object) -> Iterator[tuple[ast.Named, tuple[str, ast.Static] | None]]:
    """Fields with the comparison they stand in, if it is one with a literal."""
    match node:
        case ast.Attribute() | ast.Intrinsic():
            yield node, None
        case ast.Binary(op, (ast.Attribute() | ast.Intrinsic()) as named, ast.Static() as static) if (
            op in _COMPARISONS
        ):
            yield named, (op, static)
        case ast.Pipeline(elements) | ast.Select(elements):
            for element in elements:
                yield from _mentioned(element)
        case ast.SpansetFilter(inner) | ast.Group(inner) | ast.Unary(_, inner) | ast.Aggregate(_, inner):
            yield from _mentioned(inner)
        case ast.ScalarFilter(aggregate):
            yield from _mentioned(aggregate)
        case ast.SpansetOperation(_, left, right) | ast.Binary(_, left, right):
            yield from _mentioned(left)
            yield from _mentioned(right)
