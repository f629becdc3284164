"""What this engine asks of a store of log lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pocket.rows import LogEntry, Matcher


class LogSource(Protocol):
    def select(
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        limit: int | None = None,
        newest_first: bool | None = True,
        contains: Sequence[str] = (),
    ) -> Iterator[LogEntry]:
        """Entries of the matching streams in the order of time (`newest_first` None: any), `end_ns` exclusive."""
        ...
