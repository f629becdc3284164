"""Structural operators: which spans of the right stand in a relation to spans of the left.

`>` child, `>>` descendant, `<` parent, `<<` ancestor, `~` sibling; with `!` those of the right that have no such
partner, with `&` the partners on both sides (Tempo's vparquet block_traceql.go: ChildOf, DescendantOf, SiblingOf).
All by nested-set numbers, in n log n.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from pocket.query.traceql.trace import Trace
from pocket.rows import Span

Test = Callable[[Span], bool]


def related(op: str, left: Sequence[Span], right: Sequence[Span], trace: Trace) -> list[Span]:
    """The spans that `left op right` selects."""
    base = op.lstrip("!&")
    test = _TESTS[base](left, trace)
    if op.startswith("!"):
        return [span for span in right if not test(span)]
    found = [span for span in right if test(span)]
    if not op.startswith("&"):
        return found
    back = _TESTS[_INVERSE[base]](right, trace)
    both = {id(span): span for span in (*(span for span in left if back(span)), *found)}
    return sorted(both.values(), key=lambda span: span.start_ns)


def _child_of(left: Sequence[Span], trace: Trace) -> Test:
    parents = {trace.bound(span)[0] for span in left} - {0}
    return lambda span: trace.bound(span)[2] in parents


def _parent_of(left: Sequence[Span], trace: Trace) -> Test:
    parents = {trace.bound(span)[2] for span in left} - {0}
    return lambda span: trace.bound(span)[0] in parents


def _sibling_of(left: Sequence[Span], trace: Trace) -> Test:
    parents = Counter(trace.bound(span)[2] for span in left)
    present = {id(span) for span in left}
    return lambda span: trace.bound(span)[2] != 0 and parents[trace.bound(span)[2]] > (id(span) in present)


def _descendant_of(left: Sequence[Span], trace: Trace) -> Test:
    """Some span of `left` begins before and ends after: intervals nest, so the farthest end so far decides."""
    bounds = sorted(trace.bound(span) for span in left if trace.bound(span)[0])
    begins, farthest = [bound[0] for bound in bounds], list(accumulate((bound[1] for bound in bounds), max))

    def test(span: Span) -> bool:
        begin, end, _ = trace.bound(span)
        before = bisect_left(begins, begin)
        return begin > 0 and before > 0 and farthest[before - 1] > end

    return test


def _ancestor_of(left: Sequence[Span], trace: Trace) -> Test:
    begins = sorted(trace.bound(span)[0] for span in left)

    def test(span: Span) -> bool:
        begin, end, _ = trace.bound(span)
        after = bisect_right(begins, begin)
        return begin > 0 and after < len(begins) and begins[after] < end

    return test


_TESTS: dict[str, Callable[[Sequence[Span], Trace], Test]] = {
    ">": _child_of,
    "<": _parent_of,
    "~": _sibling_of,
    ">>": _descendant_of,
    "<<": _ancestor_of,
}
_INVERSE = {">": "<", "<": ">", ">>": "<<", "<<": ">>", "~": "~"}
