"""Which labels a metric query asks for: parsers need not make the others (Loki's ParserHint, pkg/logql/log)."""

from __future__ import annotations

from collections.abc import Iterator, Set

from pocket.query.logql import ast
from pocket.query.logql.levels import LABEL
from pocket.query.logql.record import DUPLICATE

Names = frozenset[str]


def labels(expr: ast.RangeAggregation, grouping: ast.Grouping | None) -> Names | None:
    """The names that anything behind a parser may read; None: all, as in an answer without a grouping."""
    stages = expr.log_range.query.stages
    if grouping is None or grouping.without:
        return None
    if any(isinstance(stage, ast.LineFormat | ast.LabelFormats) for stage in stages):
        return None  # a template may name any field
    found = {*grouping.labels, *(name for stage in stages for name in _of_stage(stage))}
    if unwrap := expr.log_range.unwrap:
        found |= {unwrap.label, *(name for condition in unwrap.filters for name in _of_filter(condition))}
    return frozenset(found)


def _of_stage(stage: ast.Stage) -> Iterator[str]:
    match stage:
        case ast.FilterStage(condition):
            yield from _of_filter(condition)
        case ast.Drop(names) | ast.Keep(names):
            yield from (name if isinstance(name, str) else name.name for name in names)


def _of_filter(condition: ast.LabelFilter) -> Iterator[str]:
    match condition:
        case ast.MatcherFilter(matcher):
            yield matcher.name
        case ast.QuantityFilter(name) | ast.IpFilter(name):
            yield name
        case ast.BinaryFilter(_, left, right):
            yield from _of_filter(left)
            yield from _of_filter(right)


def takes(names: Names | None, name: str) -> bool:
    """Whether a field of this name may become a label that is asked for: under its own or its second name."""
    return names is None or name in names or name + DUPLICATE in names


def takes_prefix(names: Names | None, prefix: str) -> bool:
    """Whether a field within an object of this name may become a label that is asked for."""
    return names is None or any(name.startswith(prefix) for name in names)


def complete(names: Names, extracted: Set[str]) -> bool:
    """Whether there is nothing left to look for, under neither name: Loki's AllRequiredExtracted."""
    return all(name in extracted and name.removesuffix(DUPLICATE) in extracted for name in names)


def level(names: Names | None) -> bool:
    """Whether `detected_level` has to be found: looking for it costs as much as a parser."""
    return takes(names, LABEL)
