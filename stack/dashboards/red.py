"""Rate, errors and duration of a service: the row that every service has."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards import panels
from dashboards.colors import BAD, OUTCOMES, PERCENTILES, SERVICES
from dashboards.panels import Panel
from dashboards.queries import buckets, promql
from dashboards.rows import RATE, Row, quantiles, share


@dataclass(frozen=True)
class Red:
    """The two metrics that rate, errors and duration of a service are read from."""

    job: str
    requests: str = "http_requests_total"
    status: str = "status"
    duration: str = "http_request_duration_seconds"
    only: str = ""  # a further matcher of the duration, such as the routes that matter

    @property
    def all(self) -> str:
        return f'{self.requests}{{job="{self.job}"}}'

    @property
    def failed(self) -> str:
        return f'{self.requests}{{job="{self.job}", {self.status}=~"5.."}}'

    @property
    def timed(self) -> str:
        return f'job="{self.job}"' + (f", {self.only}" if self.only else "")


ROLLER = Red("dice-roller", only='handler=~"/roll"')
FRONTEND = Red("streamlit-frontend", "streamlit_requests_total", "status", "streamlit_request_duration_seconds")

ROLLER_WITH_BATCHES = Red("dice-roller", only='handler=~"/roll(-async)?"')
DIE_SERVICE = Red("die-service", only='handler=~"/dice.*"')


def row(service: Red) -> Row:
    """Rate, errors and duration of one service: as they are now, then as they came to be."""
    return Row(f"{service.job}: rate, errors, duration", [*_now(service), *_over_time(service)])


def _now(service: Red) -> list[Panel]:
    slowest = f"sum by (le) (rate({service.duration}_bucket{{{service.timed}}}{RATE}))"
    return [
        panels.number(
            "Request rate",
            "The R of RED, rate: how busy the service is. Scrapes and health checks are not counted.",
            "reqps",
            promql(f"sum(rate({service.all}{RATE}))", "requests"),
            color=SERVICES[service.job],
        ),
        panels.ratio(
            "Error ratio",
            "The E of RED, errors: the share of answers that are the server's fault (5xx), not the caller's.",
            promql(share(service.failed, service.all), "5xx"),
            bad=0.05,
        ),
        panels.number(
            "p95 latency",
            "The D of RED, duration: 95 of 100 requests were answered faster than this.",
            "s",
            promql(f"histogram_quantile(0.95, {slowest})", "p95"),
            color=SERVICES[service.job],
        ),
        panels.state(
            "Instances up",
            "How many targets of this job Prometheus reaches: one for each container. Scaling out shows here.",
            promql(f'sum(up{{job="{service.job}"}})', "up"),
        ),
    ]


def _over_time(service: Red) -> list[Panel]:
    increase = f"increase({service.duration}_bucket{{{service.timed}}}{RATE})"
    return [
        panels.lines(
            "Requests by status",
            "Exact status codes: 404 and 422 are callers' mistakes, 500 is a failed roll.",
            "reqps",
            promql(f"sum by ({service.status}) (rate({service.all}{RATE}))", f"{{{{{service.status}}}}}"),
            stacked=True,
            colors=OUTCOMES,
        ),
        panels.lines(
            "Error ratio over time",
            "The share of 5xx. The risky die alone fails once in ten rolls.",
            "percentunit",
            promql(share(service.failed, service.all), "5xx"),
            colors={"^5xx$": BAD},
            soft_max=0.05,
        ),
        panels.lines(
            "Latency with exemplars",
            "Percentiles from the histogram. Each dot is a real request: click it and its trace opens.",
            "s",
            *quantiles(service.duration, service.timed),
            colors=PERCENTILES,
        ),
        panels.heat(
            "Latency heat map",
            "The whole distribution over time, which percentiles hide: two bands are two kinds of request.",
            "s",
            buckets(f"sum by (le) ({increase})"),
        ),
    ]
