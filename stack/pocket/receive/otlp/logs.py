"""OTLP log records to log entries, as Loki's own OTLP endpoint does (pkg/loghttp/push/otlp.go)."""

from __future__ import annotations

import time
from typing import Any

from pocket.admission.bounds import Bounds
from pocket.admission.limits import TOO_LARGE, Allowance, Rejected, fitting, wrong_labels, wrong_metadata
from pocket.receive.otlp.attributes import any_value, attributes, flat, text
from pocket.receive.prometheus_names import label_name
from pocket.rows import Labels, LogEntry

# Resource attributes that become labels (those of Loki's default list that a laptop may see); all others are
# structured metadata.
_INDEXED = (
    "service.name", "service.namespace", "service.instance.id", "deployment.environment",
    "deployment.environment.name", "container.name",
)  # fmt: skip


def entries(request: Any, bounds: Bounds) -> tuple[list[LogEntry], Rejected]:
    """The entries of an ExportLogsServiceRequest. BodyError for more than a request may hold."""
    rows: list[LogEntry] = []
    rejected, allowance, fits = Rejected(), Allowance(), fitting(request)
    for resource_logs in request.resource_logs:
        resource = attributes(resource_logs.resource.attributes) if fits(resource_logs.resource) else {}
        labels = {label_name(key): text(resource[key]) for key in _INDEXED if key in resource}
        labels.setdefault("service_name", "unknown_service")
        wrong = wrong_labels(labels) if fits(resource_logs.resource) else f"of a resource {TOO_LARGE}"
        beside = flat({key: value for key, value in resource.items() if key not in _INDEXED})
        for scope_logs in resource_logs.scope_logs:
            records, scope = scope_logs.log_records, scope_logs.scope
            if problem := wrong or (None if fits(scope) else f"of a scope {TOO_LARGE}"):
                rejected.add(f"log records {problem}", len(records))
                continue
            common = {**beside, **_scope(scope)}
            allowance.take(len(records), len(records) * len(common))
            for record in records:
                entry = _entry(record, labels, common) if fits(record) else None
                if why := _problem(entry, bounds):
                    rejected.add(why)
                elif entry is not None:
                    rows.append(entry)
    return rows, rejected


def _entry(record: Any, labels: Labels, common: Labels) -> LogEntry:
    t_ns = record.time_unix_nano or record.observed_time_unix_nano or time.time_ns()
    return LogEntry(labels, t_ns, text(any_value(record.body)), {**common, **_metadata(record)})


def _problem(entry: LogEntry | None, bounds: Bounds) -> str | None:
    if entry is None:
        return f"log record {TOO_LARGE}"
    if wrong := wrong_metadata(entry.structured_metadata):
        return f"log record {wrong}"
    if not bounds.holds(entry.t_ns):
        return "log record outside of the history kept"
    return None


def _scope(scope: Any) -> Labels:
    named = {"scope_name": scope.name, "scope_version": scope.version}
    return {**flat(attributes(scope.attributes)), **{key: value for key, value in named.items() if value}}


def _metadata(record: Any) -> Labels:
    named = {
        "observed_timestamp": str((record.time_unix_nano and record.observed_time_unix_nano) or ""),
        "severity_number": str(record.severity_number or ""),
        "severity_text": record.severity_text,
        "flags": str(record.flags or ""),
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "event_name": record.event_name,
    }
    return {**flat(attributes(record.attributes)), **{key: value for key, value in named.items() if value}}
