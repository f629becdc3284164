"""Rows about the trade itself: clicks, specifications, rolls, and rolls made at once."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import panels
from dashboards.colors import DICE, OUTCOMES, PERCENTILES, SERVICES, of_die
from dashboards.queries import buckets, promql
from dashboards.rows import RATE, Row, quantiles


def clicks() -> Row:
    clicked = 'streamlit_button_clicks_total{job="streamlit-frontend"}'
    answered = 'streamlit_requests_total{job="streamlit-frontend"}'
    return Row(
        "Clicks",
        [
            panels.lines(
                "Clicks by die",
                "What people do on the page, before anything can go wrong.",
                "suffix:clicks/s",
                promql(f"sum by (die_type) (rate({clicked}{RATE}))", "{{die_type}}"),
                colors=DICE,
            ),
            panels.lines(
                "Requests by die and status",
                "What came of the clicks. If there are fewer answers than clicks for long, something hangs.",
                "reqps",
                promql(f"sum by (die_type, status) (rate({answered}{RATE}))", "{{die_type}} {{status}}"),
                colors=DICE | OUTCOMES,
            ),
        ],
    )


def specifications() -> Row:
    asked = 'die_service_requests_total{job="dice-roller"}'
    return Row(
        "From roller to die-service",
        [
            panels.lines(
                "Requests to die-service by status",
                "As the roller sees them. A timeout has no status code, and die-service cannot count it.",
                "reqps",
                promql(f"sum by (status) (rate({asked}{RATE}))", "{{status}}"),
                stacked=True,
                colors=OUTCOMES,
            ),
            panels.lines(
                "Latency of die-service, client side",
                "Includes failures and timeouts. If you time only successes, an outage looks fast.",
                "s",
                *quantiles("die_service_request_duration_seconds", 'job="dice-roller"'),
                colors=PERCENTILES,
            ),
            panels.lines(
                "Specification requests by die",
                "die-service's own count by die. A name that no die has counts as unknown.",
                "reqps",
                promql(
                    f'sum by (die_type) (rate(die_specifications_requested_total{{job="die-service"}}{RATE}))',
                    "{{die_type}}",
                ),
                colors=DICE,
            ),
            panels.state(
                "Dice loaded",
                "How many dice die-service knows. 0 while it cannot read them: then nothing can be rolled.",
                promql('max(die_specifications_loaded{job="die-service"})', "dice"),
                size=(6, 8),
            ),
            panels.number(
                "List requests",
                "The frontend asks every half minute, however many pages are open.",
                "reqps",
                promql(f'sum(rate(die_list_requests_total{{job="die-service"}}{RATE}))', "lists"),
                color=SERVICES["die-service"],
                size=(6, 8),
            ),
        ],
    )


def rolls(dice: Sequence[str]) -> Row:
    values = [
        panels.bars(
            f"{die.capitalize()} die: values",
            "How often each face came up in the time range: a histogram with one bucket for each face.",
            "short",
            buckets(
                f'sum by (le) (increase(dice_roll_value_bucket{{job="dice-roller", die_type="{die}"}}[$__range]))',
                instant=True,
            ),
            color=of_die(die),
        )
        for die in dice
    ]
    results = panels.lines(
        "Rolls by die and result",
        "The service's own counters, counted where it happens. A die that does not exist counts as unknown.",
        "suffix:rolls/s",
        promql(
            f'sum by (die_type, result) (rate(dice_rolls_total{{job="dice-roller"}}{RATE}))',
            "{{die_type}} {{result}}",
        ),
        size=(24 - 8 * len(dice) or 24, 8),
        colors=DICE | {name: color for name, color in OUTCOMES.items() if not name.startswith("^")},
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
                "Latency of one roll, and of a batch",
                "Medians. A batch takes as long as its slowest roll, not as long as all of them together.",
                "s",
                promql(f"histogram_quantile(0.5, {single})", "one roll"),
                promql(f"histogram_quantile(0.5, {batch})", "a batch", exemplar=True),
                colors={"^one roll$": "blue", "^a batch$": "purple"},
            ),
            panels.lines(
                "Rolls per second",
                "All rolls, and those that were part of a batch.",
                "suffix:rolls/s",
                promql(f"sum(rate(dice_rolls_total{{{job}}}{RATE}))", "all"),
                promql(f"sum(rate(async_rolls_total{{{job}}}{RATE}))", "at once"),
                colors={"^all$": "blue", "^at once$": "purple"},
            ),
            panels.lines(
                "Rolls in batches by result",
                "A failed roll does not stop the others. Rolls whose caller went away are canceled.",
                "suffix:rolls/s",
                promql(f"sum by (result) (rate(async_rolls_total{{{job}}}{RATE}))", "{{result}}"),
                size=(8, 8),
                stacked=True,
                colors=OUTCOMES,
            ),
            panels.lines(
                "Rolls in progress",
                "How many batched rolls are in progress now. It must come back to zero.",
                "short",
                promql(f"sum(async_rolls_in_progress{{{job}}})", "in progress"),
                size=(8, 8),
                colors={".*": SERVICES["dice-roller"]},
            ),
            panels.bars(
                "Batch sizes",
                "Batches in the time range, by the number of rolls.",
                "short",
                buckets(f"sum by (le) (increase(async_roll_batch_size_bucket{{{job}}}[$__range]))", instant=True),
            ),
        ],
    )
