import math
import struct
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pocket.config import Settings
from pocket.rows import STALE_NAN, Exemplar, Matcher, MetricMetadata, Sample
from pocket.store import Store


def up(job: str, **more: str) -> dict[str, str]:
    return {"__name__": "up", "job": job, **more}


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def fill(store: Store) -> None:
    store.append_samples([Sample(up("a"), t, t / 1000) for t in (1000, 2000, 3000)])
    store.append_samples([Sample(up("b", zone="x"), t, 0.0) for t in (2000, 3000)])
    store.append_samples([Sample({"__name__": "down"}, 9000, 1.0)])
    store.flush()


def test_select_gives_series_oldest_first_with_both_ends(store: Store) -> None:
    fill(store)
    [series] = store.metrics.select([Matcher("job", "=", "a")], 1000, 2000)
    assert series.labels == up("a")
    assert series.t_ms.tolist() == [1000, 2000]
    assert series.values.tolist() == [1.0, 2.0]
    assert series.t_ms.dtype == np.int64
    assert series.values.dtype == np.float64


def test_select_matches_as_prometheus_does(store: Store) -> None:
    fill(store)

    def jobs(*matchers: Matcher) -> list[str]:
        return [s.labels.get("job", "-") for s in store.metrics.select(matchers, 0, 10_000)]

    assert jobs(Matcher("__name__", "=", "up")) == ["a", "b"]
    assert jobs(Matcher("job", "!=", "a")) == ["b", "-"]
    assert jobs(Matcher("job", "=~", "a|b")) == ["a", "b"]
    assert jobs(Matcher("job", "!~", ".+")) == ["-"]
    assert jobs(Matcher("zone", "=", "")) == ["a", "-"]
    assert jobs(Matcher("job", "=", "a"), Matcher("zone", "=", "x")) == []
    assert jobs() == ["a", "b", "-"]


def test_names_values_and_series_know_the_time_range(store: Store) -> None:
    fill(store)
    metrics = store.metrics
    assert metrics.label_names([], 0, 5000) == ["__name__", "job", "zone"]
    assert metrics.label_values("__name__", [], 0, 5000) == ["up"]
    assert metrics.label_values("__name__", [], 0, 9000) == ["down", "up"]
    assert metrics.series([[Matcher("zone", "=", "x")], [Matcher("__name__", "=", "down")]], 0, 9000) == [
        up("b", zone="x"),
        {"__name__": "down"},
    ]
    assert metrics.series([], 3001, 8999) == []


def test_duplicate_and_out_of_order_samples_are_dropped_and_counted(store: Store) -> None:
    store.append_samples([Sample(up("a"), t, 1.0) for t in (3000, 1000, 2000, 2000)])
    store.flush()
    store.append_samples([Sample(up("a"), t, 2.0) for t in (2500, 3000, 4000)])
    store.flush()
    [series] = store.metrics.select([], 0, 10_000)
    assert series.t_ms.tolist() == [1000, 2000, 3000, 4000]
    assert series.values.tolist() == [1.0, 1.0, 1.0, 2.0]
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "samples", "reason": "out_of_order"}
        )
        == 3
    )


def test_staleness_marker_and_other_nans_keep_their_bits(store: Store) -> None:
    values = [STALE_NAN, math.nan, math.inf, -math.inf, -0.0, 5e-324]
    store.append_samples([Sample(up("a"), t + 1, value) for t, value in enumerate(values)])
    store.flush()
    [series] = store.metrics.select([], 0, 10)
    assert [bits(value) for value in series.values.tolist()] == [bits(value) for value in values]


def test_exemplars_and_metadata(store: Store) -> None:
    fill(store)
    exemplar = Exemplar(up("a"), {"trace_id": "ab"}, 0.5, 2000)
    store.append_metrics([], [exemplar, Exemplar(up("b", zone="x"), {}, 1.0, 2500)])
    store.append_metadata([MetricMetadata("up", "gauge", "old"), MetricMetadata("up", "gauge", "new")])
    store.flush()
    assert store.metrics.exemplars([Matcher("job", "=", "a")], 2000, 2000) == [exemplar]
    assert store.metrics.exemplars([Matcher("job", "=", "a")], 2001, 9000) == []
    assert store.metrics.metadata() == [MetricMetadata("up", "gauge", "new")]


def test_an_exemplar_shown_at_every_scrape_is_stored_once(store: Store, tmp_path: Path) -> None:
    first = Exemplar(up("a"), {"trace_id": "ab"}, 0.5, 2000)
    second = Exemplar(up("a"), {"trace_id": "cd"}, 0.5, 2000)
    other_series = Exemplar(up("b"), {"trace_id": "ab"}, 0.5, 2000)
    store.append_metrics([], [first, first])
    store.flush()
    store.append_metrics([], [first, second, other_series])
    store.flush()
    assert store.metrics.exemplars([], 0, 9000) == [first, second, other_series]
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "exemplars", "reason": "repeated"}
        )
        == 2
    )
    store.close()
    again = Store(Settings(data_dir=tmp_path))
    again.append_metrics([], [first, second])
    again.flush()
    assert len(again.metrics.exemplars([], 0, 9000)) == 3
    again.close()


def test_the_caller_may_change_its_labels_afterwards(store: Store) -> None:
    labels = up("a")
    store.append_samples([Sample(labels, 1000, 1.0)])
    store.flush()
    labels["job"] = "changed"
    [series] = store.metrics.select([], 0, 2000)
    series.labels["job"] = "changed too"
    assert store.metrics.label_values("job", [], 0, 2000) == ["a"]


TEXT = st.text(max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=st.dictionaries(TEXT, TEXT, max_size=5), value=st.floats())
def test_any_text_and_any_float_come_back(store: Store, labels: dict[str, str], value: float) -> None:
    unique = {**labels, "__name__": "m", "n": str(len(store.metrics.index.values))}
    store.append_samples([Sample(unique, 1000, value)])
    store.flush()
    [series] = store.metrics.select([Matcher("n", "=", unique["n"])], 0, 2000)
    assert series.labels == unique
    assert bits(series.values[0]) == bits(value)
