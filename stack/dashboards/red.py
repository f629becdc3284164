"""Rate, errors and duration of a service: the row that every service has."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards import panels
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
FRONTEND = Red(
    "streamlit-frontend", "streamlit_requests_total", "status_code", "streamlit_request_duration_seconds"
)

ROLLER_WITH_BATCHES = Red("dice-roller", only='handler=~"/roll(-async)?"')
DIE_SERVICE = Red("die-service", only='handler=~"/dice.*"')


def row(service: Red) -> Row:
    """Rate, errors and duration of one service."""
    job, requests, failures, selector = service.job, service.all, service.failed, service.timed
    slowest = f"sum by (le) (rate({service.duration}_bucket{{{selector}}}{RATE}))"
    return Row(
        f"{job}: rate, errors, duration",
        [
            panels.number(
                "Requests a second",
                "The R of RED: how busy the service is. Scrapes and health checks are not counted.",
                "reqps",
                promql(f"sum(rate({requests}{RATE}))", "requests"),
            ),
            panels.number(
                "Errors",
                "The E of RED: the share of answers that were the server's fault (5xx). A 404 is the caller's.",
                "percentunit",
                promql(share(failures, requests), "5xx"),
            ),
            panels.number(
                "Slowest twentieth",
                "The D of RED: 95 of 100 requests were answered faster than this.",
                "s",
                promql(f"histogram_quantile(0.95, {slowest})", "p95"),
            ),
            panels.number(
                "Instances up",
                "How many targets of this job Prometheus reaches. One a container, so scaling out shows here.",
                "none",
                promql(f'sum(up{{job="{job}"}})', "up"),
            ),
            panels.lines(
                "Requests by status",
                "Exact status codes: 404 and 422 are callers' mistakes, 500 is a failed roll.",
                "reqps",
                promql(f"sum by ({service.status}) (rate({requests}{RATE}))", f"{{{{{service.status}}}}}"),
                stacked=True,
            ),
            panels.lines(
                "Latency with exemplars",
                "Percentiles from the histogram. Each dot is a real request: click it and its trace opens.",
                "s",
                *quantiles(service.duration, selector),
            ),
            panels.heat(
                "Latency heat map",
                "The whole distribution over time, which percentiles hide: two bands are two kinds of request.",
                "s",
                buckets(f"sum by (le) (increase({service.duration}_bucket{{{selector}}}{RATE}))"),
            ),
            panels.lines(
                "Error share",
                "The share of 5xx over time. The risky die alone fails once in ten rolls.",
                "percentunit",
                promql(share(failures, requests), "5xx"),
            ),
        ],
    )
