"""What this engine asks of a store of spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pocket.rows import Span


class TraceSource(Protocol):
    def newest(
        self,
        start_ns: int,
        end_ns: int,
        *,
        service: str | None = None,
        name: str | None = None,
        min_duration_ns: int = 0,
        max_duration_ns: int | None = None,
        status: int | None = None,
        kind: int | None = None,
        attributes: Sequence[tuple[str, str | None]] = (),
    ) -> Iterator[list[Span]]:
        """Batches of whole traces, newest first: each with a span in the range that passes all filters.

        `attributes` are names the span must have, with a text that stands in the value, if it is known.
        """
        ...
