"""The syntax tree of a query, in milliseconds and rows' matchers, with positions in the text, in characters.

`preprocess` makes of it the tree that is evaluated: without `Paren`, and with every `Duration` computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pocket.rows import Matcher

ValueType = Literal["scalar", "vector", "matrix", "string"]
At = int | Literal["start", "end"] | None  # Unix ms, or the query's start or end

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
COMPARISON = frozenset({"==", "!=", "<", "<=", ">", ">="})
SETS = frozenset({"and", "or", "unless"})
SCALAR_FUNCTIONS = frozenset({"time", "pi", "scalar"})


@dataclass(frozen=True, slots=True)
class Number:
    pos: int
    value: float
    end: int = 0
    duration: bool = False  # written as one, in seconds here


@dataclass(frozen=True, slots=True)
class String:
    pos: int
    value: str


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration that is computed, in seconds; `step` and `range` are those of the query.

    Where a node has one in its `…_expr`, the `…_ms` beside it says nothing yet.
    """

    pos: int
    end: int
    op: str  # + - * / % ^ (with one operand: a sign), step, range, min_of, max_of
    operands: tuple[DurationOperand, ...] = ()
    in_parentheses: bool = False


DurationOperand = Number | Duration


@dataclass(frozen=True, slots=True)
class Selector:
    pos: int
    matchers: tuple[Matcher, ...]  # with that of the name last
    offset_ms: int = 0
    at: At = None
    name: str = ""  # before the braces
    offset_expr: Duration | None = None


@dataclass(frozen=True, slots=True)
class Range:
    pos: int
    selector: Selector
    range_ms: int
    range_expr: Duration | None = None


@dataclass(frozen=True, slots=True)
class Subquery:
    pos: int
    expr: Node
    range_ms: int
    step_ms: int | None
    offset_ms: int = 0
    at: At = None
    range_expr: Duration | None = None
    step_expr: Duration | None = None
    offset_expr: Duration | None = None


@dataclass(frozen=True, slots=True)
class Paren:
    pos: int
    expr: Node


@dataclass(frozen=True, slots=True)
class Unary:
    pos: int
    op: str
    expr: Node


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors' series find each other; `many` names the side that may match several times."""

    on: bool
    labels: tuple[str, ...]
    many: Literal["none", "left", "right"] = "none"
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    pos: int
    op: str
    lhs: Node
    rhs: Node
    matching: Matching
    return_bool: bool = False
    op_pos: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    pos: int
    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    pos: int
    op: str
    expr: Node
    param: Node | None
    without: bool
    grouping: tuple[str, ...]


Node = Number | String | Selector | Range | Subquery | Paren | Unary | Binary | Call | Aggregate


def value_type(node: Node) -> ValueType:
    """What evaluating the node gives."""
    match node:
        case Number():
            return "scalar"
        case String():
            return "string"
        case Range() | Subquery():
            return "matrix"
        case Unary(expr=inner) | Paren(expr=inner):
            return value_type(inner)
        case Binary(lhs=lhs, rhs=rhs):
            return "scalar" if value_type(lhs) == value_type(rhs) == "scalar" else "vector"
        case Call(name=name):
            return "scalar" if name in SCALAR_FUNCTIONS else "vector"
        case _:
            return "vector"


def selectors(node: Node) -> list[Selector]:
    """Every selector of the tree, in the order of the text."""
    match node:
        case Selector():
            return [node]
        case Range(selector=selector):
            return [selector]
        case Subquery(expr=inner) | Unary(expr=inner) | Paren(expr=inner):
            return selectors(inner)
        case Binary(lhs=lhs, rhs=rhs):
            return [*selectors(lhs), *selectors(rhs)]
        case Call(args=args):
            return [s for arg in args for s in selectors(arg)]
        case Aggregate(expr=inner, param=param):
            return [*(selectors(param) if param else []), *selectors(inner)]
        case _:
            return []
