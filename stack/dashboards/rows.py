"""What rows are made of: a title, panels, and the PromQL that several of them ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dashboards.panels import Panel
from dashboards.queries import promql

QUANTILES = (0.5, 0.95, 0.99)
RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def quantiles(metric: str, selector: str) -> list[Panel]:
    """p50, p95 and p99 of a histogram; the first query brings the exemplars, once."""
    rate = f"sum by (le) (rate({metric}_bucket{{{selector}}}{RATE}))"
    return [
        promql(
            f"histogram_quantile({quantile}, {rate})", f"p{quantile * 100:g}", exemplar=quantile == QUANTILES[0]
        )
        for quantile in QUANTILES
    ]


def share(part: str, whole: str) -> str:
    """A ratio that is 0, not absent, while there has been no failure at all."""
    return f"(sum(rate({part}{RATE})) or vector(0)) / sum(rate({whole}{RATE}))"
