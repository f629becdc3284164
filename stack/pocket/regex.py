r"""RE2 regular expressions, the dialect of every query language here, matched by RE2 itself.

Prometheus, Loki and Tempo match in time linear in the text (Go's regexp is RE2's twin). Python's `re` backtracks:
`(a+)+$` on thirty letters would hold the whole process. Syntax: github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Protocol

import re2

from pocket.budget import room_for

# RE2's reasons (re2/regexp.cc, kErrorStrings) in the words of Go's regexp/syntax, where those differ.
_GO_REASONS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


class InvalidPatternError(ValueError):
    """RE2 refuses the pattern; the message is that of Go's regexp, which the real components use."""


class Match(Protocol):
    @property
    def re(self) -> Pattern: ...
    def __getitem__(self, group: int | str) -> str | None: ...
    def groupdict(self, default: str | None = None) -> dict[str, str]: ...


class Pattern(Protocol):
    """What is used of a google-re2 pattern; positions count characters, as in `re`."""

    @property
    def pattern(self) -> str: ...
    @property
    def groups(self) -> int: ...
    @property
    def groupindex(self) -> Mapping[str, int]: ...
    def search(self, text: str) -> Match | None: ...
    def fullmatch(self, text: str) -> Match | None: ...
    def findall(self, text: str) -> list[str | tuple[str, ...]]: ...
    def sub(self, replacement: Callable[[Match], str], text: str) -> str: ...


# $name, ${name}, $$; a name is the longest run of word characters.
_TEMPLATE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<plain>\w+)|\{(?P<braced>\w+)\})")
# A single byte, which Go's regexp does not know; RE2 would cut letters in half with it.
_ONE_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")


@functools.lru_cache(maxsize=1024)
def compile(pattern: str, *, dot_all: bool = False) -> Pattern:
    """`dot_all`: `.` matches a newline too, as in label matchers. Raises InvalidPatternError."""
    if _ONE_BYTE.search(pattern):
        raise InvalidPatternError(r"invalid escape sequence: `\C`")
    compiled = _compiled(pattern, dot_all)
    _compiled(f"^(?s:{pattern})$", dot_all)  # as Prometheus and Loki wrap it: `\Qa` swallows the bracket
    return compiled


def _compiled(pattern: str, dot_all: bool) -> Pattern:
    options = re2.Options()
    options.dot_nl, options.log_errors = dot_all, False
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except re2.error as refused:
        raise InvalidPatternError(_in_go(refused.args[0].decode("utf-8", "replace"))) from refused
    except UnicodeEncodeError as refused:
        raise InvalidPatternError("invalid UTF-8") from refused
    return compiled


def _in_go(message: str) -> str:
    reason, _, where = message.partition(": ")
    return f"{_GO_REASONS.get(reason, reason)}: `{where}`"


def expand(template: str, match: Match) -> str:
    """Go's regexp.Expand: a group that does not exist or took no part is empty."""

    def text(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name = found["plain"] or found["braced"]
        group: int | str = int(name) if name.isdecimal() else name
        known = group <= match.re.groups if isinstance(group, int) else group in match.re.groupindex
        return (match[group] or "") if known else ""

    room_for(len(template) + template.count("$") * len(match[0] or ""), template, match[0] or "")
    return _TEMPLATE.sub(text, template)
