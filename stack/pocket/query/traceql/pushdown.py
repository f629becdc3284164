"""What of a query the store can check before it hands out whole traces.

A condition may be pushed down if a trace without any span that fulfils it cannot be in the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pocket.query.traceql import ast
from pocket.query.traceql.ast import Kind, Status
from pocket.query.traceql.fields import KINDS, STATUSES

# Comparing what is missing with a value is false, whatever the operator.
_NEED_THE_ATTRIBUTE = {"=", "!=", ">", ">=", "<", "<=", "=~", "!~"}


@dataclass(frozen=True, slots=True)
class Filters:
    """The store's filters, all on one and the same span."""

    service: str | None = None
    name: str | None = None
    min_duration_ns: int = 0
    max_duration_ns: int | None = None
    status: int | None = None
    kind: int | None = None
    attributes: tuple[tuple[str, str | None], ...] = ()


def filters(query: ast.Query) -> Filters:
    return _of_element(query.pipeline.elements[0])


def _of_element(element: ast.Element) -> Filters:
    """A conjunction of spansets, or a relation with both sides, needs spans of either: one side is enough."""
    match element:
        case ast.SpansetFilter(condition):
            return _of_field(condition, Filters())
        case ast.Pipeline(elements):
            return _of_element(elements[0])
        case ast.SpansetOperation("||"):
            return Filters()
        case ast.SpansetOperation(op, left, right):
            right_filters = _of_element(right)
            return right_filters if right_filters != Filters() or op.startswith("!") else _of_element(left)
    return Filters()


def _of_field(node: ast.Field, found: Filters) -> Filters:
    match node:
        case ast.Binary("&&", left, right):
            return _of_field(right, _of_field(left, found))
        case ast.Binary("=", ast.Attribute("resource" | "", "service.name"), ast.Static("string", str() as text)):
            return replace(found, service=text) if node.left.scope else found  # type: ignore[union-attr]
        case ast.Binary(
            op, ast.Attribute("span", name), ast.Static(_, str() | bool() | int() | float() as value)
        ) if op in _NEED_THE_ATTRIBUTE:
            known = value if op == "=" and isinstance(value, str) else None
            return replace(found, attributes=(*found.attributes, (name, known)))
        case ast.Binary(op, ast.Intrinsic(name), ast.Static(_, value)):
            return _of_intrinsic(name, op, value, found)
    return found


def _of_intrinsic(name: str, op: str, value: object, found: Filters) -> Filters:
    match name, op, value:
        case "name", "=", str():
            return replace(found, name=value)
        case "status", "=", Status():
            return replace(found, status=STATUSES.index(value))
        case "kind", "=", Kind():
            return replace(found, kind=KINDS.index(value))
        case "duration", ">" | ">=", int():
            return replace(found, min_duration_ns=max(found.min_duration_ns, value))
        case "duration", "<" | "<=", int():
            ceiling = value if found.max_duration_ns is None else min(found.max_duration_ns, value)
            return replace(found, max_duration_ns=ceiling)
    return found
