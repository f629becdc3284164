"""One trace as the engine sees it: its spans, their tree, and what TraceQL calls the trace's intrinsics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from pocket.rows import Span

# What Tempo shows for a trace whose root has not come (yet).
NO_ROOT = "<root span not yet received>"
ROOT_PARENT = -1


class Trace:
    """All spans of one trace, oldest first; the tree is built when it is asked for.

    `bounds` are nested-set numbers as Tempo assigns them (vparquet nested_set_model.go): a span's descendants lie
    between its left and right. What does not hang on a root has 0 and is related to nothing.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = sorted(spans, key=lambda span: span.start_ns)
        self.trace_id = self.spans[0].trace_id

    @cached_property
    def root(self) -> Span | None:
        return next((span for span in self.spans if not span.parent_span_id), None)

    @property
    def start_ns(self) -> int:
        return self.spans[0].start_ns

    @cached_property
    def duration_ns(self) -> int:
        return max(0, max(span.end_ns for span in self.spans) - self.start_ns)

    @property
    def root_name(self) -> str:
        return self.root.name if self.root else NO_ROOT

    @property
    def root_service(self) -> str:
        return self.root.service_name if self.root else NO_ROOT

    @cached_property
    def children(self) -> dict[str, list[Span]]:
        """Spans by the id of their parent."""
        children: dict[str, list[Span]] = {}
        for span in self.spans:
            children.setdefault(span.parent_span_id, []).append(span)
        return children

    @cached_property
    def bounds(self) -> dict[int, tuple[int, int, int]]:
        """`id(span)` → (left, right, parent's left); spans that hang on no root are missing."""
        bounds: dict[int, tuple[int, int, int]] = {}
        number = 1
        for root in self.children.get("", []):
            number = self._number(root, number, bounds)
        return bounds

    def _number(self, root: Span, number: int, bounds: dict[int, tuple[int, int, int]]) -> int:
        """Depth first without recursion: traces can be deeper than Python's stack."""
        open_spans = [(root, number, ROOT_PARENT, iter(self.children.get(root.span_id, ())))]
        visited = {id(root)}
        number += 1
        while open_spans:
            span, left, parent, rest = open_spans[-1]
            child = next((item for item in rest if id(item) not in visited), None)
            if child is None:
                bounds[id(span)] = (left, number, parent)
                open_spans.pop()
            else:
                visited.add(id(child))
                open_spans.append((child, number, left, iter(self.children.get(child.span_id, ()))))
            number += 1
        return number

    def bound(self, span: Span) -> tuple[int, int, int]:
        return self.bounds.get(id(span), (0, 0, 0))

    def service_stats(self) -> dict[str, dict[str, int]]:
        """Spans, and errors where there are any, by service: Tempo's `serviceStats`."""
        spans = Counter(span.service_name for span in self.spans)
        errors = Counter(span.service_name for span in self.spans if span.status == 2)
        return {
            name: {"spanCount": count, **({"errorCount": errors[name]} if errors[name] else {})}
            for name, count in spans.items()
        }
