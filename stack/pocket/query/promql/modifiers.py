"""What stands behind an operand: a range, `offset`, `@`; and the durations there (promql/parser/parse.go)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from pocket.query.numbers import fixed
from pocket.query.promql import ast
from pocket.query.promql.syntax_error import SyntaxFault

MAX_DURATION = 2**63 / 1e9  # seconds that fit Go's time.Duration
MAX_MS = 1 << 53  # no sample is that far from 1970; larger times do not survive float64
_SELECTS = "an instant vector selector or range vector selector or a subquery"

Modified = ast.Selector | ast.Subquery


def ranged(expr: ast.Node, bracket: int, duration: ast.DurationOperand) -> ast.Range:
    """A selector's window. Raises SyntaxFault at the bracket.

    As 3.14 does, it takes an offset that is computed and `@ start()` before the window too.
    """
    if not isinstance(expr, ast.Selector):
        raise SyntaxFault(bracket, "ranges only allowed for vector selectors")
    if expr.offset_ms != 0:
        raise SyntaxFault(bracket, "no offset modifiers allowed before range")
    if isinstance(expr.at, int):
        raise SyntaxFault(bracket, "no @ modifiers allowed before range")
    return ast.Range(expr.pos, expr, milliseconds(duration), computed(duration))


def subquery(expr: ast.Node, length: ast.DurationOperand, step: ast.DurationOperand | None) -> ast.Subquery:
    return ast.Subquery(
        expr.pos,
        expr,
        milliseconds(length),
        None if step is None else milliseconds(step),
        range_expr=computed(length),
        step_expr=None if step is None else computed(step),
    )


def with_offset(expr: ast.Node, duration: ast.DurationOperand) -> ast.Node:
    def changed(node: Modified) -> Modified:
        if _has_offset(node):
            raise SyntaxFault(expr.pos, "offset may not be set multiple times")
        return replace(node, offset_ms=milliseconds(duration), offset_expr=computed(duration))

    return _modified(expr, changed, f"offset modifier must be preceded by {_SELECTS}")


def _has_offset(node: Modified) -> bool:
    return node.offset_ms != 0 or node.offset_expr is not None


def at(expr: ast.Node, seconds: float) -> ast.Node:
    """Pinned to a time."""
    if not abs(seconds) < 2**63:
        raise SyntaxFault(expr.pos, f"timestamp out of bounds for @ modifier: {fixed(seconds)}")
    ms = math.floor(abs(seconds) * 1000 + 0.5)
    return _pinned(expr, min(ms, MAX_MS) if seconds > 0 else -min(ms, MAX_MS))


def at_edge(expr: ast.Node, edge: Literal["start", "end"]) -> ast.Node:
    return _pinned(expr, edge)


def _pinned(expr: ast.Node, value: ast.At) -> ast.Node:
    def changed(node: Modified) -> Modified:
        if node.at is not None:
            raise SyntaxFault(expr.pos, "@ <timestamp> may not be set multiple times")
        return replace(node, at=value)

    return _modified(expr, changed, f"@ modifier must be preceded by {_SELECTS}")


def _modified(expr: ast.Node, changed: Callable[[Modified], Modified], refusal: str) -> ast.Node:
    if isinstance(expr, ast.Selector | ast.Subquery):
        return changed(expr)
    if isinstance(expr, ast.Range):
        selector = changed(expr.selector)
        assert isinstance(selector, ast.Selector)
        return replace(expr, selector=selector)
    raise SyntaxFault(expr.pos, refusal)


# ---- durations
def computed(duration: ast.DurationOperand) -> ast.Duration | None:
    return duration if isinstance(duration, ast.Duration) else None


def milliseconds(duration: ast.DurationOperand) -> int:
    """Whole ones, as the samples' times are; 0 of what is to be computed."""
    if isinstance(duration, ast.Duration):
        return 0
    if math.isnan(duration.value):
        return int(-MAX_DURATION * 1000)  # what Go makes of `offset nan`
    ms = math.floor(abs(duration.value) * 1e9 + 0.5) // 1_000_000
    return ms if duration.value >= 0 else -ms


def in_range(number: ast.Number, pos: int) -> ast.Number:
    if abs(number.value) > MAX_DURATION:
        raise SyntaxFault(pos, "duration out of range")
    return number


def signed(negative: bool, pos: int, operand: ast.DurationOperand) -> ast.DurationOperand:
    """`+` or `-` and a duration; a literal takes the sign in, and begins with it from then on."""
    if isinstance(operand, ast.Number):
        in_range(operand, pos)
        return replace(operand, pos=pos, value=-operand.value if negative else operand.value)
    return ast.Duration(pos, operand.end, "-", (operand,)) if negative else operand


def grouped(operand: ast.DurationOperand) -> ast.DurationOperand:
    """In parentheses, of which a literal keeps no trace."""
    return replace(operand, in_parentheses=True) if isinstance(operand, ast.Duration) else operand
