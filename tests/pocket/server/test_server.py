"""The whole process, as the command starts it."""

import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .conftest import ARGUMENTS, OFFSET, Process, Start

TRACE = "0af7651916cd43dd8448eb211c80319c"


def trace(number: int = 0) -> dict[str, Any]:
    now = time.time_ns()
    span = {
        "traceId": f"{int(TRACE, 16) + number:032x}", "spanId": "b7ad6b7169203331", "name": "GET /roll", "kind": 2,
        "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 10**7),
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "roller"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def shipped(*lines: str) -> dict[str, Any]:
    now = time.time_ns()
    labels = {"container_name": "dice-workshop-roller-1", "compose_service": "roller"}
    return {"streams": [{"stream": labels, "values": [[str(now + n), line] for n, line in enumerate(lines)]}]}


def eventually(check: Any) -> Any:
    deadline = time.monotonic() + 30
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_pages_from_elsewhere_are_kept_out(start: Start) -> None:
    pocket = start()
    page = {"origin": "https://evil.example"}
    for port, path in ((12345, "/loki/api/v1/push"), (4318, "/v1/traces"), (3000, "/api/ds/query")):
        assert pocket.post(port, path, json={}, headers=page).status_code == 403, (port, path)
    assert pocket.get(9090, "/api/v1/labels", headers={"host": "evil.example"}).status_code == 403
    tail = f"ws://127.0.0.1:{3100 + OFFSET}/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D"
    with connect(tail):
        pass
    with pytest.raises(InvalidStatus, match="403"), connect(tail, origin=Origin(page["origin"])):
        pass
    assert pocket.stop()[0] == 0


def test_every_signal_goes_in_and_comes_out(start: Start) -> None:
    pocket = start()
    for port, path in (
        (3100, "/ready"),
        (3200, "/ready"),
        (4040, "/ready"),
        (9090, "/-/ready"),
        (3000, "/api/health"),
    ):
        assert pocket.get(port, path).status_code == 200, (port, path)
    assert pocket.post(4318, "/v1/traces", json=trace()).status_code == 200
    line = json.dumps({"level": "info", "service": "roller", "trace_id": TRACE, "message": "rolled"})
    assert pocket.post(12345, "/loki/api/v1/push", json=shipped(line, "Traceback")).status_code == 204

    # What the shipper pushed is there when it is acknowledged.
    query = {"query": '{service_name="roller"}', "start": str(time.time_ns() - 60 * 10**9)}
    found = pocket.get(3100, "/loki/api/v1/query_range", params=query).json()["data"]["result"]
    assert sorted(entry[1] for stream in found for entry in stream["values"]) == sorted([line, "Traceback"])
    eventually(lambda: pocket.get(3200, f"/api/traces/{TRACE}").status_code == 200)

    def vector(text: str) -> Any:
        return pocket.get(9090, "/api/v1/query", params={"query": text}).json()["data"]["result"]

    eventually(lambda: vector('up{job="pocket"} == 1'))
    calls = eventually(lambda: vector('traces_spanmetrics_calls_total{service="roller"}'))
    assert calls[0]["value"][1] == "1"
    [target] = pocket.get(9090, "/api/v1/targets").json()["data"]["activeTargets"]
    assert (target["scrapePool"], target["health"]) == ("pocket", "up")
    metrics = pocket.get(9090, "/metrics").text
    assert 'pocket_received_total{signal="spans"} 1.0\n' in metrics
    assert "process_resident_memory_bytes" in metrics
    code, said = pocket.stop()
    assert code == 0
    assert "Traceback" not in said
    assert all(text.startswith("pocket: INFO") for text in said.splitlines()), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_writes_what_was_received(start: Start, number: int) -> None:
    pocket = start()
    assert pocket.post(4318, "/v1/traces", json=trace()).status_code == 200
    assert pocket.stop(number)[0] == 0
    pocket = start()
    assert pocket.get(3200, f"/api/traces/{TRACE}").status_code == 200


def test_kill_9_under_load_loses_no_acknowledged_log_line(start: Start, tmp_path: Path) -> None:
    pocket = start("--usage-endpoint", f"http://127.0.0.1:{OFFSET + 1}/v1/logs")
    acknowledged: list[str] = []

    def push() -> None:
        n = 0
        while True:
            n += 1
            line = json.dumps({"level": "info", "usage": True, "n": n})
            try:
                if pocket.post(12345, "/loki/api/v1/push", json=shipped(line)).status_code != 204:
                    return
                pocket.post(4318, "/v1/traces", json=trace(n))
            except Exception:
                return
            acknowledged.append(line)

    pushing = threading.Thread(target=push)
    pushing.start()
    eventually(lambda: len(acknowledged) > 20)
    os.kill(pocket.child.pid, signal.SIGKILL)
    pushing.join()
    pocket = start("--usage-endpoint", f"http://127.0.0.1:{OFFSET + 1}/v1/logs")
    query = {"query": '{service_name="roller"}', "start": str(time.time_ns() - 60 * 10**9), "limit": "5000"}
    found = pocket.get(3100, "/loki/api/v1/query_range", params=query).json()["data"]["result"]
    lines = {entry[1] for stream in found for entry in stream["values"]}
    assert set(acknowledged) <= lines
    text = pocket.get(9090, "/metrics").text
    [waiting] = [row.split()[1] for row in text.splitlines() if row.startswith("pocket_usage_queue_length ")]
    assert float(waiting) >= len(acknowledged)


def test_bad_bodies_are_refused_and_the_process_lives_on(start: Start) -> None:
    pocket = start()
    huge = bytes(100 << 20)
    bomb = gzip.compress(bytes(64 << 20))
    packed = {"content-encoding": "gzip"}
    proto, json_type = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}
    for port, path, headers in (
        (4318, "/v1/traces", proto), (4318, "/v1/logs", json_type), (4318, "/v1/metrics", proto),
        (3100, "/loki/api/v1/push", json_type), (3100, "/loki/api/v1/push", proto),
        (12345, "/loki/api/v1/push", json_type),
        (4040, "/push.v1.PusherService/Push", {"content-type": "application/proto"}),
    ):  # fmt: skip
        assert pocket.post(port, path, content=b"\xff\xfe{", headers=headers).status_code == 400, path
        assert pocket.post(port, path, content=bomb, headers={**headers, **packed}).status_code == 413, path
    for port, path in ((4318, "/v1/traces"), (3100, "/loki/api/v1/push"), (4040, "/push.v1.PusherService/Push")):
        # The connection may be closed while the client is still sending.
        with contextlib.suppress(httpx.WriteError):
            assert pocket.post(port, path, content=huge, headers=proto).status_code == 413
    assert pocket.post(4318, "/v1/traces", json=trace()).status_code == 200
    code, said = pocket.stop()
    assert code == 0
    assert "Traceback" not in said


def run(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([*ARGUMENTS, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(("component", "port"), [("loki", 3100), ("otlp-grpc", 4317), ("prometheus", 9090)])
def test_a_port_that_is_taken_is_named(tmp_path: Path, component: str, port: int) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port + OFFSET))
        taken.listen()
        code, said = run("--data-dir", str(tmp_path))
    assert code == 1
    [line] = said
    assert line.startswith(f"pocket: port {port + OFFSET} ({component}) is in use: stop what listens there, or")


def test_what_keeps_it_from_starting_is_said_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("scrape_configs: [{job_name: a, relabel_configs: []}]")
    code, said = run("--data-dir", str(tmp_path), "--prometheus-config", str(config))
    assert (code, len(said)) == (1, 1)
    assert "'relabel_configs' is not supported" in said[0]
    broken = tmp_path / "pocket" / "pocket.duckdb"
    broken.parent.mkdir()
    broken.write_bytes(b"junk" * 5000)
    code, said = run("--data-dir", str(tmp_path))
    assert (code, len(said)) == (1, 1)
    assert "pocket.duckdb cannot be opened" in said[0]
    code, said = run("--data-dir", str(tmp_path), "--port-offset", "70000")
    assert code == 2


LOOPBACK_IN_IPV6 = "0000000000000000FFFF00000100007F"  # how gRPC binds 127.0.0.1


def proc(pocket: Process, kind: str) -> list[str]:
    return Path(f"/proc/{pocket.child.pid}/net/{kind}").read_text(encoding="utf-8").splitlines()[1:]


def test_it_listens_on_loopback_alone(start: Start) -> None:
    pocket: Process = start()
    addresses = set()
    lines = [line for kind in ("tcp", "tcp6") for line in proc(pocket, kind)]
    for line in lines:
        fields = line.split()
        address, port = fields[1].split(":")
        if fields[3] == "0A" and OFFSET < int(port, 16) < OFFSET + 13000:
            addresses.add(address)
    assert addresses == {"0100007F", LOOPBACK_IN_IPV6}


def test_what_is_acknowledged_survives_kill_9(start: Start) -> None:
    """By OTLP and by Loki's push, at once and without another request in between."""
    pocket = start()
    now = time.time_ns()
    lines = {"streams": [{"stream": {"service_name": "s"}, "values": [[str(now + n), f"{n}"] for n in range(50)]}]}
    point = {"timeUnixNano": str(now), "asInt": "7"}
    metrics = {
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]
    }
    record = {"timeUnixNano": str(now), "body": {"stringValue": "by OTLP"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert pocket.post(3100, "/loki/api/v1/push", json=lines).status_code == 204
    for kind, document in (("metrics", metrics), ("logs", logs), ("traces", trace())):
        assert pocket.post(4318, f"/v1/{kind}", json=document).status_code == 200
    pocket.stop(signal.SIGKILL)
    pocket = start()
    window = {"start": str(now - 10**9), "end": str(now + 10**12), "limit": "500"}
    for query, found in (('{service_name="s"}', 50), ('{service_name="unknown_service"}', 1)):
        answer = pocket.get(3100, "/loki/api/v1/query_range", params={"query": query, **window}).json()
        assert sum(len(stream["values"]) for stream in answer["data"]["result"]) == found
    assert pocket.get(9090, "/api/v1/query", params={"query": "m"}).json()["data"]["result"][0]["value"][1] == "7"
    assert pocket.get(3200, f"/api/v2/traces/{TRACE}").status_code == 200
