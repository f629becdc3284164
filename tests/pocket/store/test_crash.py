"""kill -9 under load: what was acknowledged is there, and the store opens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pocket.config import Settings
from pocket.store import Store

WRITER = """
import pathlib, sys, threading
from pocket.config import Settings
from pocket.rows import LogEntry, Sample, Span
from pocket.store import Store
store = Store(Settings(data_dir=pathlib.Path(sys.argv[1])))
n = int(sys.argv[2])
while True:
    n += 1
    labels = {"service_name": f"s{n % 7}"}
    store.append_logs([LogEntry(labels, n * 1000 + i + 1, f"{n} {i}" * 50, {}) for i in range(200)])
    store.append_samples([Sample({"__name__": "m", "n": str(n % 50)}, n, float(n))])
    resource = {"service.name": str(n % 5)}
    store.append_spans([Span(f"{n:032x}", f"{i + 1:016x}", "", "x" * 99, 2, n, n + 1, resource=resource)
                        for i in range(50)])
    store.flush()
    print(n, flush=True)
"""


def test_kill_9_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    last = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(last + 1000)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = int(child.stdout.readline())
        time.sleep(0.7)
        os.kill(child.pid, signal.SIGKILL)
        flushed = [first, *(int(line) for line in child.stdout.read().splitlines() if line)]
        child.wait()
        child.stdout.close()
        store = Store(Settings(data_dir=tmp_path))
        for n in (flushed[0], flushed[-1]):
            assert len(list(store.logs.select([], n * 1000, n * 1000 + 1000))) == 200
            assert len(store.traces.trace(f"{n:x}")) == 50
            [series] = store.metrics.select([], n, n)
            assert series.values.tolist() == [float(n)]
        last = flushed[-1]
        store.close()
