"""Profile queries: stacks merged to a flame graph, and the sum of a profile over time (Pyroscope's pkg/model)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pocket.budget import current
from pocket.query import promql
from pocket.query.errors import ParseError
from pocket.rows import Labels, Matcher, ProfileSample

MAX_NODES = 8192  # Pyroscope's max_flamegraph_nodes_default
PROFILE_TYPE = "__profile_type__"
_BYTES_A_FRAME = 100  # of the tree, if no other stack shares it
_PARTS = ("__name__", "__type__", "__unit__", "__period_type__", "__period_unit__")

LabelKey = tuple[tuple[str, str], ...]


class ProfileSource(Protocol):
    def types(self) -> list[str]: ...

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]: ...

    def select(
        self, profile_type: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> Iterator[ProfileSample]: ...


# ---- selectors and types
def parse_selector(text: str) -> list[Matcher]:
    """A label selector such as `{service_name="x"}`; "" and `{}` select everything. Raises ParseError."""
    head, _, rest = text.strip().partition("{")
    if not head and not rest.strip(" }"):
        return []
    try:
        return promql.parse_selector(text)
    except promql.QueryError as error:
        # PromQL refuses what matches everything, such as {a=~".*"}, unless there is a metric's name.
        named = [] if head else _named(rest)
        if not named:
            raise ParseError(f'parsing label selector "{text}": {error}') from None
    return [matcher for matcher in named if matcher != Matcher("__name__", "=", "any")]


def _named(rest: str) -> list[Matcher]:
    try:
        return promql.parse_selector("any{" + rest)
    except promql.QueryError:
        return []


def type_parts(profile_type: str) -> tuple[str, ...]:
    """`name:sample type:sample unit:period type:period unit`, five parts. Raises ParseError."""
    parts = profile_type.split(":")
    if len(parts) not in (5, 6):
        raise ParseError(
            "profile-type selection must be of the form <name>:<sample-type>:<sample-unit>:<period-type>:"
            f'<period-unit>(:delta), got({len(parts)}): "{profile_type}"'
        )
    return tuple(parts[:5])


def type_labels(profile_type: str) -> Labels:
    """The labels that a profile's type gives its series."""
    parts = profile_type.split(":")
    return {**dict(zip(_PARTS, parts, strict=False)), PROFILE_TYPE: profile_type}


def _of_type(matchers: Iterable[Matcher], profile_type: str) -> list[Matcher] | None:
    """The matchers on series labels, if those on the type's labels hold; else None."""
    known = type_labels(profile_type)
    rest: list[Matcher] = []
    for matcher in matchers:
        if matcher.name not in known:
            rest.append(matcher)
        elif not matcher.matches(known):
            return None
    return rest


def series(
    source: ProfileSource, matchers: Sequence[Matcher], names: Sequence[str], start_ms: int, end_ms: int
) -> list[Labels]:
    """Label sets, those of the types among them, reduced to `names` if any are given; each once."""
    found: set[LabelKey] = set()
    for profile_type in source.types():
        rest = _of_type(matchers, profile_type)
        for labels in (
            source.series([Matcher(PROFILE_TYPE, "=", profile_type), *rest], start_ms, end_ms)
            if (rest is not None)
            else ()
        ):
            every = {**labels, **type_labels(profile_type)}
            found.add(tuple(sorted((n, v) for n, v in every.items() if not names or n in names)))
    return [dict(labels) for labels in sorted(found) if labels]


def select(
    source: ProfileSource, profile_type: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
) -> Iterator[ProfileSample]:
    type_parts(profile_type)
    rest = _of_type(matchers, profile_type)
    return iter(()) if rest is None else source.select(profile_type, rest, start_ms, end_ms)


# ---- flame graph
@dataclass(slots=True)
class Node:
    name: str
    total: int = 0
    own: int = 0
    children: dict[str, Node] = field(default_factory=dict)

    def child(self, name: str) -> Node:
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = Node(name)
        return found


@dataclass(slots=True)
class FlameGraph:
    """Levels from the root down; a bar is four numbers: gap to the bar before, total, self, name's index."""

    names: list[str]
    levels: list[list[int]]
    total: int
    max_self: int


def merge(samples: Iterable[ProfileSample]) -> Node:
    """A tree of the stacks, values added up; its root is no frame."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for sample in samples:  # a page at a time, and the store looks at the budget for each
        stacks[sample.stack] += sample.value
    root, budget = Node(""), current()
    for stack, value in stacks.items():
        budget.check()
        budget.hold(len(stack) * _BYTES_A_FRAME)
        node = root
        node.total += value
        for frame in stack:
            node = node.child(frame)
            node.total += value
        node.own += value
    root.own = 0
    return root


def flame_graph(root: Node, max_nodes: int = MAX_NODES) -> FlameGraph:
    """As Pyroscope's NewFlameGraph: children by name, what is smaller than the `max_nodes` largest is `other`."""
    least = _least(root, max_nodes)
    names: dict[str, int] = {}
    bars: list[list[tuple[int, int, int, int]]] = []
    largest = 0
    waiting = [(root, 0, 0)]
    while waiting:
        node, level, offset = waiting.pop()
        largest = max(largest, node.own)
        index = names.setdefault(node.name, len(names))
        if level == len(bars):
            bars.append([])
        bars[level].append((offset, node.total, node.own, index))
        waiting.extend(_placed(node, level + 1, offset + node.own, least))
    shown = ["total", *list(names)[1:]]
    return FlameGraph(shown, [_deltas(level[::-1]) for level in bars], root.total, largest)


def _placed(node: Node, level: int, offset: int, least: int) -> list[tuple[Node, int, int]]:
    """The children side by side, the small ones as one bar at the end."""
    placed: list[tuple[Node, int, int]] = []
    other = 0
    for child in sorted(node.children.values(), key=lambda child: child.name):
        if child.total >= least and child.name != "other":
            placed.append((child, level, offset))
            offset += child.total
        else:
            other += child.total
    if other:
        placed.append((Node("other", other, other), level, offset))
    return placed


def _least(root: Node, max_nodes: int) -> int:
    """The total of the smallest of the `max_nodes` largest nodes; 0 if there are no more than that."""
    if max_nodes < 1:
        return 0
    totals = [node.total for node in _descendants(root)]
    return 0 if len(totals) <= max_nodes else heapq.nlargest(max_nodes, totals)[-1]


def _descendants(root: Node) -> Iterator[Node]:
    waiting = list(root.children.values())
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children.values())
        yield node


def _deltas(level: Sequence[tuple[int, int, int, int]]) -> list[int]:
    """Offsets relative to the end of the bar before."""
    values: list[int] = []
    end = 0
    for offset, total, own, index in level:
        values += (offset - end, total, own, index)
        end = offset + total
    return values


# ---- over time
def time_series(
    samples: Iterable[ProfileSample], group_by: Sequence[str], start_ms: int, end_ms: int, step_ms: int,
    *, average: bool = False,
) -> dict[LabelKey, list[tuple[int, float]]]:  # fmt: skip
    """(t_ms, value) by group: at start, start + step, … the sum (or the mean a profile) of the step before."""
    sums: dict[LabelKey, Counter[int]] = {}
    times: dict[LabelKey, dict[int, set[int]]] = {}
    for sample in samples:
        key = tuple((name, sample.labels[name]) for name in sorted(group_by) if name in sample.labels)
        step = max(start_ms, start_ms - (start_ms - sample.t_ms) // step_ms * step_ms)
        if step <= end_ms:
            sums.setdefault(key, Counter())[step] += sample.value
            times.setdefault(key, {}).setdefault(step, set()).add(sample.t_ms)
    return {
        key: [(t, value / len(times[key][t]) if average else float(value)) for t, value in sorted(found.items())]
        for key, found in sorted(sums.items())
    }
