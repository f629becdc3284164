import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pocket.route import UsageQueue


def test_first_in_first_out_and_gone_when_acknowledged(tmp_path: Path) -> None:
    queue = UsageQueue(tmp_path / "q" / "usage.sqlite")
    queue.put([b"a", b"b"])
    queue.put([b"c"])
    batch = queue.oldest(2)
    assert [body for _, body in batch] == [b"a", b"b"]
    assert queue.oldest(2) == batch
    queue.acknowledge([batch[0][0]])
    queue.acknowledge([batch[0][0]])
    assert [body for _, body in queue.oldest(9)] == [b"b", b"c"]
    assert len(queue) == 2
    queue.close()
    queue = UsageQueue(tmp_path / "q" / "usage.sqlite")
    assert (len(queue), [body for _, body in queue.oldest(9)]) == (2, [b"b", b"c"])
    queue.close()


def test_an_id_is_never_used_again(tmp_path: Path) -> None:
    queue = UsageQueue(tmp_path / "usage.sqlite")
    queue.put([b"a"])
    [(first, _)] = queue.oldest(1)
    queue.acknowledge([first])
    queue.put([b"b"])
    assert queue.oldest(1)[0][0] > first
    queue.close()


def test_a_full_queue_says_so_and_drops_nothing(tmp_path: Path) -> None:
    queue = UsageQueue(tmp_path / "usage.sqlite", limit=3)
    queue.put([b"0", b"1"])
    assert not queue.full
    queue.put([b"2", b"3"])
    assert queue.full
    assert [body for _, body in queue.oldest(9)] == [b"0", b"1", b"2", b"3"]
    queue.acknowledge([id_ for id_, _ in queue.oldest(2)])
    assert not queue.full
    queue.close()


def test_what_cannot_be_put_is_not_counted_as_waiting(tmp_path: Path) -> None:
    queue = UsageQueue(tmp_path / "usage.sqlite")
    queue.put([b"1"])
    queue._db.execute("pragma query_only = on")  # as a full disk
    with pytest.raises(sqlite3.OperationalError):
        queue.put([b"2", b"3"])
    assert len(queue) == 1
    queue._db.execute("pragma query_only = off")
    queue.put([b"2", b"3"])
    assert [body for _, body in queue.oldest(9)] == [b"1", b"2", b"3"]
    queue.close()


WRITER = """
import sys, pathlib
from pocket.route import UsageQueue
queue = UsageQueue(pathlib.Path(sys.argv[1]))
n = 0
while True:
    n += 1
    queue.put([b"%d" % n])
    print(n, flush=True)
"""


def test_kill_9_loses_nothing_that_was_put(tmp_path: Path) -> None:
    file = tmp_path / "usage.sqlite"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    put = 20 + len(child.stdout.read().splitlines())
    child.wait()
    child.stdout.close()
    queue = UsageQueue(file)
    assert [body for _, body in queue.oldest(put)] == [b"%d" % n for n in range(1, put + 1)]
    queue.close()
