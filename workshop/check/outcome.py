"""A question the check asks, and its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["pass", "fail", "skip"]
PASS: Status = "pass"  # noqa: S105 - no password
FAIL: Status = "fail"
SKIP: Status = "skip"


class NotYetError(Exception):
    """What was asked for is not there (yet); the message says what was seen instead."""


class SkipError(Exception):
    """This cannot be asked here; the message is the reason."""


@dataclass(frozen=True)
class Check:
    """`ask` returns what it found, or raises NotYetError, and is then asked again until the deadline.

    `after` names checks that have to be decided first: an absence means nothing before there was something.
    """

    id: str
    group: str
    title: str
    hint: str  # for a ✗: what to look at, with the command
    ask: Callable[[], Awaitable[str]]
    after: tuple[str, ...] = ()
    once: bool = False  # an assertion of absence: not asked again until it fits
    needs: tuple[str, ...] = ()  # services, by their compose names, without which it cannot be answered


@dataclass(frozen=True)
class Answer:
    id: str
    group: str
    title: str
    status: Status
    detail: str
    hint: str  # empty unless it failed
    seconds: float


@dataclass(frozen=True)
class Result:
    """The whole check, as `workshop check --json` and check.json have it."""

    stage: int
    stack: str  # pocket or grafana
    checked_at: str
    answers: list[Answer] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(answer.status != FAIL for answer in self.answers)

    def count(self, status: Status) -> int:
        return sum(answer.status == status for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        counts = {"passed": self.count("pass"), "failed": self.count("fail"), "skipped": self.count("skip")}
        head = {"stage": self.stage, "stack": self.stack, "ok": self.ok, "checked_at": self.checked_at, **counts}
        return {**head, "items": [asdict(answer) for answer in self.answers]}
