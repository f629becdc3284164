"""A text that is no query, as the real parsers tell it: where, which token, and which would have been right.

Loki's and Tempo's parsers come from goyacc, so that their messages have one form. What a token is called in them,
and in which order its grammar lists them, each engine says with its `Words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lark import Token

_MOST_EXPECTED = 4  # goyacc lists no more, and never the end
_END = "$END"


@dataclass(frozen=True, slots=True)
class Words:
    """`terminal` and `token` give what a message calls a terminal that was expected and the token that came."""

    terminal: Callable[[str], str]
    token: Callable[[Token], str]
    order: Sequence[str]  # terminals as the grammar lists them; others follow


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def end(text: str) -> tuple[int, int]:
    """Where the text ends; (0, 0) of an empty one, which has no place."""
    return position(text, len(text)) if text.strip() else (0, 0)


def at(line: int, column: int) -> str:
    """The head of a message of Loki or Tempo; without a place where `column` is 0."""
    return f"parse error at line {line}, col {column}: " if column else "parse error : "


def unexpected(token: Token, accepted: Iterable[str], words: Words) -> str:
    """`syntax error: unexpected X, expecting A or B`; the latter if few terminals would have been right."""
    ordered = sorted(set(accepted) - {_END}, key=lambda name: _rank(name, words.order))
    return f"syntax error: unexpected {words.token(token)}{expecting(map(words.terminal, ordered))}"


def expecting(names: Iterable[str]) -> str:
    listed = list(names)
    return f", expecting {' or '.join(listed)}" if 0 < len(listed) <= _MOST_EXPECTED else ""


def _rank(terminal: str, order: Sequence[str]) -> tuple[int, str]:
    name = terminal.lstrip("_")
    return (order.index(name) if name in order else len(order)), name
