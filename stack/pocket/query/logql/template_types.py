"""What a template calls: functions and methods with the Go types that they take, and how a call fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class TemplateError(Exception):
    """A template that failed on this line: the record gets `__error__="TemplateFormatErr"`."""


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` are its arguments' Go types, `rest` that of any more. A call raises ValueError in Go's words."""

    call: Callable[..., Any]
    takes: tuple[str, ...] = ()
    rest: str = ""

    def type_of(self, number: int) -> str:
        return self.takes[number] if number < len(self.takes) else self.rest

    def wrong_count(self, name: str, given: int, piped: bool) -> str | None:
        """What Go says to so many arguments and a piped one; None if that is right."""
        count, wanted = given + piped, len(self.takes)
        if self.rest:
            return (
                f"wrong number of args for {name}: want at least {wanted} got {given}" if count < wanted else None
            )
        return f"wrong number of args for {name}: want {wanted} got {count}" if count != wanted else None
