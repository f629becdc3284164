"""Retried deliveries: senders deliver at least once, so the newest requests are remembered to drop repeats."""

from __future__ import annotations

from collections.abc import Hashable


class Recent:
    """The last `size` keys, by hash. A repeat within that window is recognized."""

    def __init__(self, size: int = 50_000) -> None:
        self._size = size
        self._seen: dict[int, None] = {}
        self._fresh: list[int] = []

    def add(self, key: Hashable) -> bool:
        """False if the key was seen before."""
        digest = hash(key)
        if digest in self._seen:
            return False
        self._seen[digest] = None
        self._fresh.append(digest)
        return True

    def committed(self) -> None:
        """What was added since the last commit is safe; forget the oldest beyond the window."""
        self._fresh.clear()
        while len(self._seen) > self._size:
            del self._seen[next(iter(self._seen))]

    def rolled_back(self) -> None:
        """What was added since was not written, so it may come again."""
        for digest in self._fresh:
            self._seen.pop(digest, None)
        self._fresh.clear()
