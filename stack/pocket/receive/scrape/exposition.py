"""The text a target exposes, parsed by prometheus_client: OpenMetrics, or the older text format."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as parse_text

from pocket.receive.prometheus_names import le
from pocket.rows import Exemplar, Labels, MetricMetadata, Sample

ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,"
    "*/*;q=0.1"
)


class ExpositionError(Exception):
    """The target's answer cannot be parsed."""


@dataclass(slots=True)
class Scrape:
    """One parsed answer, with the target's labels on every series."""

    samples: list[Sample] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)


def parse(body: bytes, content_type: str, target: Labels, t_ms: int) -> Scrape:
    """`target` labels win over a series' own of the same name, which becomes `exported_<name>`."""
    openmetrics = content_type.startswith("application/openmetrics-text")
    result = Scrape()
    try:
        families = _families(body.decode(), openmetrics)
        for family in families:
            result.metadata.append(MetricMetadata(family.name, family.type, family.documentation, family.unit))
            _add(family.samples, target, t_ms, result)
    except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:  # what the parsers raise
        raise ExpositionError(f"{type(error).__name__}: {error}"[:200]) from error
    return result


def _families(text: str, openmetrics: bool) -> Iterator[Any]:
    parser: Any = parse_openmetrics if openmetrics else parse_text
    families: Iterable[Any] = parser(io.StringIO(text))
    yield from families


def _add(samples: Iterable[Any], target: Labels, t_ms: int, result: Scrape) -> None:
    for sample in samples:
        labels = _labels(sample.name, sample.labels, target)
        at = t_ms if sample.timestamp is None else int(float(sample.timestamp) * 1000)
        result.samples.append(Sample(labels, at, float(sample.value)))
        if (exemplar := sample.exemplar) is not None:
            when = t_ms if exemplar.timestamp is None else int(float(exemplar.timestamp) * 1000)
            result.exemplars.append(Exemplar(labels, dict(exemplar.labels), float(exemplar.value), when))


def _labels(name: str, own: Labels, target: Labels) -> Labels:
    labels = {"__name__": name}
    for key, value in own.items():
        if value:  # an empty label is no label
            labels[f"exported_{key}" if key in target else key] = value
    for bound in ("le", "quantile"):
        if bound in labels:
            labels[bound] = le(float(labels[bound]))
    return {**labels, **target}
