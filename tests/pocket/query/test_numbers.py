from __future__ import annotations

import math

import pytest

from pocket.query.numbers import general, go_float, json_value, plain


@pytest.mark.parametrize(
    ("value", "in_json", "in_a_label"),
    [
        (0.0, "0", "0"), (-0.0, "-0", "-0"), (1.0, "1", "1"), (0.1, "0.1", "0.1"),
        (1e16, "10000000000000000", "10000000000000000"),
        (1.5e20, "150000000000000000000", "150000000000000000000"),
        (1e21, "1e+21", "1000000000000000000000"), (1e-6, "0.000001", "0.000001"),
        (1.5e-7, "1.5e-07", "0.00000015"), (-2e300, "-2e+300", "-2" + "0" * 300), (math.inf, "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf"), (math.nan, "NaN", "NaN"), (1 / 3, "0.3333333333333333", "0.3333333333333333"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_in_go(value: float, in_json: str, in_a_label: str) -> None:
    assert (json_value(value), plain(value)) == (in_json, in_a_label)


def test_messages_have_the_general_form() -> None:
    assert [general(x) for x in (2.0, 1e-5, 1e21, math.nan)] == ["2", "1e-05", "1e+21", "NaN"]
    assert general(340.0, 2) == "3.4e+02"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5), (".5e1", 5.0), ("1_000.5", 1000.5), ("5.", 5.0), ("-Inf", -math.inf),
        ("+infinity", math.inf), ("0x1.8p1", 3.0),
        ("-0X_1p-2", -0.25), ("0x.8p0", 0.5), ("0x1_0p0", 16.0),
    ],
)  # fmt: skip
def test_floats_are_read_as_in_go(text: str, value: float) -> None:
    assert go_float(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "0x10", "1__0", "1_.5", " 1", "1e", "+nan", "١", "0x1_p0", "0xp1", "1e400", "-0x1p1024"]
)
def test_what_go_does_not_read_is_refused_in_its_words(text: str) -> None:
    with pytest.raises(
        ValueError, match=r'^strconv\.ParseFloat: parsing ".*": (invalid syntax|value out of range)$'
    ):
        go_float(text)
