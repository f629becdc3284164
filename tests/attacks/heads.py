"""A request's head without an end: in size, and in time."""

from __future__ import annotations

import contextlib
import socket
import time

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout

CONNECTIONS, MEGABYTES = 4, 40  # of one header each
SLOW_SECONDS = 40.0
GROWN_MB = 20


@attack("pocket: one header of 40 MB on four connections")
def giant(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket:
        before = pocket.memory.now_mb()
        sockets = [socket.create_connection(("127.0.0.1", 3100 + pocket.offset)) for _ in range(CONNECTIONS)]
        sent = sum(pour(each) for each in sockets)
        answers = {status(each) for each in sockets}
        grown = pocket.memory.peak_mb - before
        for each in sockets:
            each.close()
        figures = {
            "sent MB": round(sent / 2**20, 1),
            "MB a connection": round(grown / CONNECTIONS, 1),
            "answer": ", ".join(sorted(answers)),
        }
        return Outcome(answers == {"431"} and grown < GROWN_MB, figures)


def pour(connection: socket.socket) -> int:
    """How much of the header it takes."""
    sent = 0
    connection.settimeout(5)
    with contextlib.suppress(OSError):
        connection.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nx: ")
        while sent < MEGABYTES << 20:
            sent += connection.send(b"y" * 65536)
    return sent


def status(connection: socket.socket) -> str:
    connection.settimeout(2)
    try:
        return connection.recv(4096).decode(errors="replace").split(" ")[1]
    except (OSError, IndexError):
        return "none"


@attack("pocket: a head that comes byte by byte, and one that does not come")
def slow(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket:
        figures = {
            f"{what}, seconds until closed": lived(pocket.offset, byte)
            for what, byte in (("byte by byte", b"y"), ("nothing", b""))
        }
        return Outcome(all(seconds < 15 for seconds in figures.values()), dict(figures))


def lived(offset: int, byte: bytes) -> float:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", 3100 + offset)) as connection:
        connection.settimeout(0.5)
        if byte:
            connection.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nx: ")
        while time.monotonic() - began < SLOW_SECONDS:
            try:
                connection.sendall(byte)
                if not connection.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return round(time.monotonic() - began, 1)
