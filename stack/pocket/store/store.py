"""The store as the other rooms see it: append by signal, query by signal, flush, close."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from pocket.config import Settings
from pocket.own_metrics import OwnMetrics
from pocket.rows import Exemplar, LogEntry, MetricMetadata, ProfileSample, Sample, Span
from pocket.store import weight
from pocket.store.database import Database
from pocket.store.logs import Logs, LogTable
from pocket.store.metrics import ExemplarTable, MetadataTable, Metrics, SampleTable
from pocket.store.profiles import Profiles, ProfileTable
from pocket.store.retention import Retention
from pocket.store.traces import SpanTable, Traces
from pocket.store.transaction import Transactions
from pocket.store.writer import Rows, Writer


class Store:
    """Telemetry in one DuckDB file. All methods may be called from any thread; queries block, appends do not.

    Appends raise StoreFull when more waits to be written than memory allows, and TooLargeError for more at once
    than could ever wait. Opening raises StoreError.
    """

    def __init__(self, settings: Settings) -> None:
        self.own_metrics = OwnMetrics()
        database = self._database = Database(settings.data_dir / "pocket" / "pocket.duckdb")
        self.metrics, self.logs = Metrics(database), Logs(database)
        self.traces, self.profiles = Traces(database), Profiles(database)
        samples = SampleTable(self.metrics, self._dropper("samples", "out_of_order"))
        metadata = MetadataTable(self.metrics)
        exemplars = ExemplarTable(self.metrics, self._dropper("exemplars", "repeated"))
        logs = LogTable(self.logs, self._dropper("logs", "repeated"))
        spans = SpanTable(self.traces, self._dropper("spans", "repeated"))
        profiles = ProfileTable(self.profiles)
        dictionaries = (self.metrics.index, self.logs.index, self.traces.resources, self.profiles.index,
                        self.profiles.stacks)  # fmt: skip
        transactions = Transactions(
            {"samples": samples, "exemplars": exemplars, "metadata": metadata, "logs": logs, "spans": spans,
             "profiles": profiles},
            (metadata, *dictionaries),
            self._lost,
        )  # fmt: skip
        writing = threading.Lock()
        self._retention = Retention(
            database, settings, writing,
            [(self.metrics.index, 10**3), (self.logs.index, 10**9), (self.profiles.index, 10**3)],
            [(self.traces.resources, "spans", "resource"), (self.profiles.stacks, "profile_samples", "stack")],
        )  # fmt: skip
        self._writer = Writer(database, transactions, self._lost, self._retention.taken_in, writing)
        self._writer.start()

    def append_metrics(
        self, samples: list[Sample], exemplars: Sequence[Exemplar] = (), metadata: Sequence[MetricMetadata] = ()
    ) -> None:
        """All of it or, with StoreFull, nothing."""
        new = [row for row in metadata if self.metrics.described.get(row.name) != row]  # a scrape repeats it all
        self._put(
            ("samples", samples, weight.samples(samples)),
            ("exemplars", exemplars, weight.exemplars(exemplars)),
            ("metadata", new, weight.metadata(new)),
        )

    def append_samples(self, rows: list[Sample]) -> None:
        self.append_metrics(rows)

    def append_metadata(self, rows: list[MetricMetadata]) -> None:
        self.append_metrics([], (), rows)

    def append_logs(self, rows: list[LogEntry]) -> None:
        self._put(("logs", rows, weight.logs(rows)))

    def append_spans(self, rows: list[Span]) -> None:
        self._put(("spans", rows, weight.spans(rows)))

    def append_profiles(self, rows: list[ProfileSample]) -> None:
        self._put(("profiles", rows, weight.profiles(rows)))

    def admit(self) -> None:
        """Raises StoreFull while the queue is full."""
        self._writer.admit()

    def flush(self) -> None:
        """Returns when all that was appended before is durable and visible to queries.

        Raises StoreError while the disk takes nothing; what was appended waits then, and a kill would lose it.
        """
        self._writer.durable(hurry=True).result()

    async def durable(self) -> None:
        """As `flush`, but in the company of others: it takes 50 ms longer, and no thread."""
        await asyncio.wrap_future(self._writer.durable())

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._retention.close()
        self._writer.close()
        self._database.close()

    @property
    def queued_bytes(self) -> int:
        """Estimated memory of what waits to be written."""
        return self._writer.queued_bytes

    def size_bytes(self) -> int:
        """On disk, write-ahead log and all."""
        return self._retention.file_bytes()

    def _put(self, *parts: Rows) -> None:
        given = [part for part in parts if part[1]]
        if given:
            self._writer.put(*given)
        for signal, rows, _ in given:
            self.own_metrics.received.labels(signal).inc(len(rows))

    def _lost(self, signal: str, amount: int) -> None:
        self.own_metrics.dropped.labels(signal, "store").inc(amount)

    def _dropper(self, signal: str, reason: str) -> Callable[[int], None]:
        return lambda amount: self.own_metrics.dropped.labels(signal, reason).inc(amount)
