"""PromQL text → `ast`. The grammar is in grammar.lark; what only the types decide is in check.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedToken

from pocket.query.durations import prometheus_duration_ns
from pocket.query.grammar import load
from pocket.query.promql import ast, check, labels, literals, modifiers
from pocket.query.promql.lexer import Lexer
from pocket.query.promql.result import QueryError
from pocket.query.promql.syntax_error import SyntaxFault, explain
from pocket.query.quoting import quoted, unquote
from pocket.rows import Matcher

MAX_LENGTH = 100_000
MAX_KEPT = 5_000  # characters: longer queries are parsed anew each time
EMPTY_MATCH = "match[] must contain at least one non-empty matcher"


def parse(text: str) -> ast.Node:
    """The tree of a query. Raises QueryError("bad_data") for what is no PromQL or is not supported."""
    return _kept(text) if len(text) <= MAX_KEPT else _parsed(text)


def parse_selector(text: str) -> list[Matcher]:
    """The matchers of a plain series selector, as in `match[]`. Raises QueryError("bad_data")."""
    selector: ast.Selector = _read(text, "series")
    if not any(check.needs_value(matcher) for matcher in selector.matchers):
        raise QueryError("bad_data", EMPTY_MATCH)
    return list(selector.matchers)


def _parsed(text: str) -> ast.Node:
    tree: ast.Node = _read(text, "query")
    return tree


_kept = lru_cache(maxsize=512)(_parsed)


def _read(text: str, start: str) -> Any:
    if len(text) > MAX_LENGTH:
        raise QueryError("bad_data", f"1:1: parse error: query is longer than {MAX_LENGTH} characters")
    try:
        tree = _built(text, start)
        if start == "query":  # the types of a selector alone are right
            check.check(tree)
        return tree
    except SyntaxFault as fault:
        raise QueryError("bad_data", fault.told(text)) from None


def _built(text: str, start: str) -> Any:
    try:
        return _grammar().parse(text, start=start)
    except UnexpectedToken as error:
        raise explain(error, text) from None


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return load(Path(__file__).parent / "grammar.lark", _Builder(), lexer=Lexer, start=("query", "series"))


def _at(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return _at(token) + len(token)


def _text(token: Token) -> str:
    """A byte that is no UTF-8 stays one, as a lone surrogate: no name and no value equals it."""
    try:
        return unquote(str(token), "surrogateescape")
    except ValueError:
        raise SyntaxFault(_at(token), f"error unquoting string {quoted(token)}: invalid syntax") from None


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    def query(self, expr: ast.Node) -> ast.Node:
        return expr

    def series(self, selector: ast.Selector) -> ast.Selector:
        return selector

    # ---- operators
    def binary(self, lhs: ast.Node, op: Token, modifiers: Any, rhs: ast.Node) -> ast.Binary:
        return_bool, matching, fill = modifiers
        if fill:
            raise SyntaxFault(lhs.pos, "binop fill modifiers are experimental and not enabled")
        return ast.Binary(lhs.pos, str(op).lower(), lhs, rhs, matching, return_bool, _at(op))

    def modifiers(self, return_bool: Token | None, matching: ast.Matching | None, fill: bool | None) -> Any:
        return return_bool is not None, matching or ast.Matching(on=False, labels=()), fill

    def matching(
        self, kind: Token, names: Sequence[str], group: Token | None = None, include: Sequence[str] | None = None
    ) -> ast.Matching:
        many: Literal["none", "left", "right"] = "none"
        if group is not None:
            many = "left" if group.lower() == "group_left" else "right"
        return ast.Matching(kind.lower() == "on", tuple(names), many, tuple(include or ()))

    def fill(self, *_: object) -> bool:
        return True

    def fill_value(self, *_: object) -> None: ...

    def unary(self, sign: Token, expr: ast.Node) -> ast.Node:
        if isinstance(expr, ast.Number):
            return replace(expr, pos=_at(sign), value=-expr.value if sign == "-" else expr.value)
        return ast.Unary(_at(sign), str(sign), expr)

    # ---- operands
    def literal(self, token: Token) -> ast.Number:
        duration = token.type == "DURATION"
        try:
            value = prometheus_duration_ns(token) / 1e9 if duration else literals.value(str(token))
        except ValueError as error:
            raise SyntaxFault(_at(token), str(error) if duration else f"error parsing number: {error}") from None
        return ast.Number(_at(token), value, _end(token), duration)

    def string(self, token: Token) -> ast.String:
        return ast.String(_at(token), _text(token))

    def paren(self, opening: Token, expr: ast.Node, _: Token) -> ast.Paren:
        return ast.Paren(_at(opening), expr)

    def range(self, expr: ast.Node, bracket: Token, duration: ast.DurationOperand, _: Token) -> ast.Range:
        return modifiers.ranged(expr, _at(bracket), duration)

    def subquery(
        self, expr: ast.Node, _: Token, duration: ast.DurationOperand, __: Token,
        step: ast.DurationOperand | None, ___: Token,
    ) -> ast.Subquery:  # fmt: skip
        return modifiers.subquery(expr, duration, step)

    def with_offset(self, expr: ast.Node, _: Token, duration: ast.DurationOperand) -> ast.Node:
        return modifiers.with_offset(expr, duration)

    def at(self, expr: ast.Node, _: Token, sign: Token | None, number: ast.Number) -> ast.Node:
        return modifiers.at(expr, -number.value if sign == "-" else number.value)

    def at_edge(self, expr: ast.Node, _: Token, edge: Token, *__: Token) -> ast.Node:
        return modifiers.at_edge(expr, "start" if edge.lower() == "start" else "end")

    def extended(self, expr: ast.Node, word: Token) -> None:
        raise SyntaxFault(expr.pos, f"{word.lower()} modifier is experimental and not enabled")

    # ---- calls and aggregations
    def call(self, name: Token, arguments: list[ast.Node]) -> ast.Call:
        check.function(str(name), _at(name))
        return ast.Call(_at(name), str(name), tuple(arguments))

    def arguments(self, _: Token, arguments: list[ast.Node] | None, __: Token) -> list[ast.Node]:
        return arguments or []

    def argument_list(self, first: Any, *more: Any) -> list[ast.Node]:
        return _appended(first, *more[1:])

    def trailing_comma(self, _: list[ast.Node], comma: Token) -> None:
        raise SyntaxFault(_at(comma), "trailing commas not allowed in function call args")

    def operator(self, token: Token) -> Token:
        return token

    def aggregate(self, op: Token, *parts: Any) -> ast.Aggregate:
        arguments = next(part for part in parts if isinstance(part, list))
        without, grouping = next((part for part in parts if isinstance(part, tuple)), (False, ()))
        param, expr = check.operands(op.lower(), _at(op), arguments)
        return ast.Aggregate(_at(op), op.lower(), expr, param, without, tuple(grouping))

    def grouping(self, kind: Token, names: Sequence[str]) -> tuple[bool, Sequence[str]]:
        return kind.type == "WITHOUT", names

    def labels(self, _: Token, *parts: Any) -> list[str]:
        return parts[0] if isinstance(parts[0], list) else []

    def label_list(self, first: Any, *more: Any) -> list[str]:
        return _appended(first, *more[1:])

    def label(self, token: Token) -> str:
        name = _text(token) if token.type == "STRING" else str(token)
        if not labels.is_name(name):
            raise SyntaxFault(_at(token), f"invalid label name for grouping: {quoted(name)}")
        return name

    # ---- selectors
    def selector(self, metric: Token, matchers: tuple[int, list[Matcher]] | None) -> ast.Selector:
        named = Matcher("__name__", "=", str(metric))
        return ast.Selector(_at(metric), (*(matchers[1] if matchers else ()), named), name=str(metric))

    def unnamed_selector(self, matchers: tuple[int, list[Matcher]]) -> ast.Selector:
        return ast.Selector(matchers[0], tuple(matchers[1]))

    def metric(self, token: Token) -> Token:
        return token

    def matchers(self, opening: Token, found: Any, *_: Token) -> tuple[int, list[Matcher]]:
        return _at(opening), found if isinstance(found, list) else []

    def matcher_list(self, first: Any, *more: Any) -> list[Matcher]:
        return _appended(first, *more[1:])

    def matcher(self, name: Token, op: Token, value: Token) -> Matcher:
        operator: Literal["=", "!=", "=~", "!~"] = str(op)  # type: ignore[assignment]
        text = _text(value)
        if operator in ("=~", "!~"):
            check.pattern(text, _at(name))
        return Matcher(str(name), operator, text)

    def quoted(self, token: Token) -> Token:
        return token.update(value=_text(token))

    def metric_matcher(self, name: Token) -> Matcher:
        return Matcher("__name__", "=", str(name))

    # ---- durations
    def positive(self, duration: ast.DurationOperand) -> ast.DurationOperand:
        if isinstance(duration, ast.Number) and duration.value <= 0:
            raise SyntaxFault(duration.pos, "duration must be greater than 0")
        return duration

    def duration_literal(self, number: ast.Number) -> ast.Number:
        return modifiers.in_range(number, number.pos)

    def offset_literal(self, sign: Token, number: ast.Number) -> ast.DurationOperand:
        return modifiers.signed(sign == "-", _at(sign), number)

    def duration_unary(self, sign: Token, operand: ast.DurationOperand) -> ast.DurationOperand:
        return modifiers.signed(sign == "-", _at(sign), operand)

    def offset_group(self, sign: Token, _: Token, operand: ast.DurationOperand, __: Token) -> ast.DurationOperand:
        return modifiers.signed(sign == "-", _at(sign), modifiers.grouped(operand))

    def offset_same(self, duration: ast.DurationOperand) -> ast.DurationOperand:
        return duration

    def duration_group(self, _: Token, operand: ast.DurationOperand, __: Token) -> ast.DurationOperand:
        return modifiers.grouped(operand)

    def duration_binary(self, lhs: ast.DurationOperand, op: Token, rhs: ast.DurationOperand) -> ast.Duration:
        if op in ("/", "%") and isinstance(rhs, ast.Number) and rhs.value == 0:
            raise SyntaxFault(_at(op), "division by zero" if op == "/" else "modulo by zero")
        return ast.Duration(lhs.pos, rhs.end, str(op), (lhs, rhs))

    def duration_span(self, name: Token, _: Token, closing: Token) -> ast.Duration:
        return ast.Duration(_at(name), _end(closing), name.lower())

    def duration_limit(self, name: Token, *parts: Any) -> ast.Duration:
        _, lhs, _, rhs, _ = parts
        return ast.Duration(lhs.pos, rhs.end, name.lower(), (lhs, rhs))


def _appended(first: Any, *more: Any) -> list[Any]:
    """A list that grows: copying it each time would take quadratic time."""
    if not more:
        return [first]
    first += more
    return first  # type: ignore[no-any-return]
