"""What the grammar lets pass and Prometheus refuses: types, counts of arguments, matchers (parse.go: checkAST)."""

from __future__ import annotations

from collections.abc import Sequence

from pocket import regex
from pocket.query.promql.ast import (
    COMPARISON,
    SETS,
    Aggregate,
    Binary,
    Call,
    Node,
    Paren,
    Range,
    Selector,
    Subquery,
    Unary,
    ValueType,
    value_type,
)
from pocket.query.promql.signatures import NATIVE_HISTOGRAM_FUNCTIONS, SIGNATURES
from pocket.query.promql.syntax_error import SyntaxFault
from pocket.query.quoting import quoted
from pocket.rows import Matcher

TRIMS = frozenset({"</", ">/"})
WITH_PARAMETER = frozenset({"topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"})
NEED_FLAG = frozenset({"limitk", "limit_ratio"})
SCALAR_PARAMETER = frozenset({"topk", "bottomk", "quantile"})
_TWICE = "metric name must not be set twice"
_TYPES = {"vector": "instant vector", "matrix": "range vector"}


def check(node: Node) -> ValueType:
    """The node's type. Raises SyntaxFault with the first fault in the order in which Prometheus looks."""
    match node:
        case Aggregate():
            return _aggregate(node)
        case Binary():
            return _binary(node)
        case Call():
            return _call(node)
        case Paren(expr=inner):
            return check(inner)
        case Unary():
            return _unary(node)
        case Subquery():
            if (found := check(node.expr)) != "vector":
                raise SyntaxFault(node.pos, f"subquery is only allowed on instant vector, got {found} instead")
        case Range(selector=selector) | (Selector() as selector):
            _selector(selector)
    return value_type(node)


# ---- while the text is read
def function(name: str, pos: int) -> None:
    """Raises SyntaxFault for a function that is not there."""
    if name not in SIGNATURES:
        raise SyntaxFault(pos, f"unknown function with name {quoted(name)}")
    if SIGNATURES[name].needs_flag:
        raise SyntaxFault(pos, f'function "{name}" is not enabled')
    if name in NATIVE_HISTOGRAM_FUNCTIONS:
        raise SyntaxFault(pos, f'function "{name}" works on native histograms, which are not supported')


def operands(op: str, pos: int, arguments: Sequence[Node]) -> tuple[Node | None, Node]:
    """(parameter, vector) of an aggregation. Raises SyntaxFault."""
    if not arguments:
        raise SyntaxFault(pos, "no arguments for aggregate expression provided")
    if op in NEED_FLAG:
        flag = "--enable-feature=promql-experimental-functions"
        raise SyntaxFault(pos, f"{op}() is experimental and must be enabled with {flag}")
    expected = 2 if op in WITH_PARAMETER else 1
    if len(arguments) != expected:
        counts = f"expected {expected}, got {len(arguments)}"
        raise SyntaxFault(pos, f"wrong number of arguments for aggregate expression provided, {counts}")
    return (arguments[0] if expected == 2 else None), arguments[-1]


def pattern(text: str, pos: int) -> None:
    """Raises SyntaxFault for a regular expression that RE2 does not know."""
    try:
        regex.compile(text, dot_all=True)
    except regex.InvalidPatternError as refused:
        raise SyntaxFault(pos, f"error parsing regexp: {refused}") from None


# ---- when it has been read
def needs_value(matcher: Matcher) -> bool:
    """Whether it excludes the series without the label."""
    return not matcher.matches({})


def _expect(node: Node, wanted: ValueType, where: str) -> None:
    if (found := check(node)) != wanted:
        raise SyntaxFault(node.pos, f"expected type {_told(wanted)} in {where}, got {_told(found)}")


def _told(kind: ValueType) -> str:
    return _TYPES.get(kind, kind)


def _aggregate(node: Aggregate) -> ValueType:
    _expect(node.expr, "vector", "aggregation expression")
    if node.param is not None:
        _expect(node.param, "scalar" if node.op in SCALAR_PARAMETER else "string", "aggregation parameter")
    return "vector"


def _unary(node: Unary) -> ValueType:
    found = check(node.expr)
    if found not in ("scalar", "vector"):
        allowed = "unary expression only allowed on expressions of type scalar or instant vector"
        raise SyntaxFault(node.pos, f'{allowed}, got "{_told(found)}"')
    return found


def _call(node: Call) -> ValueType:
    _count(node)
    types = SIGNATURES[node.name].arguments
    for i, argument in enumerate(node.args):
        _expect(argument, types[min(i, len(types) - 1)], f'call to function "{node.name}"')
    return value_type(node)


def _count(node: Call) -> None:
    signature = SIGNATURES[node.name]
    got, fewest, most = len(node.args), signature.fewest, len(signature.arguments)
    wrong = "" if fewest == most else "at least " if got < fewest else "at most "
    if got < fewest or (got > most and not signature.repeated):
        wanted = fewest if got < fewest else most
        raise SyntaxFault(node.pos, f'expected {wrong}{wanted} argument(s) in call to "{node.name}", got {got}')


def _binary(node: Binary) -> ValueType:
    lhs, rhs = check(node.lhs), check(node.rhs)
    _bool(node, scalars=lhs == rhs == "scalar")
    for label in node.matching.labels:
        if node.matching.on and label in node.matching.include:
            raise SyntaxFault(node.op_pos, f'label "{label}" must not occur in ON and GROUP clause at once')
    for side, kind in ((node.lhs, lhs), (node.rhs, rhs)):
        if kind not in ("scalar", "vector"):
            reason = "binary expression must contain only scalar and instant vector types"
            raise SyntaxFault(side.pos, reason)
    if node.op in TRIMS:
        raise SyntaxFault(node.op_pos, f'operator "{node.op}" works on native histograms, which are not supported')
    vectors = lhs == rhs == "vector"
    _matching(node, vectors=vectors)
    return "vector" if "vector" in (lhs, rhs) else "scalar"


def _bool(node: Binary, *, scalars: bool) -> None:
    if node.return_bool and node.op not in COMPARISON:
        raise SyntaxFault(node.op_pos, "bool modifier can only be used on comparison operators")
    if scalars and node.op in COMPARISON and not node.return_bool:
        raise SyntaxFault(node.op_pos, "comparisons between scalars must use BOOL modifier")


def _matching(node: Binary, *, vectors: bool) -> None:
    if not vectors and node.matching.labels:
        raise SyntaxFault(node.pos, "vector matching only allowed between instant vectors")
    if node.op in SETS and not vectors:
        raise SyntaxFault(node.pos, f'set operator "{node.op}" not allowed in binary scalar expression')
    if node.op in SETS and node.matching.many != "none":
        raise SyntaxFault(node.pos, f'no grouping allowed for "{node.op}" operation')


def _selector(node: Selector) -> None:
    """A name, or a matcher that does not take everything."""
    if node.name:
        for matcher in node.matchers[:-1]:
            if matcher.name == "__name__":
                raise SyntaxFault(node.pos, f'{_TWICE}: "{node.name}" or "{matcher.value}"')
    elif not any(needs_value(matcher) for matcher in node.matchers):
        raise SyntaxFault(node.pos, "vector selector must contain at least one non-empty matcher")
