from pathlib import Path

import duckdb

from pocket.config import Settings
from pocket.rows import Span, SpanEvent, SpanLink
from pocket.store import Store
from pocket.store.database import SCHEMA


def span(trace: int, number: int, start: int = 0, **more: object) -> Span:
    start = start or trace * 1000 + number
    fields = {
        "name": f"s{number}", "kind": 2, "start_ns": start, "end_ns": start + 10 * number,
        "resource": {"service.name": "roller"}, "parent_span_id": "", **more,
    }  # fmt: skip
    return Span(trace_id=f"{trace:032x}", span_id=f"{number:016x}", **fields)  # type: ignore[arg-type]


FULL = span(
    7, 1, status=2, status_message="no", attributes={"a": [1, "x"], "b": 1.5, "c": True, "d": {"e": None}},
    scope_name="scope", scope_version="1", trace_state="k=v", flags=257,
    events=[SpanEvent(5, "exception", {"exception.type": "E"})], links=[SpanLink("ab", "cd", {"n": 1})],
    scope_attributes={"library.mode": "auto"},
)  # fmt: skip


def test_a_span_comes_back_whole(store: Store) -> None:
    store.append_spans([FULL])
    store.flush()
    assert store.traces.trace(FULL.trace_id) == [FULL]
    assert store.traces.trace("7") == [FULL]


def test_a_store_of_an_earlier_version_is_read_and_written_on(tmp_path: Path) -> None:
    (tmp_path / "pocket").mkdir()
    database = duckdb.connect(str(tmp_path / "pocket" / "pocket.duckdb"))
    database.execute(SCHEMA)
    database.execute("alter table spans drop column scope_attributes")
    database.close()
    store = Store(Settings(data_dir=tmp_path))
    store.append_spans([FULL])
    store.flush()
    assert store.traces.trace(FULL.trace_id) == [FULL]
    store.close()


def test_an_unknown_or_senseless_trace_id_has_no_spans(store: Store) -> None:
    store.append_spans([FULL])
    store.flush()
    for trace_id in ("8", "", "x", "'", "f" * 33, "-" * 32, "{" + "0" * 31):
        assert store.traces.trace(trace_id) == []


def test_a_span_sent_twice_is_stored_once(store: Store) -> None:
    store.append_spans([FULL, FULL])
    store.flush()
    store.append_spans([FULL])
    store.flush()
    assert store.traces.trace(FULL.trace_id) == [FULL]
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "spans", "reason": "repeated"}
        )
        == 2
    )


def test_newest_gives_whole_traces_of_which_one_span_matches(store: Store) -> None:
    store.append_spans([span(t, n, kind=n) for t in range(1, 101) for n in (1, 2, 3)])
    store.append_spans([span(200, 1, name="odd", status=2, resource={"service.name": "other"})])
    store.flush()

    def traces(**filters: object) -> list[int]:
        found: list[int] = []
        for batch in store.traces.newest(0, 10**9, **filters):  # type: ignore[arg-type]
            for each in batch:
                if int(each.trace_id, 16) not in found:
                    found.append(int(each.trace_id, 16))
        return found

    assert traces() == [200, *range(100, 0, -1)]
    assert traces(service="roller", name="s2") == list(range(100, 0, -1))
    assert traces(service="other") == traces(status=2) == traces(name="odd") == [200]
    assert traces(service="other", name="s2") == []
    assert traces(min_duration_ns=30) == list(range(100, 0, -1))
    assert traces(max_duration_ns=10, kind=3) == []
    first = next(store.traces.newest(0, 10**9, name="s2"))
    assert len(first) == 3 * len({s.trace_id for s in first})
    assert traces() == traces()


def test_attributes_are_looked_for_as_they_are_written(store: Store) -> None:
    odd = 'a"b\\é/☃\n'
    store.append_spans(
        [span(1, 1), span(2, 1, attributes={odd: odd}), span(3, 1, attributes={"a": ["x", odd], "n": 5})]
    )
    store.flush()

    def traces(*attributes: tuple[str, str | None]) -> list[int]:
        batches = store.traces.newest(0, 10**9, attributes=attributes)
        return [int(each.trace_id, 16) for batch in batches for each in batch]

    assert traces((odd, odd)) == traces((odd, None)) == [2]
    assert traces(("a", odd), ("n", None)) == [3]
    assert traces(("a", "y")) == traces(("nope", None)) == traces(("%", None)) == []


def test_newest_begins_where_the_range_does(store: Store) -> None:
    store.append_spans([span(1, 1, 100), span(2, 1, 200), span(2, 2, 50)])
    store.flush()
    [batch] = store.traces.newest(100, 200)
    assert [int(s.trace_id) for s in batch] == [1]
    [batch] = store.traces.newest(101, 201)
    assert [s.start_ns for s in batch] == [50, 200]  # the whole trace, though it began before


def test_attributes(store: Store) -> None:
    store.append_spans([FULL, span(8, 1, attributes={"a/b~c": "x", "http.route": "/roll"})])
    store.flush()
    traces = store.traces
    assert traces.attribute_names("span", 0, 10**9) == ["a", "a/b~c", "b", "c", "d", "http.route"]
    assert traces.attribute_names("span", 8000, 10**9) == ["a/b~c", "http.route"]
    assert traces.attribute_names("resource", 0, 10**9) == ["service.name"]
    assert traces.attribute_values("span", "a/b~c", 0, 10**9) == ["x"]
    assert traces.attribute_values("span", "a", 0, 10**9) == [[1, "x"]]
    assert traces.attribute_values("span", "c", 0, 10**9) == [True]
    assert traces.attribute_values("resource", "service.name", 0, 10**9) == ["roller"]
    assert traces.attribute_values("span", "$..*", 0, 10**9) == []


def test_spans_are_oldest_first(store: Store) -> None:
    store.append_spans([span(t, 1) for t in (3, 1, 2)])
    store.flush()
    assert [s.start_ns for s in store.traces.spans(0, 10**9)] == [1001, 2001, 3001]
    assert [s.start_ns for s in store.traces.spans(1002, 3001)] == [2001]
