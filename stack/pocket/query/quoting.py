r"""Go's quoted texts, read and written (strconv.Unquote, strconv.Quote).

A Go string may hold bytes that are no UTF-8: `"\xc3\xa4"` is `ä`, `"\xff"` is no text. Nothing stored has such
bytes, and no answer can.
"""

from __future__ import annotations

import re

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_NAMES = {value: f"\\{name}" for name, value in _ESCAPES.items()} | {'"': '\\"'}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_PLAIN = re.compile(r"[ !#-\[\]-~]*")


def quoted(text: str) -> str:
    """As Go's %q: in double quotes; what cannot be printed is escaped, letters of all scripts stay."""
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _NAMES:
        return _NAMES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquote(literal: str, invalid: str = "replace") -> str:
    """The value of a Go string literal, in double, single or back quotes. Raises ValueError on a bad escape.

    `invalid` says what becomes of bytes that are no UTF-8, as the `errors` of bytes.decode does.
    """
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    if "\\" not in literal:
        return literal[1:-1]
    parts: list[bytes] = []
    position, body = 0, literal[1:-1]
    for found in _ESCAPE.finditer(body):
        parts += (_bytes(body[position : found.start()]), _unescaped(found[1], literal[0]))
        position = found.end()
    parts.append(_bytes(body[position:]))
    return b"".join(parts).decode("utf-8", invalid)


def _unescaped(escape: str, quote: str) -> bytes:
    if escape[0] in "xuU" and len(escape) > 1:
        code = int(escape[1:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ValueError("invalid syntax")
        return bytes([code]) if escape[0] == "x" else chr(code).encode()
    if escape.isdigit() and len(escape) == 3:
        if int(escape, 8) > 0xFF:
            raise ValueError("invalid syntax")
        return bytes([int(escape, 8)])
    if escape != quote and escape not in _ESCAPES:
        raise ValueError("invalid char escape")
    return _bytes(_ESCAPES.get(escape, escape))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
