"""Pipelines of spansets over one trace (Tempo's ast_execute.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pocket.query.traceql import ast, structure, values
from pocket.query.traceql.ast import Value
from pocket.query.traceql.fields import Evaluate, compile_field
from pocket.query.traceql.trace import Trace
from pocket.query.traceql.values import Impossible
from pocket.rows import Span


@dataclass(slots=True)
class Spanset:
    spans: list[Span]
    attributes: dict[str, Value] = field(default_factory=dict)  # from by() and aggregates

    def having(self, spans: list[Span]) -> Spanset:
        return Spanset(spans, dict(self.attributes))


Step = Callable[[list[Spanset], Trace], list[Spanset]]


def compile_pipeline(pipeline: ast.Pipeline) -> Step:
    """The function that runs all elements one after the other."""
    steps = [_compile(element) for element in pipeline.elements]

    def run(spansets: list[Spanset], trace: Trace) -> list[Spanset]:
        for step in steps:
            spansets = step(spansets, trace) if spansets else []
        return spansets

    return run


def _compile(element: ast.Element) -> Step:
    match element:
        case ast.SpansetFilter(condition):
            return _filter(compile_field(condition))
        case ast.SpansetOperation(op, left, right):
            return _operation(op, _compile(left), _compile(right))
        case ast.Pipeline():
            return compile_pipeline(element)
        case ast.ScalarFilter():
            return _scalar_filter(element)
        case ast.Group(by):
            return _group(str(element), compile_field(by))
        case ast.Coalesce():
            return lambda spansets, _: [Spanset([span for item in spansets for span in item.spans])]
        case ast.Select():
            return lambda spansets, _: spansets


def _filter(condition: Evaluate) -> Step:
    def run(spansets: list[Spanset], trace: Trace) -> list[Spanset]:
        kept = [item.having([s for s in item.spans if condition(s, trace) is True]) for item in spansets]
        return [item for item in kept if item.spans]

    return run


# ---- operators between spansets
def _operation(op: str, left: Step, right: Step) -> Step:
    def run(spansets: list[Spanset], trace: Trace) -> list[Spanset]:
        joined = [item.having(_join(op, left([item], trace), right([item], trace), trace)) for item in spansets]
        return [item for item in joined if item.spans]

    return run


def _join(op: str, left: Sequence[Spanset], right: Sequence[Spanset], trace: Trace) -> list[Span]:
    if op in ("&&", "||"):
        return _unique([*left, *right]) if (left and right) or (op == "||" and (left or right)) else []
    if len(left) > 1 or len(right) > 1:
        raise Impossible(
            "spanset operators are not supported for multiple spansets per trace. consider using coalesce()"
        )
    if not right:
        return []
    return structure.related(op, left[0].spans if left else [], right[0].spans, trace)


def _unique(spansets: Sequence[Spanset]) -> list[Span]:
    spans = {id(span): span for item in spansets for span in item.spans}
    return sorted(spans.values(), key=lambda span: span.start_ns)


# ---- aggregates and groups
def _scalar_filter(element: ast.ScalarFilter) -> Step:
    name, operand = str(element.aggregate), element.aggregate.field
    evaluate = compile_field(operand) if operand is not None else None

    def run(spansets: list[Spanset], trace: Trace) -> list[Spanset]:
        kept: list[Spanset] = []
        for item in spansets:
            scalar = _aggregate(element.aggregate.op, evaluate, item.spans, trace)
            if values.operate(element.op, scalar, element.value.value) is True:
                kept.append(Spanset(item.spans, {**item.attributes, name: scalar}))
        return kept

    return run


def _aggregate(op: str, evaluate: Evaluate | None, spans: Sequence[Span], trace: Trace) -> Value:
    if evaluate is None:
        return len(spans)
    found = [evaluate(span, trace) for span in spans]
    numbers = [n for n in found if isinstance(n, int | float) and not isinstance(n, bool)]
    if not numbers:
        return None
    match op:
        case "max":
            return max(numbers)
        case "min":
            return min(numbers)
        case "sum":
            return _like(numbers[0], sum(numbers))
    if isinstance(numbers[0], ast.Duration):
        return ast.Duration(sum(numbers) // len(numbers))
    return sum(numbers) / len(numbers)


def _like(first: float, total: float) -> int | float:
    return ast.Duration(total) if isinstance(first, ast.Duration) else total


def _group(name: str, evaluate: Evaluate) -> Step:
    def run(spansets: list[Spanset], trace: Trace) -> list[Spanset]:
        groups: dict[tuple[int, str, object], Spanset] = {}
        for index, item in enumerate(spansets):
            for span in item.spans:
                value = evaluate(span, trace)
                key = (index, values.type_of(value), str(value))
                group = groups.setdefault(key, Spanset([], {**item.attributes, name: value}))
                group.spans.append(span)
        return list(groups.values())

    return run
