"""TraceQL text → `ast`. The grammar is in grammar.lark; types are checked in check.py."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from pocket.query.durations import duration_ns
from pocket.query.errors import ParseError, Unsupported
from pocket.query.grammar import load, nesting
from pocket.query.quoting import unquote
from pocket.query.traceql import ast, check, syntax_error

MAX_QUERY = 131_072
MAX_DEPTH = 100  # nested brackets

_SCOPED = {
    "trace:duration": "traceDuration", "trace:rootName": "rootName", "trace:rootService": "rootServiceName",
    "trace:id": "trace:id", "span:duration": "duration", "span:name": "name", "span:kind": "kind",
    "span:status": "status", "span:statusMessage": "statusMessage", "span:id": "span:id",
    "span:parentID": "span:parentID", "span:childCount": "span:childCount", "event:name": "event:name",
    "event:timeSinceStart": "event:timeSinceStart", "link:traceID": "link:traceID", "link:spanID": "link:spanID",
    "instrumentation:name": "instrumentation:name", "instrumentation:version": "instrumentation:version",
}  # fmt: skip
_INTEGERS = {"minInt": -(2**63), "maxInt": 2**63 - 1}


def parse(text: str) -> ast.Query:
    """Parse and check a query. Raises ParseError with Tempo's text."""
    if len(text) > MAX_QUERY or nesting(text) > MAX_DEPTH:
        raise ParseError("parse error : query is too long or nested too deeply")
    return _parse(text)


def parse_attribute(text: str) -> ast.Named:
    """A single attribute or intrinsic, such as `span.http.method` or `name`. Raises ParseError."""
    try:
        query = parse("{" + text + "}")
    except ParseError as error:
        if "must resolve to a boolean" not in error.message:
            raise ParseError(f"failed to parse identifier {text}: {error.message}") from None
        query = _build("{" + text + "}")
    element = query.pipeline.elements[0]
    if isinstance(element, ast.SpansetFilter) and isinstance(element.condition, ast.Attribute | ast.Intrinsic):
        return element.condition
    raise ParseError(f"failed to parse identifier {text}: expected Attribute")


@lru_cache(maxsize=256)
def _parse(text: str) -> ast.Query:
    query = _build(text)
    check.validate(query)
    return query


def _build(text: str) -> ast.Query:
    try:
        query: ast.Query = _grammar().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise ParseError(syntax_error.describe(error, text)) from None
    except ValueError as error:
        raise ParseError(f"parse error : {error}") from None
    return query


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return load(Path(__file__).parent / "grammar.lark", _Builder())


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def start(self, parsed: Any, hints: tuple[Any, ...] | None) -> ast.Query:
        if isinstance(parsed, ast.SpansetOperation):
            parsed = ast.Pipeline((parsed,))
        base = parsed if isinstance(parsed, ast.Query) else ast.Query(parsed)
        return ast.Query(base.pipeline, base.metrics, base.second_stages, hints or ())

    # ---- pipelines
    def pipeline(self, first: Any, following: ast.Element | None = None) -> ast.Pipeline:
        if following is None:
            return ast.Pipeline((first,))
        return ast.Pipeline((*first.elements, following))

    def nested(self, pipeline: ast.Pipeline) -> ast.Pipeline:
        return pipeline

    def spanset_filter(self, condition: ast.Field | None = None) -> ast.SpansetFilter:
        return ast.SpansetFilter(ast.Static("bool", True, "true") if condition is None else condition)

    def structural_operator(self, op: Token) -> str:
        return str(op)

    def spanset_operation(self, left: ast.Spanset, op: str, right: ast.Spanset) -> ast.SpansetOperation:
        return ast.SpansetOperation(str(op), left, right)

    def aggregate(self, op: Token, field: ast.Field | None = None) -> ast.Aggregate:
        return ast.Aggregate(str(op), field)

    def compare(self, op: Token) -> str:
        return str(op)

    def signed(self, *parts: Token) -> ast.Static:
        return _negated(_static(parts[-1])) if len(parts) == 2 else _static(parts[0])

    def scalar_operation(self, *_: Any) -> None:
        """Arithmetic on aggregates, and aggregates of pipelines: parsed, and refused as Tempo does."""
        return

    def scalar_filter(self, left: Any, op: str, right: Any) -> ast.ScalarFilter:
        return check.scalar_filter(left, op, right)

    def scalar_pipelines(self, left: Any, op: str, right: Any) -> ast.Pipeline:
        return ast.Pipeline((check.scalar_filter(left, op, right),))

    def group(self, _: Token, field: ast.Field) -> ast.Group:
        return ast.Group(field)

    def coalesce(self, *_: Token) -> ast.Coalesce:
        return ast.Coalesce()

    def select(self, _: Token, attributes: tuple[ast.Named, ...]) -> ast.Select:
        return ast.Select(attributes)

    # ---- metrics
    def metrics_query(self, pipeline: ast.Pipeline, metrics: ast.Metrics, *stages: Any) -> ast.Query:
        return ast.Query(pipeline, metrics, stages)

    def metrics(self, op: Token, *parts: Any) -> ast.Metrics:
        quantiles = tuple(float(part) for part in parts if isinstance(part, Token))
        attribute = next((part for part in parts if isinstance(part, ast.Attribute | ast.Intrinsic)), None)
        return ast.Metrics(str(op), attribute, parts[-1] or (), quantiles)

    def compare_metrics(self, _: Token, condition: ast.Field | None, *numbers: Token | None) -> ast.Compare:
        top, start, end = (int(number) if number is not None else None for number in numbers)
        spanset = self.spanset_filter(condition)
        return ast.Compare(spanset, 10 if top is None else top, start or 0, end or 0)

    def grouping(self, _: Token, attributes: tuple[ast.Named, ...]) -> tuple[ast.Named, ...]:
        return attributes

    def attributes(self, *attributes: ast.Named) -> tuple[ast.Named, ...]:
        return attributes

    def best(self, op: Token, count: Token) -> ast.Best:
        if not int(count):
            raise ParseError("limit must be greater than 0")
        return ast.Best(str(op), int(count))

    def series_filter(self, op: str, value: ast.Static) -> ast.SeriesFilter:
        return ast.SeriesFilter(op, value)

    def hint(self, name: Token, value: ast.Static) -> tuple[str, ast.Static]:
        return str(name), value

    def hints(self, _: Token, *hints: tuple[str, ast.Static]) -> tuple[tuple[str, ast.Static], ...]:
        return hints

    # ---- fields
    def static(self, token: Token) -> ast.Static:
        return _static(token)

    def nil(self, _: Token) -> ast.Static:
        return ast.Static("nil", None, "nil")

    def attribute(self, token: Token) -> ast.Named:
        return _attribute(token)

    def unary(self, op: Token, operand: ast.Field) -> ast.Field:
        if op == "-" and isinstance(operand, ast.Static) and operand.type in ("int", "float", "duration"):
            return _negated(operand)
        if op == "!" and isinstance(operand, ast.Static) and operand.type == "bool":
            return ast.Static("bool", not operand.value, str(not operand.value).lower())
        return ast.Unary(str(op), operand)

    def binary(self, left: ast.Field, op: Token, right: ast.Field) -> ast.Field:
        return check.fold(_binary(left, op, right))


def _binary(left: ast.Field, op: Token, right: ast.Field) -> ast.Field:
    nils = [isinstance(side, ast.Static) and side.type == "nil" for side in (left, right)]
    if not any(nils):
        return ast.Binary(str(op), _trace_id(left, right), _trace_id(right, left))
    if op not in ("=", "!="):
        raise ParseError(f"{syntax_error.at(op)}syntax error: unexpected nil")
    if all(nils):
        return ast.Static("bool", False, "false")
    return ast.Unary("exists" if op == "!=" else "missing", right if nils[0] else left)


def _trace_id(operand: ast.Field, other: ast.Field) -> ast.Field:
    """Ids are compared in full length, however short the query writes them."""
    if other != ast.Intrinsic("trace:id") or not isinstance(operand, ast.Static) or operand.type != "string":
        return operand
    return ast.Static("string", str(operand.value).lower().zfill(32), operand.text)


def _negated(static: ast.Static) -> ast.Static:
    value = -static.value  # type: ignore[operator]
    kept = ast.Duration(value) if static.type == "duration" else value
    return ast.Static(static.type, kept, "-" + static.text)


def _static(token: Token) -> ast.Static:
    match token.type:
        case "STRING":
            text = unquote(str(token))
            return ast.Static("string", text, f"`{text}`")
        case "INTEGER":
            return ast.Static("int", _int64(int(token), token), str(int(token)))
        case "FLOAT":
            return ast.Static("float", float(token), repr(float(token)))
        case "DURATION":
            return ast.Static("duration", ast.Duration(duration_ns(str(token))), str(token))
        case "TRUE" | "FALSE":
            return ast.Static("bool", token.type == "TRUE", str(token))
        case "STATUS_VALUE":
            return ast.Static("status", ast.Status(str(token)), str(token))
        case "KIND_VALUE":
            return ast.Static("kind", ast.Kind(str(token)), str(token))
    if token not in _INTEGERS:
        raise ParseError(f"{syntax_error.at(token)}unknown identifier: {token}")
    return ast.Static("int", _INTEGERS[token], str(_INTEGERS[token]))


def _int64(value: int, token: Token) -> int:
    if value >= 2**63:
        raise ParseError(f'{syntax_error.at(token)}strconv.Atoi: parsing "{token}": value out of range')
    return value


_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')


def _attribute(token: Token) -> ast.Named:
    if token.type == "INTRINSIC":
        if token == "parent":  # noqa: S105
            raise Unsupported("intrinsic (parent) not yet supported")
        return ast.Intrinsic(str(token))
    if token.type == "SCOPED_INTRINSIC":
        return _scoped_intrinsic(token)
    text = str(token)
    if text.startswith("parent."):
        raise Unsupported("parent not yet supported")
    scope, _, name = text.partition(".")
    return ast.Attribute(scope, _QUOTED.sub(lambda found: re.sub(r"\\([\\\"])", r"\1", found[1]), name))


def _scoped_intrinsic(token: Token) -> ast.Intrinsic:
    name = re.sub(r":\s+", ":", str(token))
    if name not in _SCOPED:
        raise ParseError(f"{syntax_error.at(token)}syntax error: unexpected IDENTIFIER")
    return ast.Intrinsic(_SCOPED[name])
