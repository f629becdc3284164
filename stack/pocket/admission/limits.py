"""What one item, and one request, may hold. More can never be stored, and is refused for good.

Bodies are bounded at 16 MiB, and memory by what they become: a bucket is a series with all labels of its own, a
frame of a stack a pointer. So the bounds are on what is made, as well as on what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from pocket.asgi.body import BodyError

ITEM_BYTES = 256 << 10  # a span, log record, data point, resource; Loki's own limit for a line
ROWS = 100_000  # of a request: spans, log lines, samples, stacks
CELLS = 1_000_000  # of a request: labels of all samples, frames of all stacks
BUCKETS = 1_000  # of a histogram or summary, and exemplars of a data point

# Loki's and Mimir's defaults (validation.Limits).
NAME, VALUE = 1024, 2048  # characters of a label; Loki counts bytes
LABELS = 128  # of a series; Loki's number of structured metadata
METADATA_BYTES = 64 << 10  # structured metadata of a log line
TEXT = 4096  # a metric's description, unit


TOO_LARGE = f"larger than {ITEM_BYTES >> 10} KiB"


class Allowance:
    """Counts what a request becomes; BodyError 413 once it is too much."""

    def __init__(self) -> None:
        self._rows = self._cells = 0

    def take(self, rows: int, cells: int = 0) -> None:
        """Raises BodyError 413 at the row, label or frame that is too many."""
        self._rows += rows
        self._cells += cells
        if self._rows > ROWS:
            raise BodyError(413, f"more than {ROWS} rows in a request, send smaller ones")
        if self._cells > CELLS:
            raise BodyError(413, f"more than {CELLS} labels or frames in a request, send smaller ones")


@dataclass(slots=True)
class Rejected:
    """Items of a request that were refused while the others were taken (OTLP's partial success)."""

    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int = 1) -> None:
        self.count += count
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    @property
    def message(self) -> str:
        """The reasons with their numbers, as OTLP's `error_message`."""
        return "; ".join(f"{reason} ({count})" for reason, count in self.reasons.items())


def fitting(request: Any) -> Callable[[Any], bool]:
    """Tells whether a message within this one is at most ITEM_BYTES; measured only where one could be larger."""
    if request.ByteSize() <= ITEM_BYTES:
        return lambda _: True
    return lambda item: bool(item.ByteSize() <= ITEM_BYTES)


def utf8_size(texts: Iterable[str], limit: int) -> int:
    """Bytes of the texts in UTF-8; their characters, which are known, where four bytes each keep to `limit`."""
    given = list(texts)
    characters = sum(map(len, given))
    if characters * 4 <= limit:
        return characters
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in given)


def wrong_metadata(metadata: Mapping[str, str]) -> str | None:
    """Why no log line can have this structured metadata, None if one can."""
    if len(metadata) > LABELS:
        return f"with structured metadata of more than {LABELS} entries"
    if utf8_size(chain(metadata, metadata.values()), METADATA_BYTES) > METADATA_BYTES:
        return f"with structured metadata of more than {METADATA_BYTES >> 10} KiB"
    return None


def wrong_labels(labels: Mapping[str, str]) -> str | None:
    """Why no series can have these, None if one can."""
    if len(labels) > LABELS:
        return f"with more than {LABELS} labels"
    if any(len(name) > NAME or len(value) > VALUE for name, value in labels.items()):
        return f"with a label name of more than {NAME} characters or a value of more than {VALUE}"
    return None
