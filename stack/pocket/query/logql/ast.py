"""What LogQL text parses to. All nodes are immutable; times are in ns."""

from __future__ import annotations

from dataclasses import dataclass

from pocket.rows import Matcher


# ---- label filters
@dataclass(frozen=True, slots=True)
class MatcherFilter:
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class QuantityFilter:
    name: str
    op: str  # == != < <= > >=
    value: float
    unit: str  # number, duration (ns), bytes


@dataclass(frozen=True, slots=True)
class IpFilter:
    name: str
    pattern: str
    equal: bool


@dataclass(frozen=True, slots=True)
class BinaryFilter:
    op: str  # and, or
    left: LabelFilter
    right: LabelFilter


LabelFilter = MatcherFilter | QuantityFilter | IpFilter | BinaryFilter


# ---- pipeline stages
@dataclass(frozen=True, slots=True)
class Ip:
    """An address in the line, a network or a range of them, where else a text stands."""

    pattern: str


@dataclass(frozen=True, slots=True)
class LineFilter:
    op: str  # |= != |~ !~ |> !>
    needles: tuple[str | Ip, ...]  # any of them


@dataclass(frozen=True, slots=True)
class Json:
    extractions: tuple[tuple[str, str], ...] = ()  # label, path; empty = everything


@dataclass(frozen=True, slots=True)
class Unpack:
    pass


@dataclass(frozen=True, slots=True)
class Logfmt:
    extractions: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    keep_empty: bool = False


@dataclass(frozen=True, slots=True)
class Regexp:
    pattern: str


@dataclass(frozen=True, slots=True)
class Pattern:
    pattern: str


@dataclass(frozen=True, slots=True)
class FilterStage:
    filter: LabelFilter


@dataclass(frozen=True, slots=True)
class LineFormat:
    template: str


@dataclass(frozen=True, slots=True)
class LabelFormat:
    label: str
    source: str
    rename: bool  # source is a label's name; else a template


@dataclass(frozen=True, slots=True)
class LabelFormats:
    formats: tuple[LabelFormat, ...]


@dataclass(frozen=True, slots=True)
class Decolorize:
    pass


@dataclass(frozen=True, slots=True)
class Drop:
    labels: tuple[str | Matcher, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    labels: tuple[str | Matcher, ...]


Parser = Json | Unpack | Logfmt | Regexp | Pattern
Stage = LineFilter | Parser | FilterStage | LineFormat | LabelFormats | Decolorize | Drop | Keep


# ---- queries
@dataclass(frozen=True, slots=True)
class LogQuery:
    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Unwrap:
    label: str
    conversion: str = ""  # "", bytes, duration, duration_seconds
    filters: tuple[LabelFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRange:
    query: LogQuery
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    op: str
    log_range: LogRange
    grouping: Grouping | None = None
    parameter: float | None = None


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    op: str
    expr: MetricExpr
    grouping: Grouping = Grouping()
    parameter: int = 0


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors' samples find each other. `card` is one-to-one, many-to-one or one-to-many."""

    return_bool: bool = False
    on: bool = False
    labels: tuple[str, ...] = ()
    card: str = "one-to-one"
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: MetricExpr
    right: MetricExpr
    matching: Matching = Matching()


@dataclass(frozen=True, slots=True)
class Literal:
    value: float


@dataclass(frozen=True, slots=True)
class VectorLiteral:
    value: float


@dataclass(frozen=True, slots=True)
class LabelReplace:
    expr: MetricExpr
    target: str
    replacement: str
    source: str
    pattern: str


MetricExpr = RangeAggregation | VectorAggregation | Binary | Literal | VectorLiteral | LabelReplace
Expr = LogQuery | MetricExpr
