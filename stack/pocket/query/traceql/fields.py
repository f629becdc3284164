"""Field expressions → functions of a span in its trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pocket.query.traceql import ast, values
from pocket.query.traceql.ast import Duration, Kind, Status, Value
from pocket.query.traceql.trace import Trace
from pocket.rows import Span

Evaluate = Callable[[Span, Trace], Value]

KINDS = (Kind.UNSPECIFIED, Kind.INTERNAL, Kind.SERVER, Kind.CLIENT, Kind.PRODUCER, Kind.CONSUMER)
STATUSES = (Status.UNSET, Status.OK, Status.ERROR)


def compile_field(node: ast.Field) -> Evaluate:
    """The function that evaluates `node`; a type error at run time is a value of its own (False or None)."""
    match node:
        case ast.Static():
            value = node.value
            return lambda _span, _trace: value
        case ast.Attribute():
            return _attribute(node)
        case ast.Intrinsic(name):
            return _INTRINSICS[name]
        case ast.Unary(_, operand):
            return _unary(node, compile_field(operand))
        case ast.Binary(op, left, right):
            run = _binary(op, compile_field(left), compile_field(right))
            return _strict(left, right, run) if op in _COMPARISONS else run


_COMPARISONS = ("=", "!=", ">", ">=", "<", "<=")


def _strict(left: ast.Field, right: ast.Field, run: Evaluate) -> Evaluate:
    """An attribute compared with a number must be of its type: Tempo keeps integers and floats apart."""
    for attribute, static in ((left, right), (right, left)):
        if (
            isinstance(attribute, ast.Attribute)
            and isinstance(static, ast.Static)
            and static.type in ("int", "float")
        ):
            evaluate, other = compile_field(attribute), float if static.type == "int" else int
            return lambda span, trace: not isinstance(evaluate(span, trace), other) and run(span, trace) is True
    return run


def _unary(node: ast.Unary, operand: Evaluate) -> Evaluate:
    match node.op:
        case "exists":
            return lambda span, trace: operand(span, trace) is not None
        case "missing":
            return _missing(node.operand, operand)
        case "!":
            return lambda span, trace: _inverse(node, operand(span, trace))
    return lambda span, trace: _negative(node, operand(span, trace))


def _inverse(node: ast.Unary, value: Value) -> Value:
    """What is missing is nothing, as Tempo does not even fetch the span; another type ends the query."""
    if value is not None and not isinstance(value, bool):
        raise values.Impossible(f"expression ({node}) expected a boolean, but got {values.go_type(value)}")
    return None if value is None else not value


def _negative(node: ast.Unary, value: Value) -> Value:
    if value is not None and values.type_of(value) != "number":
        raise values.Impossible(f"expression ({node}) expected a numeric, but got {values.go_type(value)}")
    if value is None:
        return None
    return Duration(-value) if isinstance(value, Duration) else -value  # type: ignore[operator]


def _binary(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op == "&&":
        return lambda span, trace: left(span, trace) is True and right(span, trace) is True
    if op == "||":
        return lambda span, trace: left(span, trace) is True or right(span, trace) is True

    return lambda span, trace: values.operate(op, left(span, trace), right(span, trace))


# ---- attributes
def _missing(node: ast.Field, operand: Evaluate) -> Evaluate:
    """`= nil`: something has attributes in the scope, and this is none of them. One event or link is enough.

    Without a scope it is enough that the span or its resource lacks it, as Tempo looks for it in both.
    """
    if not isinstance(node, ast.Attribute):
        return lambda span, trace: operand(span, trace) is None
    name, owners = node.name, _OWNERS[node.scope]
    return lambda span, _: any(attributes and name not in attributes for attributes in owners(span))


_OWNERS: dict[str, Callable[[Span], Iterable[dict[str, Any]]]] = {
    "span": lambda span: (span.attributes,),
    "resource": lambda span: (span.resource,),
    "instrumentation": lambda span: (span.scope_attributes,),
    "event": lambda span: (event.attributes for event in span.events),
    "link": lambda span: (link.attributes for link in span.links),
    "": lambda span: (span.attributes, span.resource),
}


def _attribute(node: ast.Attribute) -> Evaluate:
    name = node.name
    match node.scope:
        case "span":
            return lambda span, _: span.attributes.get(name)
        case "resource":
            return lambda span, _: span.resource.get(name)
        case "event":
            return lambda span, _: _several(event.attributes.get(name) for event in span.events)
        case "link":
            return lambda span, _: _several(link.attributes.get(name) for link in span.links)
        case "instrumentation":
            return lambda span, _: span.scope_attributes.get(name)
    return lambda span, _: _anywhere(span, name)


def _anywhere(span: Span, name: str) -> Value:
    """Without a scope: the span's own attribute, else the resource's, an event's, a link's."""
    for attributes in (span.attributes, span.resource):
        if name in attributes:
            value: Value = attributes[name]
            return value
    found = _several(event.attributes.get(name) for event in span.events)
    return found if found is not None else _several(link.attributes.get(name) for link in span.links)


def _several(found: Any) -> Value:
    """None, the one value, or an array of them: a condition on events holds if any event fulfils it."""
    present = [value for value in found if value is not None]
    if len(present) < 2:
        return present[0] if present else None
    return present


# ---- intrinsics
def _kind(span: Span, _: Trace) -> Kind:
    return KINDS[span.kind] if 0 <= span.kind < len(KINDS) else Kind.UNSPECIFIED


def _status(span: Span, _: Trace) -> Status:
    return STATUSES[span.status] if 0 <= span.status < len(STATUSES) else Status.UNSET


_INTRINSICS: dict[str, Evaluate] = {
    "duration": lambda span, _: Duration(span.duration_ns),
    "name": lambda span, _: span.name,
    "kind": _kind,
    "status": _status,
    "statusMessage": lambda span, _: span.status_message,
    "span:id": lambda span, _: span.span_id,
    "span:parentID": lambda span, _: span.parent_span_id,
    "span:childCount": lambda span, trace: len(trace.children.get(span.span_id, ())),
    "trace:id": lambda _, trace: trace.trace_id,
    "traceDuration": lambda _, trace: Duration(trace.duration_ns),
    "rootName": lambda _, trace: trace.root_name,
    "rootServiceName": lambda _, trace: trace.root_service,
    "nestedSetLeft": lambda span, trace: trace.bound(span)[0],
    "nestedSetRight": lambda span, trace: trace.bound(span)[1],
    "nestedSetParent": lambda span, trace: trace.bound(span)[2],
    "event:name": lambda span, _: _several(event.name for event in span.events),
    "event:timeSinceStart": lambda span, _: _several(
        Duration(event.t_ns - span.start_ns) for event in span.events
    ),
    "link:traceID": lambda span, _: _several(link.trace_id for link in span.links),
    "link:spanID": lambda span, _: _several(link.span_id for link in span.links),
    "instrumentation:name": lambda span, _: span.scope_name,
    "instrumentation:version": lambda span, _: span.scope_version,
}
