"""How much was taken in, by the second that the data is of: what retention has to delete to free so much."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

_LOOKS = 8  # rows of a batch that are asked for their time; senders send in the order of time
_SPREAD = 100
_SECONDS: dict[str, Callable[[Any], float]] = {
    "samples": lambda row: row.t_ms / 1e3,
    "exemplars": lambda row: row.t_ms / 1e3,
    "logs": lambda row: row.t_ns / 1e9,
    "spans": lambda row: row.start_ns / 1e9,
    "profiles": lambda row: row.t_ms / 1e3,
}


class Intake:
    """Sizes in any one unit, as only their proportions count. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._sizes: dict[int, float] = defaultdict(float)
        self._lock = threading.Lock()

    def add(self, signal: str, rows: Sequence[Any], size: float) -> None:
        """A batch, as the writer has it."""
        if (seconds := _SECONDS.get(signal)) is None:
            return
        looked_at = rows[:: max(1, len(rows) // _LOOKS)]
        with self._lock:
            for row in looked_at:
                self._sizes[int(seconds(row))] += size / len(looked_at)

    def spread(self, first: float, last: float, size: float) -> None:
        """What was there before, as if it had come evenly; times in Unix seconds."""
        with self._lock:
            for step in range(_SPREAD):
                self._sizes[int(first + (last - first) * (step + 1) / _SPREAD)] += size / _SPREAD

    def take_oldest(self, fraction: float) -> float | None:
        """The time before which this fraction of all lies, in Unix seconds, and forget what lies before it; None
        where nothing is known."""
        with self._lock:
            left = fraction * sum(self._sizes.values())
            cut = None
            for second in sorted(self._sizes):
                left -= self._sizes.pop(second)
                cut = second + 1.0
                if left <= 0:
                    break
            return cut
