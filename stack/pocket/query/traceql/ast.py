"""What TraceQL text parses to. `str()` of a node is the text Tempo prints in its messages and result names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """A span's status, a type of its own in TraceQL."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class Kind(StrEnum):
    """A span's kind, a type of its own in TraceQL."""

    UNSPECIFIED = "unspecified"
    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Duration(int):
    """Nanoseconds, a type of its own: dividing durations gives a fraction, dividing integers does not."""


# nil, or by Python's type: string, int, duration (ns), float, boolean, status, kind, list
Value = str | int | float | bool | Status | Kind | list[object] | None


@dataclass(frozen=True, slots=True)
class Static:
    type: str  # string int float bool duration status kind nil
    value: Value
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Attribute:
    scope: str  # "" (any), resource, span, event, link, instrumentation
    name: str

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """`name` as Tempo prints it: `duration` for span:duration, `rootServiceName` for trace:rootService, …"""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Unary:
    op: str  # ! - exists missing
    operand: Field

    def __str__(self) -> str:
        suffix = {"exists": " != nil", "missing": " = nil"}.get(self.op)
        return f"{wrapped(self.operand)}{suffix}" if suffix else f"{self.op}{wrapped(self.operand)}"


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: Field
    right: Field

    def __str__(self) -> str:
        return f"{wrapped(self.left)} {self.op} {wrapped(self.right)}"


Field = Static | Attribute | Intrinsic | Unary | Binary
Named = Attribute | Intrinsic


def wrapped(node: object) -> str:
    return str(node) if isinstance(node, Static | Attribute | Intrinsic) else f"({node})"


# ---- spansets
@dataclass(frozen=True, slots=True)
class SpansetFilter:
    condition: Field

    def __str__(self) -> str:
        return f"{{ {self.condition} }}"


@dataclass(frozen=True, slots=True)
class SpansetOperation:
    op: str
    left: Spanset
    right: Spanset

    def __str__(self) -> str:
        return f"{wrapped(self.left)} {self.op} {wrapped(self.right)}"


@dataclass(frozen=True, slots=True)
class Aggregate:
    op: str  # count avg max min sum
    field: Field | None = None

    def __str__(self) -> str:
        return f"{self.op}({'' if self.field is None else self.field})"


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    aggregate: Aggregate
    op: str
    value: Static

    def __str__(self) -> str:
        return f"({self.aggregate}) {self.op} {self.value}"


@dataclass(frozen=True, slots=True)
class Group:
    field: Field

    def __str__(self) -> str:
        return f"by({self.field})"


@dataclass(frozen=True, slots=True)
class Coalesce:
    pass


@dataclass(frozen=True, slots=True)
class Select:
    attributes: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    elements: tuple[Element, ...]

    def __str__(self) -> str:
        return "|".join(map(str, self.elements))


Spanset = SpansetFilter | SpansetOperation | Pipeline
Element = SpansetFilter | SpansetOperation | Pipeline | ScalarFilter | Group | Coalesce | Select


# ---- metrics
@dataclass(frozen=True, slots=True)
class Metrics:
    op: str  # rate, count_over_time, …
    attribute: Named | None = None
    by: tuple[Named, ...] = ()
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """Spans that `filter` selects against all others; of the selected those in (start, end] alone, if given."""

    filter: SpansetFilter
    top: int = 10
    start_ns: int = 0
    end_ns: int = 0
    op: str = "compare"


@dataclass(frozen=True, slots=True)
class Best:
    op: str  # topk, bottomk
    count: int


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    op: str
    value: Static


@dataclass(frozen=True, slots=True)
class Query:
    pipeline: Pipeline
    metrics: Metrics | Compare | None = None
    second_stages: tuple[Best | SeriesFilter, ...] = ()
    hints: tuple[tuple[str, Static], ...] = ()
