"""The syntax tree of a query, checked, in milliseconds and rows' matchers, with positions in the text."""

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


@dataclass(frozen=True, slots=True)
class String:
    pos: int
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    pos: int
    matchers: tuple[Matcher, ...]  # regular expressions in Python's dialect
    offset_ms: int = 0
    at: At = None


@dataclass(frozen=True, slots=True)
class Range:
    pos: int
    selector: Selector
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    pos: int
    expr: Node
    range_ms: int
    step_ms: int | None
    offset_ms: int = 0
    at: At = None


@dataclass(frozen=True, slots=True)
class Negation:
    pos: int
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


Node = Number | String | Selector | Range | Subquery | Negation | Binary | Call | Aggregate


def value_type(node: Node) -> ValueType:
    """What evaluating the node gives."""
    match node:
        case Number():
            return "scalar"
        case String():
            return "string"
        case Range() | Subquery():
            return "matrix"
        case Negation(expr=inner):
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
        case Subquery(expr=inner) | Negation(expr=inner):
            return selectors(inner)
        case Binary(lhs=lhs, rhs=rhs):
            return [*selectors(lhs), *selectors(rhs)]
        case Call(args=args):
            return [s for arg in args for s in selectors(arg)]
        case Aggregate(expr=inner, param=param):
            return [*(selectors(param) if param else []), *selectors(inner)]
        case _:
            return []
