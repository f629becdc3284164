"""Telemetry on disk: DuckDB behind one writer thread, bounded in age and size.

Every append is queued and committed within half a second, or sooner where its sender waits for that; queries read
concurrently from cursors of their own.
"""

from pocket.store.database import StoreError
from pocket.store.store import Store
from pocket.store.writer import StoreFull, TooLargeError

__all__ = ["Store", "StoreError", "StoreFull", "TooLargeError"]
