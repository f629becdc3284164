"""Rows: the panels that answer one question about one service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dashboards import panels
from dashboards.panels import Panel
from dashboards.queries import LOKI, buckets, cpu_profile, logql, promql, service_map, traceql

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


def red(service: Red) -> Row:
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


def clicks() -> Row:
    clicked = 'streamlit_button_clicks_total{job="streamlit-frontend"}'
    answered = 'streamlit_requests_total{job="streamlit-frontend"}'
    return Row(
        "Clicks",
        [
            panels.lines(
                "Clicks by die",
                "What people do on the page, before anything can go wrong.",
                "ops",
                promql(f"sum by (die_type) (rate({clicked}{RATE}))", "{{die_type}}"),
            ),
            panels.lines(
                "Answers by die and status",
                "What came of the clicks. Fewer answers than clicks for long: something hangs.",
                "ops",
                promql(f"sum by (die_type, status_code) (rate({answered}{RATE}))", "{{die_type}} {{status_code}}"),
            ),
        ],
    )


def specifications() -> Row:
    asked = 'die_service_requests_total{job="dice-roller"}'
    return Row(
        "From roller to die-service",
        [
            panels.lines(
                "Answers, as the roller sees them",
                "Also those that never came: a timeout has no status code, and die-service cannot count it.",
                "reqps",
                promql(f"sum by (status) (rate({asked}{RATE}))", "{{status}}"),
                stacked=True,
            ),
            panels.lines(
                "Waiting for die-service",
                "Failures and timeouts are in it. Timing success alone makes an outage look fast.",
                "s",
                *quantiles("die_service_request_duration_seconds", 'job="dice-roller"'),
            ),
            panels.lines(
                "Specifications asked for",
                "die-service's own count by die. A name that no die has counts as unknown.",
                "reqps",
                promql(
                    f'sum by (identifier) (rate(die_specifications_requested_total{{job="die-service"}}{RATE}))',
                    "{{identifier}}",
                ),
            ),
            panels.number(
                "Dice loaded",
                "How many dice die-service knows.",
                "none",
                promql('max(die_specifications_loaded{job="die-service"})', "dice"),
            ),
            panels.number(
                "Lists asked for",
                "The frontend asks once in half a minute, however many pages are open.",
                "reqps",
                promql(f'sum(rate(die_list_requests_total{{job="die-service"}}{RATE}))', "lists"),
            ),
        ],
    )


def rolls(dice: Sequence[str]) -> Row:
    values = [
        panels.bars(
            f"Values of the {die} die",
            "Counts per face over the time range, from a histogram with one bucket a face.",
            "short",
            buckets(
                f'sum by (le) (increase(dice_roll_value_bucket{{job="dice-roller", die_type="{die}"}}[$__range]))',
                instant=True,
            ),
        )
        for die in dice
    ]
    results = panels.lines(
        "Rolls by die and result",
        "The service's own trade, counted where it happens. A die that does not exist counts as unknown.",
        "ops",
        promql(
            f'sum by (die_type, result) (rate(dice_rolls_total{{job="dice-roller"}}{RATE}))',
            "{{die_type}} {{result}}",
        ),
        size=(24 - 8 * len(dice) or 24, 8),
    )
    return Row("Rolls", [results, *values])


def batches() -> Row:
    job = 'job="dice-roller"'
    single = f"""sum by (le) (rate(http_request_duration_seconds_bucket{{{job}, handler="/roll"}}{RATE}))"""
    batch = f"sum by (le) (rate(async_roll_duration_seconds_bucket{{{job}}}{RATE}))"
    return Row(
        "All at once",
        [
            panels.lines(
                "One roll, and a batch of rolls",
                "Medians. A batch takes as long as its slowest roll, not as long as all of them together.",
                "s",
                promql(f"histogram_quantile(0.5, {single})", "one roll"),
                promql(f"histogram_quantile(0.5, {batch})", "a batch", exemplar=True),
            ),
            panels.lines(
                "Rolls a second",
                "All rolls, and those of them that were made at once.",
                "ops",
                promql(f"sum(rate(dice_rolls_total{{{job}}}{RATE}))", "all"),
                promql(f"sum(rate(async_rolls_total{{{job}}}{RATE}))", "at once"),
            ),
            panels.lines(
                "Rolls in batches by result",
                "One that fails does not stop the others; those whose caller went away are cancelled.",
                "ops",
                promql(f"sum by (result) (rate(async_rolls_total{{{job}}}{RATE}))", "{{result}}"),
                size=(8, 8),
                stacked=True,
            ),
            panels.lines(
                "Rolls in the air",
                "How many rolls of batches wait at this very moment. It must come back to zero.",
                "short",
                promql(f"sum(async_rolls_in_progress{{{job}}})", "in progress"),
                size=(8, 8),
            ),
            panels.bars(
                "Batch sizes",
                "Batches of the time range by the number of rolls asked for.",
                "short",
                buckets(f"sum by (le) (increase(async_roll_batch_size_bucket{{{job}}}[$__range]))", instant=True),
            ),
        ],
    )


def logs(services: Sequence[str]) -> Row:
    selector = f'{{service_name=~"{"|".join(services)}"}}'
    return Row(
        "Logs",
        [
            panels.lines(
                "Lines by level",
                "How much is logged, and how much of it is trouble. Loki counts lines as Prometheus does samples.",
                "short",
                logql(f"sum by (level) (count_over_time({selector}[1m]))", "{{level}}"),
                size=(24, 6),
                source=LOKI,
                stacked=True,
            ),
            panels.log_lines(
                "Lines",
                "JSON lines with the ids of trace and span. Open one and follow its trace_id to the trace.",
                logql(selector),
            ),
        ],
    )


def traces(recent: str, failed: str) -> Row:
    return Row(
        "Traces",
        [
            panels.traces(
                "Recent rolls", f"The newest traces of {recent}. Click an id for the waterfall.", traceql(recent)
            ),
            panels.traces("Failed rolls", f"Traces of {failed}: the exception is on the span.", traceql(failed)),
        ],
    )


def service_graph() -> Row:
    teaches = "Who calls whom, how often, how slowly: derived from pairs of CLIENT and SERVER spans alone."
    return Row("Service graph", [panels.graph("Service graph", teaches, service_map())])


def runtime(jobs: Sequence[str]) -> Row:
    selector = f'{{job=~"{"|".join(jobs)}"}}'
    return Row(
        "Runtime",
        [
            panels.lines(
                "CPU",
                "Cores in use. One Python process cannot use more than one: at 1 it is saturated.",
                "short",
                promql(f"sum by (job) (rate(process_cpu_seconds_total{selector}{RATE}))", "{{job}}"),
            ),
            panels.lines(
                "Memory",
                "Resident memory. Telemetry waits in bounded queues: this stays flat when a backend is away.",
                "bytes",
                promql(f"sum by (job) (process_resident_memory_bytes{selector})", "{{job}}"),
            ),
        ],
    )


def profile(service: str) -> Row:
    teaches = "Where CPU time went: the wider a frame, the more of it. Waiting takes no CPU and does not show."
    return Row(f"{service}: profile", [panels.flames(f"CPU of {service}", teaches, cpu_profile(service))])
