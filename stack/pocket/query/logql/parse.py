"""LogQL text → `ast`. The grammar is in grammar.lark; what only the meaning decides is in check.py."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from pocket.query.durations import duration_ns, prometheus_duration_ns
from pocket.query.errors import ParseError
from pocket.query.grammar import load, nesting
from pocket.query.logql import ast, check, literals, syntax_error
from pocket.query.quoting import unquote
from pocket.query.syntax_error import at
from pocket.rows import Matcher

MAX_QUERY_BYTES = 131_072  # Loki's maxInputSize
MAX_DEPTH = 200  # nested brackets; far more than a query has, far less than Python's stack


def parse(text: str) -> ast.Expr:
    """Parse and check a query. Raises ParseError with Loki's text."""
    if len(text) >= MAX_QUERY_BYTES:
        raise ParseError(f"parse error : input size too long ({len(text)} > {MAX_QUERY_BYTES})")
    expr = _build(text)
    check.validate(expr)
    return expr


def parse_log_query(text: str) -> ast.LogQuery:
    """Parse what must be a log query (a selector, perhaps with a pipeline)."""
    expr = parse(text)
    if not isinstance(expr, ast.LogQuery):
        raise ParseError("only log selector is supported")
    return expr


def parse_matchers(text: str, *, empty: bool = False) -> tuple[Matcher, ...]:
    """Parse a bare stream selector; with `empty`, `{}` is allowed and selects everything."""
    expr = _build(text)
    if not isinstance(expr, ast.LogQuery) or expr.stages:
        raise ParseError("only label matchers are supported")
    if not empty:
        check.validate(expr)
    return expr.matchers


@lru_cache(maxsize=512)
def _build(text: str) -> ast.Expr:
    if nesting(text) > MAX_DEPTH:
        raise ParseError("parse error : query is nested too deeply")
    try:
        expr: ast.Expr = _grammar().parse(text)  # type: ignore[assignment]
        return expr
    except UnexpectedInput as error:
        raise ParseError(syntax_error.describe(error, text)) from None
    except ValueError as error:  # a literal or a regular expression of the query
        raise ParseError(f"parse error : {error}") from None


def _text(token: Token) -> str:
    try:
        return unquote(str(token))
    except ValueError as error:
        raise ParseError(f"{at(token.line or 0, token.column or 0)}{error}") from None


def _identifiers(names: list[Token] | None) -> tuple[str, ...]:
    return tuple(str(name) for name in names or ())


def _named(token: Any) -> str | Matcher:
    return str(token) if isinstance(token, Token) else token


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def start(self, expr: ast.Expr) -> ast.Expr:
        return expr

    # ---- selectors and pipelines
    def matcher(self, name: Token, op: Token, value: Token) -> Matcher:
        operator: Literal["=", "!=", "=~", "!~"] = str(op)  # type: ignore[assignment]
        text = _text(value)
        if operator in ("=~", "!~"):
            literals.go_regex(text)
        return Matcher(str(name), operator, text)

    def selector(self, *matchers: Matcher | None) -> tuple[Matcher, ...]:
        return tuple(matcher for matcher in matchers if matcher is not None)

    def pipeline(self, first: Any, stage: ast.Stage | None = None) -> list[ast.Stage]:
        stages = first if isinstance(first, list) else [first]
        return stages if stage is None else [*stages, stage]

    def log_query(self, matchers: tuple[Matcher, ...], stages: list[ast.Stage] | None) -> ast.LogQuery:
        return ast.LogQuery(matchers, tuple(stages or ()))

    # ---- stages
    def line_filter(self, op: Token, *parts: Token | ast.Ip) -> ast.LineFilter:
        needles = (part for part in parts if isinstance(part, ast.Ip) or part.type == "STRING")
        texts = tuple(needle if isinstance(needle, ast.Ip) else _text(needle) for needle in needles)
        check.line_filter(str(op), texts)
        return ast.LineFilter(str(op), texts)

    def ip(self, pattern: Token) -> ast.Ip:
        return ast.Ip(_text(pattern))

    def ip_filter(self, name: Token, op: Token, pattern: Token) -> ast.IpFilter:
        return check.ip_filter(ast.IpFilter(str(name), _text(pattern), equal=op.type == "EQ"))

    def unpack(self) -> ast.Unpack:
        return ast.Unpack()

    def extraction(self, name: Token, _: Token | None, path: Token | None) -> tuple[str, str]:
        return str(name), str(name) if path is None else _text(path)

    def extractions(self, *pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return pairs

    def json(self, extractions: tuple[tuple[str, str], ...] | None) -> ast.Json:
        return check.json(ast.Json(extractions or ()))

    def logfmt(self, *parts: Any) -> ast.Logfmt:
        flags = {str(part) for part in parts[:-1]}
        return check.logfmt_names(ast.Logfmt(parts[-1] or (), "--strict" in flags, "--keep-empty" in flags))

    def regexp(self, pattern: Token) -> ast.Regexp:
        return check.regexp(ast.Regexp(_text(pattern)))

    def pattern(self, pattern: Token) -> ast.Pattern:
        return check.pattern(ast.Pattern(_text(pattern)))

    def line_format(self, template: Token) -> ast.LineFormat:
        return check.line_format(ast.LineFormat(_text(template)))

    def label_format(self, label: Token, _: Token, source: Token) -> ast.LabelFormat:
        rename = source.type == "IDENTIFIER"
        return ast.LabelFormat(str(label), str(source) if rename else _text(source), rename)

    def label_formats(self, *formats: ast.LabelFormat) -> ast.LabelFormats:
        return check.label_formats(ast.LabelFormats(formats))

    def decolorize(self) -> ast.Decolorize:
        return ast.Decolorize()

    def named(self, name: Any) -> str | Matcher:
        return _named(name)

    def drop(self, *labels: str | Matcher) -> ast.Drop:
        return ast.Drop(labels)

    def keep(self, *labels: str | Matcher) -> ast.Keep:
        return ast.Keep(labels)

    # ---- label filters
    def label_filter_stage(self, condition: ast.LabelFilter) -> ast.FilterStage:
        return ast.FilterStage(condition)

    def matcher_filter(self, matcher: Matcher) -> ast.MatcherFilter:
        return ast.MatcherFilter(matcher)

    def quantity_filter(self, name: Token, op: Token, value: Any) -> ast.QuantityFilter:
        operator = "==" if op == "=" else str(op)
        if isinstance(value, ast.Literal):
            return ast.QuantityFilter(str(name), operator, value.value, "number")
        if value.type == "DURATION":
            return ast.QuantityFilter(str(name), operator, duration_ns(value), "duration")
        return ast.QuantityFilter(str(name), operator, literals.size_bytes(value), "bytes")

    def label_filter(self, *parts: Any) -> ast.LabelFilter:
        return check.join_filters(parts)

    # ---- ranges and aggregations
    def unwrap(self, *parts: Any) -> ast.Unwrap:
        tokens = [part for part in parts if isinstance(part, Token)]
        filters = tuple(part for part in parts if not isinstance(part, Token))
        return ast.Unwrap(str(tokens[-1]), str(tokens[0]).lower() if len(tokens) == 2 else "", filters)

    def offset(self, duration: Token) -> int:
        return duration_ns(duration)

    def log_range(self, *parts: Any) -> ast.LogRange:
        return parts[0] if isinstance(parts[0], ast.LogRange) else _log_range(parts)

    def names(self, *names: Token) -> list[Token]:
        return list(names)

    def grouping(self, by: Token, names: list[Token] | None) -> ast.Grouping:
        return ast.Grouping(_identifiers(names), by.type == "WITHOUT")

    def range_aggregation(
        self, op: Token, parameter: Token | None, log_range: ast.LogRange, grouping: ast.Grouping | None
    ) -> ast.RangeAggregation:
        return check.range_aggregation(str(op).lower(), parameter, log_range, grouping)

    def vector_aggregation(
        self, op: Token, parameter: Token | None, expr: ast.Expr, close: Token, grouping: ast.Grouping | None
    ) -> ast.VectorAggregation:
        return check.vector_aggregation(op, parameter, _metric(expr, close), grouping)

    def vector_aggregation_grouped(
        self, op: Token, grouping: ast.Grouping, parameter: Token | None, expr: ast.Expr, close: Token
    ) -> ast.VectorAggregation:
        return check.vector_aggregation(op, parameter, _metric(expr, close), grouping)

    def label_replace(self, _: Token, expr: ast.Expr, comma: Token, *texts: Token) -> ast.LabelReplace:
        target, replacement, source, pattern = (_text(token) for token in texts)
        return check.label_replace(_metric(expr, comma), target, replacement, source, pattern)

    # ---- operators
    def literal(self, *parts: Token) -> ast.Literal:
        value = check.number(str(parts[-1]), "literal as a float")
        return ast.Literal(-value if parts[0] == "-" else value)

    def vector_literal(self, _: Token, number: Token) -> ast.VectorLiteral:
        return ast.VectorLiteral(check.number(str(number), "vectorExpr as a float"))

    def matching(self, kind: Token, names: list[Token] | None) -> ast.Matching:
        return ast.Matching(on=kind.type == "ON", labels=_identifiers(names))

    def group_side(self, side: Token, names: list[Token] | None) -> tuple[str, tuple[str, ...]]:
        return "many-to-one" if side.type == "GROUP_LEFT" else "one-to-many", _identifiers(names)

    def modifier(self, *parts: Any) -> ast.Matching:
        return _modifier(parts)

    def binary(self, left: ast.Expr, op: Token, matching: ast.Matching, right: ast.Expr) -> ast.MetricExpr:
        return check.binary(str(op).lower(), left, matching, right)


def _metric(expr: ast.Expr, following: Token) -> ast.MetricExpr:
    """Only a metric query may stand here; Loki's parser stumbles over what follows a log query."""
    if isinstance(expr, ast.LogQuery):
        raise ParseError(f"{at(following.line or 0, following.column or 0)}syntax error: unexpected {following}")
    return expr


def _log_range(parts: tuple[Any, ...]) -> ast.LogRange:
    """Selector, pipeline, unwrap, range and offset, in any of the orders the grammar allows."""
    stages = next((part for part in parts[1:] if isinstance(part, list)), [])
    unwrap = next((part for part in parts if isinstance(part, ast.Unwrap)), None)
    offset = next((part for part in parts if isinstance(part, int)), 0)
    window = next(part for part in parts if isinstance(part, Token))
    try:
        range_ns = prometheus_duration_ns(str(window)[1:-1])
    except ValueError as error:
        raise ParseError(f"{at(0, window.column or 0)}{error}") from None
    return ast.LogRange(ast.LogQuery(parts[0], tuple(stages)), range_ns, offset, unwrap)


def _modifier(parts: tuple[Any, ...]) -> ast.Matching:
    matching = next((part for part in parts if isinstance(part, ast.Matching)), ast.Matching())
    card, include = next((part for part in parts if isinstance(part, tuple)), ("one-to-one", ()))
    return_bool = any(isinstance(part, Token) for part in parts)
    return ast.Matching(return_bool, matching.on, matching.labels, card, include)


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return load(Path(__file__).parent / "grammar.lark", _Builder())
