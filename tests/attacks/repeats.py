"""Sent again, and refused for now: is it stored once, and is it said right?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.attacks import traffic
from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Pocket

LINES, A_PUSH = 1_000_000, 10_000
BATCH = 100  # a service's lines at a time
SENDERS = 7  # at once, of 8 MB each: more than the queue of 48 MB
LATE = 5  # every n-th batch is acknowledged too late: the shipper brings it again


def taken(client: httpx.Client, url: str, document: dict[str, Any]) -> int:
    """Send until it is taken, as shippers do; how often it was refused before."""
    refused = 0
    while (answer := client.post(url, json=document, timeout=300)).status_code in (429, 503):
        refused += 1
        time.sleep(0.2)
    answer.raise_for_status()
    return refused


def concurrently(work: Callable[[int], None], workers: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    return threads


@attack("a million log lines beside a shipper that sends again")
def million(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket, httpx.Client(trust_env=False, timeout=60) as client:
        began = time.monotonic()
        flooding = concurrently(lambda number: _flood(pocket, number), 2)
        sent, late = 0, []
        while any(thread.is_alive() for thread in flooding):
            lines = [traffic.line("dice-roller", n=n) for n in range(BATCH)]
            document = traffic.push([(traffic.shipped("dice-roller"), lines)])
            taken(client, pocket.url(12345, traffic.PUSH), document)
            if sent // BATCH % LATE == 0:
                late.append(document)
            sent += BATCH
            time.sleep(0.2)
        for document in late:
            taken(client, pocket.url(12345, traffic.PUSH), document)
        time.sleep(1)
        stored = traffic.lines_stored(client, pocket, '{service_name="dice-roller"}')
        figures = {
            "service lines": sent,
            "sent again": len(late) * BATCH,
            "doubled": stored - sent,
            "seconds": round(time.monotonic() - began),
            "peak MB": pocket.memory.peak_mb,
        }
        return Outcome(stored == sent, figures)


def _flood(pocket: Pocket, number: int) -> None:
    with httpx.Client(trust_env=False, timeout=60) as client:
        for push in range(LINES // A_PUSH // 2):
            lines = [f"{number} {push} {n} of a flood" for n in range(A_PUSH)]
            taken(client, pocket.url(3100, traffic.PUSH), traffic.push([({"service_name": "flood"}, lines)]))


@attack("more at once than can be queued: nothing lost, and counted if refused")
def refused(checkout: Checkout) -> Outcome:
    with checkout.pocket() as pocket, httpx.Client(trust_env=False, timeout=60) as client:
        times: list[int] = []
        pushes, lines = 3, 8_000

        def send(number: int) -> None:
            with httpx.Client(trust_env=False, timeout=60) as own:
                for push in range(pushes):
                    texts = [f"{number} {push} {n} {'x' * 1000}" for n in range(lines)]
                    document = traffic.push([({"service_name": f"flood-{number}"}, texts)])
                    times.append(taken(own, pocket.url(3100, traffic.PUSH), document))

        for thread in concurrently(send, SENDERS):
            thread.join()
        time.sleep(1)
        stored = traffic.lines_stored(client, pocket, '{service_name=~"flood.*"}')
        figures = {
            "pushes refused": sum(times),
            "lines lost": SENDERS * pushes * lines - stored,
            "counted as refused": traffic.counter(client, pocket, "pocket_refused_total"),
            "counted as dropped": traffic.counter(client, pocket, "pocket_dropped_total"),
            "peak MB": pocket.memory.peak_mb,
        }
        honest = figures["counted as dropped"] == figures["lines lost"] == 0
        return Outcome(honest and figures["counted as refused"] == figures["pushes refused"], figures)
