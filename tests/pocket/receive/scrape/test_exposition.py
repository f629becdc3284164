import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.receive.scrape.exposition import ExpositionError, Scrape, parse
from pocket.rows import Exemplar, MetricMetadata, Sample

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4"
TARGET = {"instance": "127.0.0.1:8001", "job": "roller"}
NOW = 1_700_000_000_000

HISTOGRAM = """# HELP t_seconds How long.
# TYPE t_seconds histogram
# UNIT t_seconds seconds
t_seconds_bucket{le="0.1"} 1 # {trace_id="ab"} 0.05 1700000000.5
t_seconds_bucket{le="+Inf"} 2
t_seconds_count 2
t_seconds_sum 1.5
# TYPE rolls counter
rolls_total{die="fair",job="own",empty=""} 3.0 1600000000
# EOF
"""


def series(result: Scrape) -> dict[str, float]:
    return {s.labels["__name__"] + s.labels.get("le", ""): s.value for s in result.samples}


def test_openmetrics_with_exemplars_times_and_metadata() -> None:
    result = parse(HISTOGRAM.encode(), OPENMETRICS, TARGET, NOW)
    assert series(result) == {
        "t_seconds_bucket0.1": 1, "t_seconds_bucket+Inf": 2, "t_seconds_count": 2, "t_seconds_sum": 1.5,
        "rolls_total": 3,
    }  # fmt: skip
    bucket = {"__name__": "t_seconds_bucket", "le": "0.1", **TARGET}
    assert result.exemplars == [Exemplar(bucket, {"trace_id": "ab"}, 0.05, 1_700_000_000_500)]
    assert MetricMetadata("t_seconds", "histogram", "How long.", "seconds") in result.metadata
    rolls = {"__name__": "rolls_total", "die": "fair", "exported_job": "own", **TARGET}
    assert Sample(rolls, 1_600_000_000_000, 3.0) in result.samples


def test_text_format_with_buckets_as_floats() -> None:
    text = '# TYPE t histogram\nt_bucket{le="1"} 1\nt_bucket{le="+Inf"} 1\nt_count 1\nt_sum 1\ng NaN\n'
    result = parse(text.encode(), TEXT, TARGET, NOW)
    found = series(result)
    assert math.isnan(found.pop("g"))
    assert found == {"t_bucket1.0": 1, "t_bucket+Inf": 1, "t_count": 1, "t_sum": 1}
    assert all(sample.t_ms == NOW for sample in result.samples)


@pytest.mark.parametrize("kind", [OPENMETRICS, TEXT])
@pytest.mark.parametrize("body", [b"\xff", b"a{b} 1\n", b"<html>", b"a x\n# EOF\n", b"a 1 1e999\n# EOF\n"])
def test_what_is_no_exposition_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(ExpositionError):
        parse(body, kind, TARGET, NOW)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 300), st.text(max_size=20), st.sampled_from([OPENMETRICS, TEXT]))
def test_any_text_is_parsed_or_refused(at: int, noise: str, kind: str) -> None:
    text = HISTOGRAM[:at] + noise + HISTOGRAM[at + len(noise) :]
    try:
        result = parse(text.encode(), kind, TARGET, NOW)
    except ExpositionError:
        return
    assert all(sample.labels["job"] == "roller" for sample in result.samples)
