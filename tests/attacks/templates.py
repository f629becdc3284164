"""Templates of LogQL whose result would be larger than the machine."""

from __future__ import annotations

import time

import httpx

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout

LINES, PEAK_MB = 5, 600
GO_LIMIT = "%!(BADWIDTH)"  # what Go prints for a width beyond a million


def asked(checkout: Checkout, pipeline: str) -> Outcome:
    """A handful of lines through the pipeline: a 4xx, or Go's own limit, and memory stays where it was."""
    with checkout.pocket() as pocket:
        now = time.time_ns()
        streams = [{"stream": {"app": "x"}, "values": [[str(now + n), "line"] for n in range(LINES)]}]
        httpx.post(pocket.url(3100, "/loki/api/v1/push"), json={"streams": streams}, timeout=10).raise_for_status()
        time.sleep(1)  # the store commits twice a second
        began, query = time.monotonic(), {"query": f'{{app="x"}} {pipeline}'}
        try:
            answer = httpx.get(pocket.url(3100, "/loki/api/v1/query_range"), params=query, timeout=60)
            said = f"{answer.status_code} {answer.text.strip()[:200]}"
        except httpx.TransportError as error:
            said = type(error).__name__
        figures = {"answer": said, "seconds": round(time.monotonic() - began, 1), "peak MB": pocket.memory.peak_mb}
        clear = said.startswith("4") or GO_LIMIT in said
        return Outcome(clear and pocket.memory.peak_mb < PEAK_MB, figures)


@attack("LogQL template: a width of 10^9")
def width(checkout: Checkout) -> Outcome:
    return asked(checkout, r'| line_format "{{ printf \"%1000000000d\" 1 }}"')


@attack("LogQL template: indent 10^8")
def indent(checkout: Checkout) -> Outcome:
    return asked(checkout, '| line_format "{{ indent 100000000 `x` }}"')


@attack("LogQL template: a label doubled thirty times")
def doubling(checkout: Checkout) -> Outcome:
    return asked(checkout, '| label_format a="xx"' + ' | label_format a="{{.a}}{{.a}}"' * 30)
