"""Counters and histograms that grow with what spans say, bounded in number (Tempo: modules/generator/registry)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from pocket.rows import Exemplar, Labels, Sample

MAX_SERIES = 1_000  # label sets of a metric; updates of further ones are dropped and counted
STALE_MS = 15 * 60 * 1000  # Tempo's registry.stale_duration
Values = tuple[str, ...]


@dataclass(slots=True)
class _State:
    """A label set's counter; with buckets it is a histogram. Exemplars by bucket: trace id, value, time in ms."""

    updated_ms: int
    count: int = 0
    sum: float = 0.0
    buckets: list[int] = field(default_factory=list)
    exemplars: dict[int, tuple[str, float, int]] = field(default_factory=dict)
    is_new: bool = True


class _Family:
    def __init__(self, name: str, labels: Sequence[str], buckets: int) -> None:
        self.name, self._labels, self._buckets = name, labels, buckets
        self._states: dict[Values, _State] = {}
        self.dropped = 0

    def _state(self, values: Values, now_ms: int) -> _State | None:
        state = self._states.get(values)
        if state is None:
            if len(self._states) >= MAX_SERIES:
                self.dropped += 1
                return None
            state = self._states[values] = _State(now_ms, buckets=[0] * self._buckets)
        state.updated_ms = now_ms
        return state

    def expire(self, now_ms: int) -> None:
        """Forget what was not updated for a while; its series end."""
        self._states = {k: state for k, state in self._states.items() if state.updated_ms > now_ms - STALE_MS}

    def _named(self, values: Values, suffix: str = "") -> Labels:
        # Prometheus has no empty labels.
        own = {label: value for label, value in zip(self._labels, values, strict=True) if value}
        return {"__name__": self.name + suffix, **own}


class Counter(_Family):
    def __init__(self, name: str, labels: Sequence[str]) -> None:
        super().__init__(name, labels, 0)

    def add(self, values: Values, now_ms: int) -> None:
        state = self._state(values, now_ms)
        if state is not None:
            state.count += 1

    def collect(self, t_ms: int, before_ms: int) -> Iterator[Sample]:
        """The samples at `t_ms`; a new series begins with 0 at `before_ms`, so that rate() sees its first step."""
        for values, state in self._states.items():
            labels = self._named(values)
            if state.is_new:
                yield Sample(labels, before_ms, 0.0)
                state.is_new = False
            yield Sample(labels, t_ms, float(state.count))


class Histogram(_Family):
    def __init__(self, name: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__(name, labels, len(bounds) + 1)
        self._bounds = bounds
        self._le = [*(repr(float(bound)) for bound in bounds), "+Inf"]

    def observe(self, values: Values, seconds: float, trace_id: str, now_ms: int) -> None:
        state = self._state(values, now_ms)
        if state is not None:
            bucket = bisect_left(self._bounds, seconds)
            state.count += 1
            state.sum += seconds
            state.buckets[bucket] += 1
            state.exemplars[bucket] = (trace_id, seconds, now_ms)

    def collect(self, t_ms: int, before_ms: int) -> tuple[list[Sample], list[Exemplar]]:
        samples: list[Sample] = []
        exemplars: list[Exemplar] = []
        for values, state in self._states.items():
            series = [self._named(values, "_bucket") | {"le": le} for le in self._le]
            counts = [*accumulate(state.buckets), state.count]
            labels = [*series, self._named(values, "_count")]
            if state.is_new:
                samples += [Sample(each, before_ms, 0.0) for each in labels]
                state.is_new = False
            samples += [Sample(each, t_ms, float(count)) for each, count in zip(labels, counts, strict=True)]
            samples.append(Sample(self._named(values, "_sum"), t_ms, state.sum))
            for bucket, (trace_id, value, when) in state.exemplars.items():
                exemplars.append(Exemplar(series[bucket], {"trace_id": trace_id}, value, when))
            state.exemplars = {}
        return samples, exemplars
