"""What a query gives: values and annotations, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pocket.query.errors import QueryFailure
from pocket.rows import Labels, Matcher, Series

STATUS = {"bad_data": 400, "execution": 422, "timeout": 503, "canceled": 499, "too_many_requests": 429}
TOO_MANY_SAMPLES = "query processing would load too many samples into memory in query execution"
Kind = Literal["bad_data", "execution", "timeout", "canceled", "too_many_requests"]


class QueryError(QueryFailure):
    """`kind` is Prometheus' errorType, which stands for the status."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = STATUS[kind]


class MetricSource(Protocol):
    """Where the samples are; both ends of the range are inclusive, staleness markers are left in."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]: ...


@dataclass(frozen=True, slots=True)
class VectorSample:
    labels: Labels
    value: float


@dataclass(slots=True)
class Annotations:
    """Messages for the user, without repetition and in the order they came."""

    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Vector:
    t_ms: int
    samples: list[VectorSample]
    annotations: Annotations = field(default_factory=Annotations)


@dataclass(slots=True)
class Scalar:
    t_ms: int
    value: float
    annotations: Annotations = field(default_factory=Annotations)


@dataclass(slots=True)
class String:
    t_ms: int
    value: str
    annotations: Annotations = field(default_factory=Annotations)


@dataclass(slots=True)
class Matrix:
    series: list[Series]
    annotations: Annotations = field(default_factory=Annotations)


InstantResult = Vector | Scalar | String | Matrix
