import random
from pathlib import Path

from pocket.config import Settings
from pocket.rows import Exemplar, LogEntry, ProfileSample, Sample, Span
from pocket.store import Store


def fill(store: Store, second: int) -> None:
    store.append_samples([Sample({"__name__": "m", "at": str(second)}, second * 1000, 1.0)])
    store.append_metrics(
        [], [Exemplar({"__name__": "m", "at": str(second)}, {"trace_id": "a"}, 1.0, second * 1000)]
    )
    store.append_logs([LogEntry({"at": str(second)}, second * 10**9, "x", {})])
    store.append_spans([Span(f"{second:032x}", "1" * 16, "", "n", 2, second * 10**9, second * 10**9 + 5,
                             resource={"service.name": str(second)})])  # fmt: skip
    store.append_profiles([ProfileSample("t", {"at": str(second)}, second * 1000, (f"f{second}",), 1)])
    store.flush()


def state(store: Store) -> dict[str, object]:
    return {
        "samples": [s.labels["at"] for s in store.metrics.select([], 0, 1 << 60)],
        "exemplars": [e.series["at"] for e in store.metrics.exemplars([], 0, 1 << 60)],
        "logs": [e.labels["at"] for e in store.logs.select([], 0, 1 << 62, newest_first=False)],
        "spans": [s.service_name for s in store.traces.spans(0, 1 << 62)],
        "profiles": [p.labels["at"] for p in store.profiles.select("t", [], 0, 1 << 60)],
    }


def test_what_is_too_old_goes_with_all_that_described_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, retention_seconds=100)
    store = Store(settings)
    for second in (100, 200, 300):
        fill(store, second)
    store._retention.enforce(now=301)
    assert state(store) == {name: ["300"] for name in ("samples", "exemplars", "logs", "spans", "profiles")}
    assert store.metrics.label_values("at", [], 0, 1 << 60) == ["300"]
    for table in ("series", "streams", "resources", "profile_series", "stacks"):
        assert store._database.query(f"select count(*) from {table}") == [(1,)], table
    fill(store, 302)
    store.close()
    store = Store(settings)
    assert state(store)["spans"] == ["300", "302"]
    assert state(store)["profiles"] == ["300", "302"]
    store.close()


def test_the_file_stops_growing_at_its_limit(tmp_path: Path) -> None:
    limit = 10 << 20
    store = Store(Settings(data_dir=tmp_path, retention_bytes=limit))
    text = "".join(chr(33 + n % 90) for n in range(97))
    sizes = []
    for second in range(1, 31):
        rows = [
            LogEntry({"a": "b"}, second * 10**9 + n, f"{hash((second, n))}{text}{hash((n, second, n))}" * 2, {})
            for n in range(5000)
        ]
        store.append_logs(rows)
        if second % 5 == 0:
            store.flush()
            with store._retention._writing:  # which makes room at times, on its own
                store._database.query("checkpoint")
            store._retention.enforce(now=second)
            sizes.append(store._retention._used_bytes())
    assert max(sizes) <= limit
    newest = next(store.logs.select([], 0, 1 << 62, limit=1))
    assert newest.t_ns == 30 * 10**9 + 4999
    assert store.logs.stats([], 0, 1 << 62)["entries"] < 30 * 5000
    assert store.size_bytes() < 3 * limit
    store.close()


def test_size_is_bounded_as_data_comes_in(tmp_path: Path) -> None:
    """Twelve times the bound at once, and nobody waits for a timer: the writer itself makes room."""
    limit = 8 << 20
    store = Store(Settings(data_dir=tmp_path, retention_bytes=limit))
    sizes = []
    for second in range(1, 49):
        lines = [random.randbytes(500).hex() for _ in range(2000)]
        store.append_logs([LogEntry({"a": "b"}, second * 10**9 + n, line, {}) for n, line in enumerate(lines)])
        store.flush()
        sizes.append(store.size_bytes())
    assert max(sizes) < 2.5 * limit  # and one commit, here of a quarter of the bound
    newest = next(store.logs.select([], 0, 1 << 62, limit=1))
    assert newest.t_ns == 48 * 10**9 + 1999
    assert store.logs.stats([], 0, 1 << 62)["bytes"] > limit // 4  # no more is deleted than has to be
    store.close()
