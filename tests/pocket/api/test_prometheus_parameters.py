from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket.api.form import Form
from pocket.api.prometheus import parameters as params
from pocket.query.promql import QueryError


def form(text: str) -> Form:
    return Form({"p": [text]})


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1435781451.781", 1_435_781_451_781), ("0", 0), ("-1.5", -1500), ("1e3", 1_000_000),
        ("1e300", params.FAR_MS),
        ("2015-07-01T20:10:51.781Z", 1_435_781_451_781), ("2015-07-01T22:10:51.781999+02:00", 1_435_781_451_781),
        ("2015-07-01T20:10:51Z", 1_435_781_451_000), ("1969-12-31T23:59:59.5Z", -500),
    ],
)  # fmt: skip
def test_times_are_seconds_or_rfc3339(text: str, ms: int) -> None:
    assert params.time_ms(form(text), "p") == ms


@pytest.mark.parametrize(
    "text", ["", "x", "NaN", "Inf", "2015-07-01", "2015-13-01T00:00:00Z", "1_000", "0x10", "1 "]
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(params.InvalidParameterError, match="to a valid timestamp"):
        params.time_ms(form(text), "p")


@pytest.mark.parametrize(
    ("text", "ms"),
    [("15", 15_000), ("0.5", 500), ("15s", 15_000), ("1h30m", 5_400_000), ("5ms", 5), ("1y", 31_536_000_000)],
)
def test_durations_are_seconds_or_prometheus_own(text: str, ms: int) -> None:
    assert params.duration_ms(form(text), "p") == ms


@pytest.mark.parametrize("text", ["", "s", "1x", "1m1h", "NaN", "1e300", "1.5m", "-5s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(params.InvalidParameterError, match="to a valid duration"):
        params.duration_ms(form(text), "p")


@given(st.text(max_size=12))
def test_any_text_is_a_value_or_a_bad_request(text: str) -> None:
    for read in (params.time_ms, params.duration_ms, params.limit, params.number):
        try:
            read(form(text), "p")
        except QueryError as refused:
            status = refused.status
        else:
            status = 400
        assert status == 400


@pytest.mark.parametrize(
    ("escaped", "name"), [("job", "job"), ("U__a_2e_b__c", "a.b_c"), ("U__a_110000_", "a_110000_")]
)
def test_label_names_of_paths_may_be_escaped(escaped: str, name: str) -> None:
    assert params.label_name(escaped) == name
