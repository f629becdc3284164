import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from pocket.config import Settings
from pocket.rows import Exemplar, LogEntry, ProfileSample, Sample, Span
from pocket.store import Store, StoreError, StoreFull, TooLargeError
from pocket.store import writer as writer_module
from pocket.store.database import Connection
from pocket.store.logs import LogTable


def entry(t: int, line: str = "x") -> LogEntry:
    return LogEntry({"service_name": "a"}, t, line, {})


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    store = Store(settings)
    store.append_logs([entry(1)])
    store.append_samples([Sample({"__name__": "up"}, 1000, 1.0)])
    store.append_spans([Span("1" * 32, "2" * 16, "", "n", 2, 5, 6, resource={"service.name": "s"})])
    store.close()
    store = Store(settings)
    store.append_logs([entry(1), entry(2)])  # the first again
    store.append_samples([Sample({"__name__": "up"}, t, 2.0) for t in (1000, 2000)])
    store.append_spans([Span("1" * 32, "2" * 16, "", "n", 2, 5, 6, resource={"service.name": "s"})])
    store.flush()
    assert [e.t_ns for e in store.logs.select([], 0, 9)] == [2, 1]
    [series] = store.metrics.select([], 0, 5000)
    assert series.values.tolist() == [1.0, 2.0]
    assert len(store.traces.trace("1" * 32)) == 1
    store.close()


def test_a_row_that_cannot_be_written_is_dropped_alone(store: Store) -> None:
    store.append_logs([entry(1), LogEntry({"service_name": "bad"}, 1 << 70, "x", {}), entry(3)])
    store.flush()
    assert [e.t_ns for e in store.logs.select([], 0, 9)] == [3, 1]
    assert store.own_metrics.value("pocket_dropped_total", signal="logs", reason="store") == 1
    store.append_logs([entry(4)])
    store.flush()
    assert len(list(store.logs.select([], 0, 9))) == 3


def test_a_full_queue_refuses(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_BYTES", 3000)
    with store._writer._writing:  # nothing is written meanwhile
        store.append_logs([entry(1, "y" * 2000)])
        with pytest.raises(StoreFull):
            store.append_logs([entry(2, "y" * 2000)])
    store.flush()
    assert "pocket_dropped_total{" not in store.own_metrics.exposition("")[0].decode()
    store.append_logs([entry(99)])
    store.flush()
    assert next(store.logs.select([], 0, 999)).t_ns == 99


def test_metrics_are_taken_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_BYTES", 3000)
    sample, exemplar = (
        Sample({"__name__": "m"}, 1000, 1.0),
        Exemplar({"__name__": "m"}, {"t": "x" * 900}, 1.0, 1000),
    )
    with store._writer._writing:
        store.append_logs([entry(1, "y" * 1000)])
        with pytest.raises(StoreFull):
            store.append_metrics([sample], [exemplar])
    store.flush()
    assert store.metrics.select([], 0, 5000) == []


def test_more_at_once_than_can_ever_wait_is_said_to_be(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_BYTES", 3000)
    with pytest.raises(TooLargeError, match="of rows at once"):
        store.append_logs([entry(1, "y" * 4000)])
    store.flush()
    assert store.logs.stats([], 0, 9)["entries"] == 0


FULL_DISK = """
import pathlib, resource, sys
from pocket.config import Settings
from pocket.rows import LogEntry
from pocket.store import Store, StoreError, writer

writer.RETRY_SECONDS = 0.05
store = Store(Settings(data_dir=pathlib.Path(sys.argv[1])))
store.append_logs([LogEntry({"a": "b"}, 1, "before")])
store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, resource.RLIM_INFINITY))  # as a full disk
store.append_logs([LogEntry({"a": "b"}, 2 + n, "x" * 1000) for n in range(200)])
for _ in range(2):
    try:
        store.flush()
    except StoreError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.append_logs([LogEntry({"a": "b"}, 2, "x" * 1000)])  # what the sender was not sure of comes again
while True:
    try:
        store.flush()
        break
    except StoreError:
        pass
dropped = store.own_metrics.value("pocket_dropped_total", signal="logs", reason="store")
print(sum(1 for _ in store.logs.select([], 0, 999)), int(dropped))
store.close()
"""


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    first, second, last = run.stdout.splitlines()
    assert first == second
    assert "pocket.duckdb cannot be written: " in first
    assert "Could not write file" in first
    assert last == "201 0"


def test_a_commit_that_is_durable_is_not_repeated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB's own words when the disk is full at the checkpoint that follows a commit."""
    said = (
        "FATAL Error: Transaction COMMIT succeeded and is durable, but the autocheckpoint failed. Reopen the"
        " database instance to recover. Failed to create checkpoint because of error: No space left on device"
    )
    write, written = store._writer._transactions._transaction, []

    class Failing:
        """A cursor whose commit is followed by a checkpoint that fails."""

        def __init__(self, cursor: Connection) -> None:
            self._cursor = cursor

        def __getattr__(self, name: str) -> object:
            return getattr(self._cursor, name)

        def commit(self) -> None:
            self._cursor.commit()
            written.append(1)
            raise duckdb.FatalException(said)

    monkeypatch.setattr(
        store._writer._transactions,
        "_transaction",
        lambda cursor, rows: write(Failing(cursor), rows),  # type: ignore[arg-type]
    )
    profile = ProfileSample("t", {"service_name": "a"}, 1000, ("main",), 7)  # equal ones are no repeats
    store.append_profiles([profile])
    store.flush()
    monkeypatch.undo()
    store.append_logs([entry(1)])
    store.flush()
    assert [row.value for row in store.profiles.select("t", [], 0, 5000)] == [7]
    assert (len(written), store.logs.stats([], 0, 9)["entries"]) == (1, 1)


SMALL_DISK = """
import os, pathlib, random, sys
from pocket.config import Settings
from pocket.rows import ProfileSample
from pocket.store import Store, StoreError, writer

writer.RETRY_SECONDS = 0.05
disk = pathlib.Path(sys.argv[1])
(disk / "ballast").write_bytes(bytes(12 << 20))
store = Store(Settings(data_dir=disk))
sent = 0
while (disk / "ballast").exists():
    frames = [(random.randbytes(500).hex(),) for _ in range(500)]
    store.append_profiles([ProfileSample("t", {"a": "b"}, 1 + n, frame, 1) for n, frame in enumerate(frames)])
    sent += 500
    try:
        store.flush()
        (disk / "ballast").unlink() if "autocheckpoint failed" in open(sys.argv[2]).read() else None
    except StoreError:
        (disk / "ballast").unlink()
while True:
    try:
        store.flush()
        break
    except StoreError:
        pass
store.close()
print(sent - sum(1 for _ in Store(Settings(data_dir=disk)).profiles.select("t", [], 0, 1 << 60)))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_full_at_the_checkpoint_stores_nothing_twice(tmp_path: Path) -> None:
    disk, log = tmp_path / "disk", tmp_path / "log"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=34m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with log.open("w") as stderr:
            command = [sys.executable, "-c", SMALL_DISK, str(disk), str(log)]
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=100)
        assert "COMMIT succeeded and is durable, but the autocheckpoint failed" in log.read_text()
        assert run.stdout == "0\n"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


FULL_AT_CHECKPOINT = """
import pathlib, random, resource, sys
from pocket.config import Settings
from pocket.rows import LogEntry
from pocket.store import Store, StoreError, writer

writer.RETRY_SECONDS = 0.05
store = Store(Settings(data_dir=pathlib.Path(sys.argv[1])))
store.append_logs([LogEntry({"a": "b"}, n, random.randbytes(1000).hex()) for n in range(1, 601)])
store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, resource.RLIM_INFINITY))  # as a full disk
for attempt in (lambda: store._database.query("checkpoint"), lambda: list(store.logs.select([], 0, 999))):
    try:
        attempt()
    except StoreError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.append_logs([LogEntry({"a": "b"}, 601, "after")])
while True:
    try:
        store.flush()
        break
    except StoreError:
        pass
print(sum(1 for _ in store.logs.select([], 0, 999)))
store.close()
"""


def test_a_database_that_closed_itself_is_opened_anew(tmp_path: Path) -> None:
    """A checkpoint that fails leaves DuckDB refusing all that comes after, until the file is opened anew."""
    run = subprocess.run(
        [sys.executable, "-c", FULL_AT_CHECKPOINT, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    checkpoint, query, rows = run.stdout.splitlines()
    assert "pocket.duckdb is closed: FATAL Error: Failed to create checkpoint" in checkpoint
    assert "database has been invalidated" in query
    assert rows == "601"


def test_a_disk_that_stays_full_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException("IO Error: No space left on device")

    store = Store(Settings(data_dir=tmp_path))
    monkeypatch.setattr(LogTable, "insert", full)
    store.append_logs([entry(1), entry(2)])
    with pytest.raises(StoreError, match="No space left on device"):
        store.flush()
    assert store.queued_bytes > 0
    store.close()
    assert store.own_metrics.value("pocket_dropped_total", signal="logs", reason="store") == 2


def test_reading_while_writing(store: Store) -> None:
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(sum(1 for _ in store.logs.select([], 0, 10**9)))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for start in range(0, 2000, 100):
        store.append_logs([entry(start + n + 1) for n in range(100)])
        store.flush()
    done.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 3
    assert all(count % 100 == 0 for count in seen)  # transactions are seen whole
    assert sum(1 for _ in store.logs.select([], 0, 10**9)) == 2000


def test_a_second_store_on_the_same_directory_says_so(tmp_path: Path) -> None:
    # DuckDB's lock is between processes; within one it shares the file, so the other one is a process.
    store = Store(Settings(data_dir=tmp_path))
    code = (
        "import sys, pathlib; from pocket.config import Settings; from pocket.store import Store, StoreError\n"
        "try: Store(Settings(data_dir=pathlib.Path(sys.argv[1])))\n"
        "except StoreError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    store.close()
    assert "is in use by another process" in run.stdout
    assert run.stdout.count("\n") == 1


def test_a_corrupt_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "pocket" / "pocket.duckdb"
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match=r"pocket\.duckdb cannot be opened: .*move it away") as caught:
        Store(Settings(data_dir=tmp_path))
    assert "\n" not in str(caught.value)
    assert path.read_bytes().startswith(b"not a database")
