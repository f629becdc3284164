"""This service's own counters; HTTP and the database count for themselves."""

from prometheus_client import Counter

from events import KNOWN

STORED = Counter("usage_events_stored", "Usage events stored, each once.", ["event"])
DUPLICATE = Counter("usage_events_duplicate", "Usage events that were stored already when they came.")
REJECTED = Counter("usage_events_rejected", "Log records that are no usage events and never will be.")
for event in (*KNOWN, "unknown"):
    STORED.labels(event)  # 0 from the start: increase() does not see the event that begins a series
