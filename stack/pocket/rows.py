"""The rows that cross from room to room: what every wire format is decoded to and what the store keeps.

Units are in the names: `_ms` and `_ns` are Unix times in milliseconds and nanoseconds. Labels are plain
`dict[str, str]`; a metric's name is its label `__name__`, as in Prometheus' data model.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pocket import regex

Labels = dict[str, str]
Attributes = dict[str, Any]

# Prometheus marks the end of a series with this NaN (model/value/value.go: StaleNaN 0x7ff0000000000002).
STALE_NAN: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


@dataclass(slots=True)
class Exemplar:
    """A single observation with labels of its own, usually `trace_id`, attached to the series it was seen in."""

    series: Labels
    labels: Labels
    value: float
    t_ms: int


@dataclass(slots=True)
class Sample:
    labels: Labels  # with __name__
    t_ms: int
    value: float


@dataclass(slots=True, frozen=True)
class MetricMetadata:
    name: str
    type: str  # counter, gauge, histogram, summary, unknown
    help: str = ""
    unit: str = ""


@dataclass(slots=True)
class LogEntry:
    labels: Labels
    t_ns: int
    line: str
    structured_metadata: Labels = field(default_factory=dict)


@dataclass(slots=True)
class SpanEvent:
    t_ns: int
    name: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class SpanLink:
    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class Span:
    """One finished span. Ids are lower-case hex (32 and 16); `parent_span_id` is "" at a root.

    `kind` and `status` are OTLP's numbers: kind 0 unspecified, 1 internal, 2 server, 3 client, 4 producer,
    5 consumer; status 0 unset, 1 ok, 2 error.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int = 0
    status_message: str = ""
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""
    trace_state: str = ""
    flags: int = 0
    events: list[SpanEvent] = field(default_factory=list)
    links: list[SpanLink] = field(default_factory=list)
    scope_attributes: Attributes = field(default_factory=dict)

    @property
    def service_name(self) -> str:
        return str(self.resource.get("service.name", ""))

    @property
    def duration_ns(self) -> int:
        return max(0, self.end_ns - self.start_ns)


@dataclass(slots=True)
class ProfileSample:
    """One stack of one profile: frames root first, a value in the profile type's unit.

    `profile_type` is Pyroscope's id, such as `process_cpu:cpu:nanoseconds:cpu:nanoseconds`; `labels` are the
    series' labels (`service_name`, …) without `__`-names, joined with pprof's sample labels (`span_id`, …).
    """

    profile_type: str
    labels: Labels
    t_ms: int
    stack: tuple[str, ...]
    value: int


@dataclass(frozen=True)
class Matcher:
    """A label matcher; regular expressions are anchored at both ends, an absent label reads as ""."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    @cached_property
    def _pattern(self) -> regex.Pattern:
        return regex.compile(self.value, dot_all=True)

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (value == self.value) == (self.op == "=")
        return (self._pattern.fullmatch(value) is not None) == (self.op == "=~")


@dataclass(slots=True)
class Series:
    """The samples of one series in a time range, oldest first: `t_ms` int64, `values` float64, equal lengths."""

    labels: Labels
    t_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
