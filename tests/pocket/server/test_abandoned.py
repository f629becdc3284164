"""Queries that nobody waits for any more, on the whole process: everything else answers, and it ends clean."""

import json
import socket
import time
from urllib.parse import quote

from .conftest import OFFSET, Process, Start

CALLERS, LINES = 45, 20_000
SECONDS = 20  # generous: each of the queries alone is half a second, all of them were a minute before they ended


def abandon(query: str) -> None:
    request = f"GET /loki/api/v1/query?query={quote(query)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    callers = [socket.create_connection(("127.0.0.1", 3100 + OFFSET)) for _ in range(CALLERS)]
    for caller in callers:
        caller.sendall(request)
    time.sleep(0.5)
    for caller in callers:
        caller.close()


def load(pocket: Process) -> None:
    now = time.time_ns()
    lines = [[str(now - n), json.dumps({"message": f"rolled {n}", "status": n})] for n in range(LINES)]
    pushed = pocket.post(3100, "/loki/api/v1/push", json={"streams": [{"stream": {"app": "x"}, "values": lines}]})
    assert pushed.status_code == 204
    time.sleep(1)  # the store commits twice a second


def test_45_abandoned_queries_leave_intake_lookups_and_cheap_queries_answering(start: Start) -> None:
    pocket = start()
    load(pocket)
    abandon('sum(count_over_time({app="x"} | json | line_format "{{ repeat 1000 .message }}" |~ "(x+x+)+y" [1h]))')
    began = time.monotonic()
    assert pocket.get(3100, "/ready").status_code == 200
    assert pocket.get(3100, "/loki/api/v1/labels").json()["data"] == ["app", "service_name"]
    stream = {"stream": {"app": "y"}, "values": [[str(time.time_ns()), "line"]]}
    assert pocket.post(3100, "/loki/api/v1/push", json={"streams": [stream]}).status_code == 204
    assert pocket.get(9090, "/api/v1/query", params={"query": "vector(1)"}).status_code == 200
    assert pocket.get(9090, "/api/v1/query", params={"query": "vector(1)", "timeout": "0"}).status_code == 503
    assert time.monotonic() - began < SECONDS
    code, said = pocket.stop()
    assert code == 0
    assert "Traceback" not in said
    assert "leaked" not in said


def test_a_stop_does_not_wait_for_a_query(start: Start) -> None:
    pocket = start()
    load(pocket)
    query = 'sum(count_over_time({app="x"} | json | line_format "{{ repeat 100000 .message }}" |= "y" [1h]))'
    request = quote(query)
    with socket.create_connection(("127.0.0.1", 3100 + OFFSET)) as caller:
        caller.sendall(f"GET /loki/api/v1/query?query={request} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(0.5)
        code, said = pocket.stop()
        answer = caller.recv(100)
    assert (code, "Traceback" in said, "leaked" in said) == (0, False, False)
    assert b" 499 " in answer
