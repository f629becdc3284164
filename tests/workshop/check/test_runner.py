"""The judge itself: asks until a deadline, never dies of an answer, says what is wrong and what to look at."""

from __future__ import annotations

import asyncio
import io

import httpx
import pytest
from rich.console import Console

from workshop.check import report, runner
from workshop.check.outcome import PASS, Answer, Check, NotYetError, Result, SkipError, Status


def check(name: str, *answers: object, after: tuple[str, ...] = (), once: bool = False) -> Check:
    """A question whose tries are answered in turn: a string passes, an exception is raised; the last one stays."""
    left = list(answers)

    async def ask() -> str:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, BaseException):
            raise answer
        return str(answer)

    return Check(name, "Group", f"title of {name}", f"hint of {name}", ask, after, once)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PAUSE_SECONDS", (0.001, 0.002))


async def answers(*checks: Check, deadline: float = 5) -> list[tuple[str, str, str]]:
    found = await runner.run(checks, deadline, lambda _: None)
    return [(answer.status, answer.detail, answer.hint) for answer in found]


async def test_asks_again_until_there_is_an_answer() -> None:
    assert await answers(check("a", NotYetError("no"), httpx.ConnectError("refused"), "yes")) == [
        ("pass", "yes", "")
    ]


async def test_gives_up_at_the_deadline_with_the_last_reason_and_the_hint() -> None:
    found = await answers(check("a", NotYetError("first"), NotYetError("last")), deadline=0.05)
    assert found == [("fail", "last", "hint of a")]


async def test_a_question_that_hangs_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LAST_SECONDS", 0.05)

    async def hanging() -> str:
        await asyncio.Event().wait()
        return ""

    hangs = [Check(f"{n}", "Group", "title", "hint", hanging) for n in range(2 * runner.AT_ONCE)]
    assert await answers(*hangs, deadline=0.05) == [("fail", "no answer within 0 s", "hint")] * len(hangs)


async def test_a_skip_is_no_failure() -> None:
    assert await answers(check("a", SkipError("no Grafana"))) == [("skip", "no Grafana", "")]


@pytest.mark.parametrize("error", [KeyError("data"), ValueError("no JSON"), TypeError("None"), IndexError("0")])
async def test_an_answer_of_unexpected_form_is_a_failure_not_a_crash(error: Exception) -> None:
    ((status, detail, _),) = await answers(check("a", error), deadline=0.01)
    assert status == "fail"
    assert type(error).__name__ in detail


async def test_an_absence_is_asked_once_and_only_after_the_presence() -> None:
    order: list[str] = []
    presence = check("presence", NotYetError("not yet"), NotYetError("not yet"), "there")
    absence = check("absence", NotYetError("there is one"), after=("presence",), once=True)
    found = await runner.run([absence, presence], 5, lambda answer: order.append(answer.id))
    assert order == ["presence", "absence"]
    assert [answer.status for answer in found] == ["fail", "pass"]  # in the order of the questions


async def test_what_is_explained_is_asked_once_and_has_the_explanation_for_its_hint() -> None:
    checks = [
        check("a", NotYetError("away"), "too late"),
        check("b", "there"),
        check("c", NotYetError("no"), "yes"),
    ]
    found = await runner.run(checks, 5, lambda _: None, lambda check: "start it" if check.id != "c" else "")
    assert [(answer.status, answer.detail, answer.hint) for answer in found] == [
        ("fail", "away", "start it"),
        ("pass", "there", ""),
        ("pass", "yes", ""),
    ]


async def test_not_too_many_at_once() -> None:
    under_way = most = 0

    async def ask() -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return ""

    checks = [Check(str(i), "", "", "", ask) for i in range(40)]
    await runner.run(checks, 5, lambda _: None)
    assert 1 < most <= runner.AT_ONCE


def result(*statuses: Status) -> Result:
    made = [
        Answer(f"id{i}", "Group", f"title {i}", s, f"detail {i}", "look [here]", 1) for i, s in enumerate(statuses)
    ]
    return Result(3, "pocket", "2026-01-01T00:00:00+00:00", made)


def shown(outcome: Result) -> str:
    console = Console(file=io.StringIO(), width=200)
    report.show(console, outcome)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_report_has_a_hint_for_every_failure() -> None:
    text = shown(result("pass", "fail", "skip"))
    assert "✗ title 1: detail 1\n  → look [here]\n" in text
    assert "Stage 3: 1 ✓, 1 ✗, 1 skipped (pocket stack)" in text
    assert "→" not in shown(result("pass"))


def test_a_long_group_that_passed_is_one_line() -> None:
    assert "all 20" in shown(result(*[PASS] * 20))
    assert "title 19" in shown(result(*[PASS] * 19, "fail"))


def test_json_has_the_counts_and_every_item() -> None:
    content = result("pass", "fail", "skip").as_json()
    assert (content["stage"], content["ok"]) == (3, False)
    assert (content["passed"], content["failed"], content["skipped"]) == (1, 1, 1)
    assert content["items"][1] == {
        "id": "id1",
        "group": "Group",
        "title": "title 1",
        "status": "fail",
        "detail": "detail 1",
        "hint": "look [here]",
        "seconds": 1,
    }
