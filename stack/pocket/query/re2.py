"""RE2 regular expressions, the dialect of every query language here, matched with Python's `re`.

RE2 itself (in pyarrow) judges whether a pattern is valid, so what the real components refuse is refused; what
it accepts is rewritten where Python reads the same text differently (github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import functools
import re

import pyarrow as pa
import pyarrow.compute as pc

POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
# RE2's classes are ASCII, Python's are Unicode.
PERL = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|\Z)|\\(?P<hex>x\{[0-9A-Fa-f]+\})|\\(?P<unicode>[pP](?:\{\^?\w+\}|\w))|\\(?P<escape>.)"
    r"|\[:(?P<posix>\^?\w+):\]|(?P<flags>\(\?[imsU]*(?:-[imsU]+)?\))|(?P<brace>\{(?!\d+(?:,\d*)?\}))"
    r"|(?P<name>\(\?P?<(?=[A-Za-z_]))|(?P<other>.)",
    re.DOTALL,
)


class InvalidPatternError(ValueError):
    """RE2 refuses the pattern; the message is RE2's."""


def check(pattern: str) -> None:
    """Raises InvalidPatternError if RE2 refuses `pattern`, alone or anchored as Prometheus and Loki compile it."""
    if "\0" in pattern:
        raise InvalidPatternError("invalid character NUL")
    try:
        for tried in (pattern, f"^(?s:{pattern})$"):
            pc.match_substring_regex(pa.array([""]), tried)
    except pa.ArrowInvalid as refused:
        raise InvalidPatternError(str(refused).removeprefix("Invalid regular expression: ")) from refused


@functools.lru_cache(maxsize=1024)
def translate(pattern: str) -> str:
    """The Python pattern that matches what RE2's `pattern` does. Raises InvalidPatternError if there is none."""
    check(pattern)
    translated = _Translation(pattern).text
    try:
        re.compile(translated, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as failed:
        raise InvalidPatternError(f"{pattern!r} is valid, but cannot be evaluated here ({failed})") from failed
    return translated


class _Translation:
    """One pass over the tokens; a bare flag group `(?i)` becomes one that ends with its enclosing group."""

    def __init__(self, pattern: str) -> None:
        self._in_class = False
        self._class_start = -1
        self._flagged: list[list[str]] = [[]]  # the scoped flag groups that are open, per enclosing group
        self.text = "".join(map(self._token, TOKEN.finditer(pattern))) + ")" * len(self._flagged[-1])

    def _token(self, match: re.Match[str]) -> str:
        kind, part = match.lastgroup or "", match[0]
        if self._in_class:
            return self._class_token(kind, part, match)
        if kind == "quoted":
            return re.escape(match["quoted"])
        if kind == "escape":
            return self._escape(match["escape"])
        if kind == "posix":  # outside a class it is a plain class of its letters
            return "[" + re.escape(part[1:-1]) + "]"
        return self._plain(kind, part, match)

    def _plain(self, kind: str, part: str, match: re.Match[str]) -> str:
        if kind == "hex":
            return re.escape(chr(int(match["hex"][2:-1], 16)))
        if kind == "unicode":
            raise InvalidPatternError(f"Unicode class {part} is valid, but cannot be evaluated here")
        if kind == "brace":
            return r"\{"
        if kind == "name":
            self._flagged.append([])
            return "(?P<"
        return self._flags(part) if kind == "flags" else self._other(part, match.end())

    def _flags(self, part: str) -> str:
        if "U" in part:
            raise InvalidPatternError("flag U is valid, but cannot be evaluated here")
        self._flagged[-1].append(part[:-1] + ":")
        return self._flagged[-1][-1]

    def _other(self, part: str, end: int) -> str:
        if part == "[":
            self._in_class, self._class_start = True, end
        elif part == "(":
            self._flagged.append([])
        elif part == ")":
            return ")" * (len(self._flagged.pop()) + 1)
        elif part == "|":  # the flags hold for the alternatives that follow too
            return ")" * len(self._flagged[-1]) + "|" + "".join(self._flagged[-1])
        return part

    def _escape(self, letter: str) -> str:
        if letter.lower() in PERL:
            return f"[{'^' if letter.isupper() else ''}{PERL[letter.lower()]}]"
        return {"z": r"\Z", "A": r"\A", "C": "(?:.)", "a": r"\x07"}.get(letter, "\\" + letter)

    def _class_token(self, kind: str, part: str, match: re.Match[str]) -> str:
        if kind == "posix" and not part.startswith("[:^"):
            return POSIX[match["posix"]]
        if kind == "escape" and match["escape"] in PERL:
            return PERL[match["escape"]]
        if kind == "hex":
            return re.escape(chr(int(match["hex"][2:-1], 16)))
        if kind in ("posix", "unicode") or (kind == "escape" and match["escape"].lower() in PERL):
            raise InvalidPatternError(f"{part} in a class is valid, but cannot be evaluated here")
        start = match.start() - self._class_start
        if part == "]" and start > 0 and match.string[self._class_start : match.start()] != "^":
            self._in_class = False
        return "\\" + part if part in "[&|~" else part  # Python reserves [[, &&, || and ~~ in a class
