"""The tree that is evaluated: no parentheses, durations computed (engine.go: PreprocessExpr)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from pocket.query.promql import ast
from pocket.query.promql.modifiers import MAX_DURATION
from pocket.query.promql.result import QueryError


def preprocess(tree: ast.Node, text: str, step_ms: int, range_ms: int) -> ast.Node:
    """`step_ms` and `range_ms` are what `step()` and `range()` give. Raises QueryError("bad_data")."""
    return _Query(text, step_ms / 1000, range_ms / 1000).node(tree)


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    step: float
    range: float

    def node(self, node: ast.Node) -> ast.Node:
        match node:
            case ast.Paren(expr=inner):
                return self.node(inner)
            case ast.Unary(expr=inner):
                return replace(node, expr=self.node(inner))
            case ast.Binary(lhs=lhs, rhs=rhs):
                return replace(node, lhs=self.node(lhs), rhs=self.node(rhs))
            case ast.Call(args=args):
                return replace(node, args=tuple(map(self.node, args)))
            case ast.Aggregate(expr=inner, param=param):
                return replace(node, expr=self.node(inner), param=None if param is None else self.node(param))
            case ast.Selector():
                return self._selector(node)
            case ast.Range(selector=selector, range_ms=length, range_expr=expr):
                return ast.Range(node.pos, self._selector(selector), self._ms(length, expr))
            case ast.Subquery():
                return self._subquery(node)
        return node

    def _selector(self, node: ast.Selector) -> ast.Selector:
        if node.offset_expr is None:
            return node
        return replace(node, offset_ms=self._ms(0, node.offset_expr, negative=True), offset_expr=None)

    def _subquery(self, node: ast.Subquery) -> ast.Subquery:
        offset_ms = self._ms(node.offset_ms, node.offset_expr, negative=True)
        step_ms = node.step_ms if node.step_expr is None else self._ms(0, node.step_expr)
        range_ms = self._ms(node.range_ms, node.range_expr)
        return ast.Subquery(node.pos, self.node(node.expr), range_ms, step_ms, offset_ms, node.at)

    # ---- durations
    def _ms(self, ms: int, duration: ast.Duration | None, *, negative: bool = False) -> int:
        if duration is None:
            return ms
        seconds = self._seconds(duration)
        if not math.isfinite(seconds):
            raise self._fault(duration, "duration is NaN or infinite")
        if seconds <= 0 and not negative:
            raise self._fault(duration, "duration must be greater than 0")
        if abs(seconds) > MAX_DURATION:
            raise self._fault(duration, "duration is out of range")
        return int(seconds * 1000)

    def _seconds(self, operand: ast.DurationOperand) -> float:
        if isinstance(operand, ast.Number):
            return operand.value
        if operand.op in ("step", "range"):
            return self.step if operand.op == "step" else self.range
        values = [self._seconds(one) for one in operand.operands]
        if len(values) == 1:
            return -values[0] if operand.op == "-" else values[0]
        if operand.op in ("/", "%") and values[1] == 0:
            raise self._fault(operand, "division by zero" if operand.op == "/" else "modulo by zero")
        return _OPERATIONS[operand.op](*values)

    def _fault(self, duration: ast.Duration, reason: str) -> QueryError:
        """Prometheus counts bytes from 0 here, and tells where the duration begins and ends."""
        first, last = (len(self.text[:at].encode("utf-8", "surrogatepass")) for at in (duration.pos, duration.end))
        return QueryError("bad_data", f"{first}:{last}: {reason}")


def _power(base: float, exponent: float) -> float:
    """As math.Pow of Go, without Python's exceptions."""
    try:
        result = base**exponent
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return math.inf
    return result if isinstance(result, float) else math.nan


_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": _power,
    "min_of": min,
    "max_of": max,
}
