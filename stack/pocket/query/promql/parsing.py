"""Text → syntax tree. The grammar is promql-parser's; what it reads otherwise than Prometheus 3 is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import promql_parser as grammar

from pocket import regex
from pocket.query.promql import ast
from pocket.query.promql.fault import explain
from pocket.query.promql.result import QueryError
from pocket.query.promql.text import MAX_LENGTH, MAX_NESTING, Cursor, Token, misread, tokens, too_deep
from pocket.rows import Matcher

OPS: list[tuple[Any, Literal["=", "!=", "=~", "!~"]]] = [
    (grammar.MatchOp.Equal, "="),
    (grammar.MatchOp.NotEqual, "!="),
    (grammar.MatchOp.Re, "=~"),
    (grammar.MatchOp.NotRe, "!~"),
]
NATIVE_HISTOGRAM_FUNCTIONS = frozenset(
    {"histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"}
)
# Behind feature flags in Prometheus too, which then answers the same way.
NOT_ENABLED = frozenset(
    {"info", "max_of", "min_of", "start", "end", "step", "range", "start_timestamp", "histogram_quantiles"}
)
MAX_MS = 1 << 53  # larger times and durations do not survive float64, in which Prometheus keeps literals too


def parse(text: str) -> ast.Node:
    """The tree of a query. Raises QueryError("bad_data") for what is no PromQL or is not supported."""
    words = _guarded_tokens(text)
    try:
        tree = grammar.parse(text)
    except BaseException as refused:  # a panic of the Rust code derives from BaseException
        if isinstance(refused, KeyboardInterrupt | SystemExit):
            raise
        raise QueryError("bad_data", explain(text, words, _reason(refused), _refusal)) from refused
    return _Conversion(words).node(tree)


def prettify(text: str) -> str:
    """The query in Prometheus' canonical layout."""
    parse(text)
    return str(grammar.parse(text).prettify())


def parse_selector(text: str) -> list[Matcher]:
    """The matchers of a plain series selector, as in `match[]`."""
    node = parse(text)
    if not isinstance(node, ast.Selector) or node.offset_ms or node.at is not None:
        raise _error("unexpected expression, expected a series selector")
    return list(node.matchers)


def _error(reason: str) -> QueryError:
    return QueryError("bad_data", f"1:1: parse error: {reason}")


def _reason(refused: BaseException) -> str:
    return str(refused) if isinstance(refused, ValueError) else "query cannot be parsed"


def _refusal(text: str) -> str | None:
    try:
        grammar.parse(text)
    except BaseException as refused:
        if isinstance(refused, KeyboardInterrupt | SystemExit):
            raise
        return _reason(refused)
    return None


def _guarded_tokens(text: str) -> list[Token]:
    if len(text) > MAX_LENGTH:
        raise _error(f"query is longer than {MAX_LENGTH} characters")
    words = tokens(text)
    if too_deep(words):
        raise _error(f"query has more than {MAX_NESTING} operators and brackets")
    if reason := misread(words):
        raise _error(reason)
    return words


class _Conversion:
    """promql-parser's nodes → ours, in the order of the text, so that the cursor finds each node's first token."""

    def __init__(self, words: list[Token]) -> None:
        self._cursor = Cursor(words)
        self._converters: dict[type[Any], Callable[[Any], ast.Node]] = {
            grammar.NumberLiteral: self._number,
            grammar.StringLiteral: self._string,
            grammar.VectorSelector: self._selector,
            grammar.MatrixSelector: self._range,
            grammar.SubqueryExpr: self._subquery,
            grammar.ParenExpr: self._paren,
            grammar.UnaryExpr: self._negation,
            grammar.BinaryExpr: self._binary,
            grammar.Call: self._call,
            grammar.AggregateExpr: self._aggregate,
        }

    def node(self, tree: Any) -> ast.Node:
        return self._converters[type(tree)](tree)

    def _number(self, tree: Any) -> ast.Node:
        start = self._cursor.offset  # of the sign, if it has one
        self._cursor.find("nan", "inf", kind="number")
        return ast.Number(start, float(tree.val))

    def _string(self, tree: Any) -> ast.Node:
        return ast.String(self._cursor.find(kind="string"), str(tree.val))

    def _selector(self, tree: Any) -> ast.Selector:
        start = self._cursor.find(tree.name) if tree.name else self._cursor.offset
        self._cursor.skip_group()
        self._cursor.skip_modifiers()
        if tree.matchers.or_matchers:
            raise _error('unexpected identifier "or" in label matching, expected "," or "}"')
        matchers = [_matcher(m) for m in tree.matchers.matchers]
        if tree.name:
            matchers.append(Matcher("__name__", "=", str(tree.name)))
        return ast.Selector(start, tuple(matchers), _offset(tree.offset), _at(tree.at))

    def _range(self, tree: Any) -> ast.Node:
        selector = self._selector(tree.vector_selector)
        self._cursor.skip_group()
        self._cursor.skip_modifiers()
        return ast.Range(selector.pos, selector, _ms(tree.range))

    def _subquery(self, tree: Any) -> ast.Node:
        start = self._cursor.offset
        inner = self.node(tree.expr)
        self._cursor.skip_group()
        self._cursor.skip_modifiers()
        step = _ms(tree.step) if tree.step is not None else None
        return ast.Subquery(start, inner, _ms(tree.range), step, _offset(tree.offset), _at(tree.at))

    def _paren(self, tree: Any) -> ast.Node:
        start = self._cursor.find("(")
        inner = self.node(tree.expr)
        self._cursor.find(")")
        return replace(inner, pos=start)

    def _negation(self, tree: Any) -> ast.Node:
        return ast.Negation(self._cursor.find("-"), self.node(tree.expr))

    def _binary(self, tree: Any) -> ast.Node:
        start = self._cursor.offset
        lhs = self.node(tree.lhs)
        op = str(tree.op).lower()
        self._cursor.find(op)
        self._cursor.skip_group("on", "ignoring", "bool")
        self._cursor.skip_group("on", "ignoring")
        self._cursor.skip_group("group_left", "group_right")
        rhs = self.node(tree.rhs)
        if op not in ast.ARITHMETIC | ast.COMPARISON | ast.SETS:
            raise _error(f"operator {op!r} is not supported")
        return_bool = bool(tree.modifier and tree.modifier.return_bool)
        return ast.Binary(start, op, lhs, rhs, _matching(tree.modifier), return_bool)

    def _call(self, tree: Any) -> ast.Node:
        name = str(tree.func.name)
        if name in NOT_ENABLED:
            raise _error(f'function "{name}" is not enabled')
        if name in NATIVE_HISTOGRAM_FUNCTIONS:
            raise _error(f'function "{name}" works on native histograms, which are not supported')
        start = self._cursor.find(name)
        return ast.Call(start, name, tuple(self._arguments(tree.args)))

    def _arguments(self, trees: Sequence[Any]) -> list[ast.Node]:
        """What stands between the next brackets."""
        self._cursor.find("(")
        nodes = []
        for i, tree in enumerate(trees):
            if i:
                self._cursor.find(",")
            nodes.append(self.node(tree))
        self._cursor.find(")")
        return nodes

    def _aggregate(self, tree: Any) -> ast.Node:
        op = str(tree.op).lower()
        if op == "limit_ratio":
            raise _error('aggregation "limit_ratio" is not enabled')
        start = self._cursor.find(op)
        self._cursor.skip_group("by", "without")
        without = tree.modifier is not None and tree.modifier.type == grammar.AggModifierType.Without
        labels = tuple(sorted(tree.modifier.labels)) if tree.modifier is not None else ()
        *params, expr = self._arguments([tree.expr] if tree.param is None else [tree.param, tree.expr])
        self._cursor.skip_group("by", "without")
        return ast.Aggregate(start, op, expr, params[0] if params else None, without, labels)


def _matcher(matcher: Any) -> Matcher:
    op = next(text for kind, text in OPS if kind == matcher.op)
    if op in ("=", "!="):
        return Matcher(matcher.name, op, matcher.value)
    try:
        regex.compile(matcher.value, dot_all=True)
    except regex.InvalidPatternError as refused:
        raise _error(f"error parsing regexp: {refused}") from refused
    return Matcher(matcher.name, op, matcher.value)


def _matching(modifier: Any) -> ast.Matching:
    if modifier is None:
        return ast.Matching(on=False, labels=())
    if modifier.fill_values and (modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None):
        raise _error("binop fill modifiers are experimental and not enabled")
    on = modifier.matching is not None and modifier.matching.type == grammar.LabelModifierType.Include
    labels = tuple(modifier.matching.labels) if modifier.matching is not None else ()
    many: Literal["none", "left", "right"] = "none"
    if modifier.card == grammar.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier.card == grammar.VectorMatchCardinality.OneToMany:
        many = "right"
    return ast.Matching(on, labels, many, tuple(modifier.group_labels or ()))


def _offset(offset: timedelta | None) -> int:
    return _ms(offset) if offset is not None else 0


def _ms(duration: timedelta) -> int:
    ms = duration // timedelta(milliseconds=1)
    if abs(ms) > MAX_MS:
        raise _error("duration out of range")
    return ms


def _at(at: Any) -> ast.At:
    """From the text form, which has every value; the datetime of `.at` panics before 1970 and ends in 9999."""
    if at is None:
        return None
    if at.type == grammar.AtModifierType.Start:
        return "start"
    if at.type == grammar.AtModifierType.End:
        return "end"
    ms = round(float(str(at).removeprefix("@")) * 1000)
    if ms < 0 or ms > MAX_MS:
        raise _error("timestamp out of bounds for @ modifier")
    return ms
