"""Log lines: nothing lost, nothing doubled beyond what at-least-once implies, files bounded."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.run import shipper as shipper_module
from workshop.run import tailer
from workshop.run.logfile import LogFile, rotated, tail
from workshop.run.shipper import PushClient, Shipper, UnavailableError
from workshop.run.state import write_atomically


class Stack:
    """Takes batches, or answers as told."""

    def __init__(self) -> None:
        self.streams: list[dict[str, Any]] = []
        self.answers: list[int] = []  # for the next calls; then 204
        self.refuse = ""  # a line with this in it gets a 400

    def __call__(self, streams: list[dict[str, Any]]) -> int:
        status = self.answers.pop(0) if self.answers else 204
        if status == 0:
            raise UnavailableError("no answer")
        if self.refuse and any(self.refuse in line for stream in streams for _, line in stream["values"]):
            return 400
        if status == 204:
            self.streams += streams
        return status

    @property
    def lines(self) -> list[str]:
        return [line for stream in self.streams for _, line in stream["values"]]


@pytest.fixture
def stack() -> Stack:
    return Stack()


class Log(LogFile):
    """Closed with its test, or pytest would complain of it."""

    def __del__(self) -> None:
        self.close()


def shipper(folder: Path, stack: Stack, *services: str) -> Shipper:
    return Shipper(folder / "logs", services or ("one",), folder / "positions.json", "dice-workshop", stack)


def drain(one: Shipper) -> None:
    while one.step():
        pass


def write(folder: Path, text: str, service: str = "one") -> Path:
    file = folder / "logs" / f"{service}.log"
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as handle:
        handle.write(text)
    return file


def test_lines_arrive_with_labels_and_rising_timestamps(tmp_path: Path, stack: Stack) -> None:
    write(tmp_path, "first\nsecond\n")
    write(tmp_path, "other\n", "two")
    drain(shipper(tmp_path, stack, "one", "two"))
    assert stack.lines == ["first", "second", "other"]
    assert stack.streams[0]["stream"] == {"container_name": "dice-workshop-one-1", "compose_service": "one"}
    times = [int(t) for t, _ in stack.streams[0]["values"]]
    assert times == sorted(set(times))


def test_an_unfinished_line_waits(tmp_path: Path, stack: Stack) -> None:
    one = shipper(tmp_path, stack)
    write(tmp_path, "whole\nhal")
    drain(one)
    assert stack.lines == ["whole"]
    write(tmp_path, "f\n")
    drain(one)
    assert stack.lines == ["whole", "half"]


def test_a_new_shipper_goes_on_where_the_old_one_was(tmp_path: Path, stack: Stack) -> None:
    write(tmp_path, "a\nb\n")
    drain(shipper(tmp_path, stack))
    write(tmp_path, "c\n")
    drain(shipper(tmp_path, stack))
    assert stack.lines == ["a", "b", "c"]


@pytest.mark.parametrize("answer", [0, 429, 500, 503])
def test_a_batch_is_repeated_unchanged_until_it_is_taken(tmp_path: Path, stack: Stack, answer: int) -> None:
    one = shipper(tmp_path, stack)
    seen: list[str] = []

    def send(streams: Any) -> Any:
        seen.append(json.dumps(streams))
        return stack(streams)

    one.send = send
    stack.answers = [answer, answer]
    write(tmp_path, "a\n")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            one.step()
        assert not (tmp_path / "positions.json").exists()
        write(tmp_path, "later\n")
    drain(one)
    assert seen[0] == seen[1] == seen[2]
    assert stack.lines == ["a", "later", "later"]


def test_a_disk_that_is_full_for_a_while_loses_no_line(
    tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(28, "No space left on device")] * 2
    stop = threading.Event()

    def save(path: Path, content: object) -> None:
        if failures:
            raise failures.pop()
        write_atomically(path, content)
        stop.set()

    monkeypatch.setattr(shipper_module, "write_atomically", save)
    monkeypatch.setattr(shipper_module, "BACKOFF_SECONDS", (0.0, 0.0))
    write(tmp_path, "a\nb\n")
    shipper(tmp_path, stack).run(stop)
    assert not failures
    assert stack.lines == ["a", "b"] * 3  # the very same batch again, which the store recognizes
    assert len({json.dumps(stream) for stream in stack.streams}) == 1
    assert json.loads((tmp_path / "positions.json").read_text())["one"][1] == len("a\nb\n")


def test_a_refused_line_is_left_out_alone(tmp_path: Path, stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.refuse = "bad"
    write(tmp_path, "".join(f"{'bad' if i == 5 else 'good'} {i}\n" for i in range(12)))
    one = shipper(tmp_path, stack)
    drain(one)
    assert stack.lines == [f"good {i}" for i in range(12) if i != 5]
    assert [record.message for record in caplog.records] == ["the stack refused a log line of one: HTTP 400"]


def test_truncation_starts_again_at_the_top(tmp_path: Path, stack: Stack) -> None:
    one = shipper(tmp_path, stack)
    file = write(tmp_path, "before, and long enough\n")
    drain(one)
    file.write_text("after\n")
    drain(one)
    assert stack.lines == ["before, and long enough", "after"]


def test_unreadable_positions_mean_from_the_start(tmp_path: Path, stack: Stack) -> None:
    (tmp_path / "positions.json").write_text("[1, 2")
    write(tmp_path, "a\n")
    drain(shipper(tmp_path, stack))
    assert stack.lines == ["a"]


def test_bytes_that_are_no_utf8_do_not_stop_it(tmp_path: Path, stack: Stack) -> None:
    file = write(tmp_path, "")
    file.write_bytes(b"\xff\xfe oops\nnext\n")
    drain(shipper(tmp_path, stack))
    assert stack.lines[1] == "next"


def test_rotation_loses_nothing_and_rotated_files_go_once_shipped(tmp_path: Path, stack: Stack) -> None:
    log = Log(tmp_path / "logs" / "one.log", max_bytes=100, max_files=50)
    one = shipper(tmp_path, stack)
    expected = [f"line {i:04}" for i in range(200)]
    for index, line in enumerate(expected):
        log.write(f"{line}\n".encode())
        if index % 37 == 0:
            one.step()
    assert len(rotated(log.path)) > 3
    drain(one)
    assert stack.lines == expected
    assert rotated(log.path) == []


def test_rotation_while_the_shipper_is_away(tmp_path: Path, stack: Stack) -> None:
    """A new shipper, with positions in a file that has meanwhile been rotated."""
    log = Log(tmp_path / "logs" / "one.log", max_bytes=50, max_files=50)
    log.write(b"a\nb\n")
    drain(shipper(tmp_path, stack))
    for i in range(30):
        log.write(f"line {i}\n".encode())
    drain(shipper(tmp_path, stack))
    assert stack.lines == ["a", "b", *(f"line {i}" for i in range(30))]


def test_a_rotation_while_files_are_listed_does_not_start_again(
    tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shipper(tmp_path, stack)
    file = write(tmp_path, "a\n")
    drain(one)
    with monkeypatch.context() as patch:
        patch.setattr(tailer, "_inode", lambda _: 0)  # renamed, and no new file yet
        assert one.step() == 0
    file.rename(file.with_name("one.log.1"))
    write(tmp_path, "b\n")
    drain(one)
    assert stack.lines == ["a", "b"]


def test_waiting_files_are_bounded_and_the_loss_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = Log(tmp_path / "logs" / "one.log", max_bytes=100, max_files=4)
    for i in range(500):
        log.write(f"line {i:04}\n".encode())
    assert len(rotated(log.path)) <= 3
    assert "one.log.1 was never shipped and makes room for newer lines" in caplog.messages
    assert tail(log.path, 1) == ["line 0499"]


def test_half_a_line_of_a_killed_writer_is_ended(tmp_path: Path, stack: Stack) -> None:
    write(tmp_path, "whole\nhal")
    Log(tmp_path / "logs" / "one.log").write(b"next\n")
    drain(shipper(tmp_path, stack))
    assert stack.lines == ["whole", "hal", "next"]


@settings(max_examples=40, deadline=None)
@given(
    chunks=st.lists(st.text(alphabet="ab\n", max_size=30).map(str.encode), max_size=30),
    steps=st.lists(st.sampled_from(["step", "fail", "new"]), max_size=30),
)
def test_every_whole_line_arrives_in_order_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], steps: list[str]
) -> None:
    folder, stack = tmp_path_factory.mktemp("run"), Stack()
    log = Log(folder / "logs" / "one.log", max_bytes=40, max_files=1000)
    one = shipper(folder, stack)
    for index, chunk in enumerate(chunks):
        left = chunk
        while left:
            left = left[log.write(left) :]
        match steps[index] if index < len(steps) else "":
            case "step":
                one.step()
            case "new":
                one = shipper(folder, stack)
            case "fail":
                stack.answers = [503]
                with contextlib.suppress(UnavailableError):
                    one.step()
                stack.answers = []
    drain(one)
    written = b"".join(chunks).decode()
    whole = written[: written.rfind("\n") + 1]
    assert stack.lines == [line for line in whole.split("\n") if line]


def test_the_push_client_speaks_lokis_json(tmp_path: Path) -> None:
    got: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = PushClient(server.server_port)
        streams = [{"stream": {"a": "b"}, "values": [["1", "line"]]}]
        assert client(streams) == 204
        server.shutdown()
        thread.join()
    assert got == [("/loki/api/v1/push", {"streams": streams})]
    with pytest.raises(UnavailableError):
        client(streams)
    client.close()
