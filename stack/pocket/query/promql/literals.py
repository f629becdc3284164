"""Where a number, a duration or a text of a query ends (lex.go: scanNumber, lexString, lexEscape)."""

from __future__ import annotations

import math
import re

from pocket.query.quoting import quoted

# The usual forms, without a second try: what else there is goes through the automata below.
_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+(?![0-9A-Za-z_.])")
_DURATION = re.compile(r"[0-9]++[smhdwy]s?+(?:[0-9]++[smhdw]s?+)*+(?![0-9A-Za-z_])")
_STRINGS = {
    quote: re.compile(rf"{quote}[^{quote}{escape}\ufffd\ud800-\udfff]*{quote}")
    for quote, escape in (('"', r"\\\n"), ("'", r"\\\n"), ("`", ""))
}
_DIGITS = "0123456789"
_HEXADECIMAL = "0123456789abcdefABCDEF"
_NO_DOT = frozenset("_.")
_NO_MARK = frozenset("._eE")
_ESCAPES = {"x": (2, 16, 0xFF), "u": (4, 16, 0x10FFFF), "U": (8, 16, 0x10FFFF)}
_ESCAPES |= dict.fromkeys("01234567", (3, 8, 0xFF))
_HEX_INTEGER = re.compile(r"0[xX](?:_?[0-9a-fA-F])+")
_OCTAL_INTEGER = re.compile(r"0(?:_?[0-7])+")
_ESCAPED = frozenset("abfnrtv\\")


class LexicalError(Exception):
    """The reason, in Prometheus' words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def rune_name(character: str) -> str:
    """fmt's %#U: `U+0078 'x'`."""
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"


# ---- numbers and durations
def number(text: str, start: int) -> tuple[str, int]:
    """(NUMBER or DURATION, where it ends). Raises LexicalError."""
    if found := _NUMBER.match(text, start):
        return "NUMBER", found.end()
    if found := _DURATION.match(text, start):
        return "DURATION", found.end()
    scan = _NumberScan(text, start)
    if scan.number():
        return "NUMBER", scan.at
    if scan.duration():
        return "DURATION", scan.at
    raise LexicalError(f'bad number or duration syntax: "{text[start : scan.at]}"')


class _NumberScan:
    """The original step by step, for what it takes and where it stops decide the message."""

    def __init__(self, text: str, start: int) -> None:
        self._text, self.at = text, start

    def _peek(self) -> str:
        return self._text[self.at : self.at + 1]

    def _accept(self, valid: str | frozenset[str]) -> bool:
        accepted = self._peek() != "" and self._peek() in valid
        self.at += accepted
        return accepted

    def _accept_all(self, valid: str) -> None:
        while self._accept(valid):
            pass

    def number(self) -> bool:
        digits = _DIGITS
        if self._accept("0") and self._accept("xX"):
            self._accept("_")
            digits = _HEXADECIMAL
        self._accept(".")
        self._accept(digits)
        seen: set[str] = set()
        while (mark := self._peek()) and mark in digits + "._eE":
            kind = "e" if mark in "eE" else mark
            if kind in (".", "e") and kind in seen:
                self.at += 1
                return False
            if kind in (".", "e", "_") and not self._mark(kind, digits):
                return False
            seen.add(kind)
            self._accept_all(digits if kind not in (".", "e", "_") else "")
        return not _is_word(self._peek())

    def _mark(self, kind: str, digits: str) -> bool:
        """A dot, an exponent or an underscore, and whether what follows may follow."""
        self.at += 1
        if kind == ".":
            return not self._accept(_NO_DOT) and digits is _DIGITS
        if kind == "e":
            self._accept("+-")
        return not self._accept(_NO_MARK) and self._peek() != ""

    def duration(self) -> bool:
        """What is behind the digits read already."""
        units = "smhdwy"
        while True:
            if not self._accept(units):
                return False
            self._accept("s")
            if not self._accept(_DIGITS):
                break
            self._accept_all(_DIGITS)
            units = "smhdw"
        if not _is_word(self._peek()):
            return True
        self.at += 1
        return False


def value(text: str) -> float:
    """A number's value: an integer by its base (`010` is eight), else a float. Raises ValueError in Go's words."""
    if _HEX_INTEGER.fullmatch(text) and (whole := int(text, 16)) < 2**63:
        return float(whole)
    if _OCTAL_INTEGER.fullmatch(text) and (whole := int(text, 8)) < 2**63:
        return float(whole)
    try:
        result = float(text)
    except ValueError:
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: invalid syntax") from None
    if math.isinf(result) and text.lower() != "inf":
        raise ValueError(f"strconv.ParseFloat: parsing {quoted(text)}: value out of range")
    return result


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


# ---- texts
def string_end(text: str, start: int) -> int:
    """Behind the closing quote of the text that opens at `start`. Raises LexicalError."""
    quote = text[start]
    if found := _STRINGS[quote].match(text, start):
        return found.end()
    at = start + 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\ufffd" or "\ud800" <= text[at] <= "\udfff":
            raise LexicalError("invalid UTF-8 rune")
        if quote != "`" and text[at] == "\n":
            break
        at = _escape_end(text, at + 1, quote) if text[at] == "\\" and quote != "`" else at + 1
    if at >= len(text) or text[at] != quote:
        raise LexicalError("unterminated raw string" if quote == "`" else "unterminated quoted string")
    return at + 1


def _escape_end(text: str, at: int, quote: str) -> int:
    """Behind the escape sequence whose backslash stands before `at`."""
    kind = text[at : at + 1]
    if kind and (kind in _ESCAPED or kind == quote):
        return at + 1
    if kind not in _ESCAPES:
        raise LexicalError(
            f"unknown escape sequence {rune_name(kind)}" if kind else "escape sequence not terminated"
        )
    length, base, highest = _ESCAPES[kind]
    first = at + (base == 16)
    for digit in (text[i : i + 1] for i in range(first, first + length)):
        if not digit:
            raise LexicalError("escape sequence not terminated")
        if digit not in _HEXADECIMAL[: 22 if base == 16 else 8]:
            raise LexicalError(f"illegal character {rune_name(digit)} in escape sequence")
    code = int(text[first : first + length], base)
    if code > highest or 0xD800 <= code < 0xE000:
        raise LexicalError("escape sequence is an invalid Unicode code point")
    return first + length
