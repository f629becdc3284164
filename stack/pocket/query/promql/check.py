"""What the grammar lets pass and Prometheus refuses: types, counts of arguments, matchers (parse.go: checkAST)."""

from __future__ import annotations

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
from pocket.query.promql.signatures import SIGNATURES
from pocket.query.promql.syntax_error import SyntaxFault
from pocket.rows import Matcher

TRIMS = frozenset({"</", ">/"})
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
