"""Asks all questions at once, each again and again until it is answered or the time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from workshop.check.outcome import Answer, Check, NotYetError, SkipError, Status

AT_ONCE = 6  # questions under way: the stack shares two cores with the services it watches
PAUSE_SECONDS = (0.5, 3.0)  # between two tries of one question, growing
LAST_SECONDS = 5.0  # for a try that begins when the time is as good as up; a frozen service would keep it for long


async def run(
    checks: Sequence[Check],
    deadline: float,
    answered: Callable[[Answer], None],
    explain: Callable[[Check], str] = lambda _: "",
) -> list[Answer]:
    """Answers in the order of `checks`; `answered` hears each as it comes. `deadline` is in seconds from now.

    `explain` gives the hint for a question that has no answer and will not have one; it is not asked again.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    until = time.monotonic() + deadline
    tasks: dict[str, asyncio.Task[Answer]] = {}

    async def one(check: Check) -> Answer:
        for name in check.after:
            await tasks[name]
        answer = await _answer(check, until, gate, explain(check))
        answered(answer)
        return answer

    for check in checks:
        tasks[check.id] = asyncio.create_task(one(check))
    return list(await asyncio.gather(*tasks.values()))


async def _answer(check: Check, until: float, gate: asyncio.Semaphore, explanation: str) -> Answer:
    began, pause = time.monotonic(), PAUSE_SECONDS[0]
    while True:
        async with gate:
            status, detail = await _ask(check, max(until - time.monotonic(), LAST_SECONDS))
        left = until - time.monotonic()
        if status != "fail" or check.once or explanation or left <= 0:
            hint = (explanation or check.hint) if status == "fail" else ""
            seconds = round(time.monotonic() - began, 2)
            return Answer(check.id, check.group, check.title, status, detail, hint, seconds)
        await asyncio.sleep(min(pause, left))
        pause = min(1.5 * pause, PAUSE_SECONDS[1])


async def _ask(check: Check, seconds: float) -> tuple[Status, str]:
    try:
        async with asyncio.timeout(seconds):
            return "pass", await check.ask()
    except SkipError as reason:
        return "skip", str(reason)
    except NotYetError as reason:
        return "fail", str(reason)
    except TimeoutError:
        return "fail", f"no answer within {seconds:.0f} s"
    except httpx.HTTPError as error:
        return "fail", f"{type(error).__name__}: {error or 'no answer'}"
    except (KeyError, IndexError, TypeError, ValueError) as error:
        return "fail", f"an answer of unexpected form ({type(error).__name__}: {error})"
