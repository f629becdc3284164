from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pocket.rows import LogEntry, Matcher
from pocket.store import Store
from pocket.store.paging import pages

A, B = {"service_name": "a"}, {"service_name": "b", "level": "info"}


def fill(store: Store) -> None:
    store.append_logs([LogEntry(A, t, f"line {t}", {"trace_id": str(t)}) for t in range(1, 8)])
    store.append_logs([LogEntry(B, 4, "other line", {})])
    store.flush()


def test_select_is_ordered_by_time_and_ends_before_the_end(store: Store) -> None:
    fill(store)
    newest = [e.t_ns for e in store.logs.select([Matcher("service_name", "=", "a")], 2, 6)]
    assert newest == [5, 4, 3, 2]
    oldest = list(store.logs.select([], 2, 6, newest_first=False, limit=2))
    assert [e.t_ns for e in oldest] == [2, 3]
    assert oldest[0] == LogEntry(A, 2, "line 2", {"trace_id": "2"})


def test_select_contains_is_plain_text(store: Store) -> None:
    fill(store)
    store.append_logs([LogEntry(A, 9, "100% 'quoted' _", {})])
    store.flush()
    assert [e.t_ns for e in store.logs.select([], 0, 99, contains=["%", "'", "_"])] == [9]
    assert [e.t_ns for e in store.logs.select([], 0, 99, contains=["LINE"])] == []


def test_labels_streams_and_stats(store: Store) -> None:
    fill(store)
    assert store.logs.label_names(0, 99) == ["level", "service_name"]
    assert store.logs.label_names(5, 99) == ["service_name"]
    assert store.logs.label_values("service_name", 0, 99) == ["a", "b"]
    assert store.logs.label_values("service_name", 0, 99, [Matcher("level", "=", "info")]) == ["b"]
    assert store.logs.streams([Matcher("level", "=", "")], 0, 99) == [A]
    assert store.logs.stats([], 0, 99) == {"streams": 2, "chunks": 2, "entries": 8, "bytes": 52}
    assert store.logs.stats([Matcher("level", "=", "x")], 0, 99)["entries"] == 0


def test_a_repeated_entry_is_stored_once_even_after_a_restart(store: Store) -> None:
    fill(store)
    fill(store)
    assert store.logs.stats([], 0, 99)["entries"] == 8
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "logs", "reason": "repeated"}
        )
        == 8
    )


def test_a_repeat_is_found_behind_any_number_of_other_lines(store: Store) -> None:
    """A shipper that had no answer in time sends again, while someone else pushes a hundred thousand lines."""
    batch = [LogEntry(A, 10**9 + t, f"line {t}", {}) for t in range(200)]
    store.append_logs(batch)
    flood = [LogEntry(B, 10**9 + t, f"flood {t}", {}) for t in range(70_000)]
    same_stream = [LogEntry(A, 2 * 10**9 + t, f"later {t}", {}) for t in range(70_000)]
    for rows in (flood, same_stream):
        store.append_logs(rows)
        store.flush()
    store.append_logs(batch)
    store.flush()
    assert store.logs.stats([], 0, 1 << 62)["entries"] == 140_200
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "logs", "reason": "repeated"}
        )
        == 200
    )


def test_lines_that_differ_in_structured_metadata_are_no_repeats(store: Store) -> None:
    """Loki 3.7: pkg/chunkenc/unordered.go compares time, line and structured metadata."""
    one, other = {"thread": "1", "a": "b"}, {"thread": "2", "a": "b"}
    same = {"a": "b", "thread": "1"}  # the order means nothing
    store.append_logs([LogEntry(A, 5, "x", metadata) for metadata in (one, other, same, {})])
    store.flush()
    store.append_logs([LogEntry(A, 5, "x", metadata) for metadata in (same, other, {}, {"thread": "3"})])
    store.append_logs([LogEntry(B, 5, "x", one)])
    store.flush()
    assert store.logs.stats([], 0, 99)["entries"] == 5
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "logs", "reason": "repeated"}
        )
        == 4
    )


def test_pages_neither_lose_nor_repeat_rows_that_share_a_time(store: Store) -> None:
    times = [1, 1, 1, 1, 1, 2, 3, 3, 3, 4, 5, 5]
    store.append_logs([LogEntry(A, t, f"{n}", {}) for n, t in enumerate(times)])
    store.flush()
    for newest_first in (True, False):
        for size in range(1, 14):
            found = [
                row
                for page in pages(store._database, "select t_ns, line from logs", "true", [], "t_ns", 1, 6,
                                  newest_first=newest_first, page=size)
                for row in page
            ]  # fmt: skip
            assert sorted(found) == sorted((t, f"{n}") for n, t in enumerate(times))
            assert [t for t, _ in found] == sorted(times, reverse=newest_first)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.text(), metadata=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3))
def test_any_line_comes_back(store: Store, line: str, metadata: dict[str, str]) -> None:
    name = str(len(store.logs.index.values))
    entry = LogEntry({"service_name": name}, 1, line, metadata)
    store.append_logs([entry])
    store.flush()
    assert list(store.logs.select([Matcher("service_name", "=", name)], 0, 2)) == [entry]
