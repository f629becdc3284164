from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic_gen.outcome import Outcome, Summary, figures, percentiles_ms
from traffic_gen.report import table


@pytest.mark.parametrize(("status", "ok"), [("200", True), ("302", True), ("404", False), ("500", False)])
def test_an_http_status_decides(status: str, ok: bool) -> None:
    assert Outcome("roll", status, 0.1).ok is ok


def test_an_error_without_status_is_a_failure() -> None:
    assert not Outcome("roll", "ConnectError", 0.1).ok


def test_percentiles_interpolate() -> None:
    assert percentiles_ms([n / 1000 for n in range(1, 102)]) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}


def test_percentiles_of_little() -> None:
    assert percentiles_ms([]) == {}
    assert percentiles_ms([0.25]) == {"p50": 250.0, "p95": 250.0, "p99": 250.0}


@given(st.lists(st.floats(0, 60), min_size=1))
def test_percentiles_are_ordered_and_within_the_data(seconds: list[float]) -> None:
    p50, p95, p99 = percentiles_ms(seconds).values()
    assert round(min(seconds) * 1000, 1) <= p50 <= p95 <= p99 <= round(max(seconds) * 1000, 1)


def test_figures_count_errors_by_status() -> None:
    outcomes = [Outcome("a", status, 0.01) for status in ("200", "500", "500", "ReadTimeout")]
    assert figures(outcomes) | {"latency_ms": {}} == {
        "requests": 4,
        "failed": 3,
        "errors": {"500": 2, "ReadTimeout": 1},
        "latency_ms": {},
    }


def test_a_summary_has_totals_and_actions() -> None:
    summary = Summary()
    for action, status in (("roll fair", "200"), ("roll risky", "500"), ("roll fair", "200")):
        summary.add(Outcome(action, status, 0.1))
    summary.finish()
    found = summary.as_dict()
    assert (found["requests"], found["failed"], found["missed"]) == (3, 1, 0)
    assert {name: action["requests"] for name, action in found["actions"].items()} == {
        "roll fair": 2,
        "roll risky": 1,
    }
    assert found["requests_per_second"] > 0


def test_the_table_shows_the_achieved_rate() -> None:
    summary = Summary([Outcome("roll fair", "200", 0.1)] * 30, seconds=4.0)
    assert str(table(summary).title) == "30 requests in 4.0 s, 7.5 a second"
    assert summary.as_dict()["requests_per_second"] == 7.5


def test_a_run_without_a_request_has_no_rate() -> None:
    assert Summary().per_second == 0
