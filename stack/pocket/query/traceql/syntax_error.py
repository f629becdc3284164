"""What Tempo says to text that is no TraceQL: position, token, and up to four that would have been right."""

from __future__ import annotations

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

_SHOWN = {
    "LBRACE": "{", "RBRACE": "}", "LPAR": "(", "RPAR": ")", "COMMA": ",", "VBAR": "|", "AND": "&&", "OR": "||",
    "EQ": "=", "NEQ": "!=", "RE": "=~", "NRE": "!~", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "ADD": "+",
    "SUB": "-", "MUL": "*", "DIV": "/", "MOD": "%", "POW": "^", "NOT": "!", "$END": "$end",
}  # fmt: skip
_BARE = re.compile(r"[A-Za-z_]\w*\Z")
_NAMED = ("IDENTIFIER", "STRING", "INTEGER", "FLOAT", "DURATION")
_ORDER = (*_NAMED, "LBRACE", "RBRACE", "LPAR", "RPAR", "COMMA", "BY", "TOPK", "BOTTOMK", "WITH", "VBAR")


def at(token: Token) -> str:
    return f"parse error at line {token.line}, col {token.column}: "


def describe(error: UnexpectedInput, text: str) -> str:
    """`parse error at line 1, col 5: syntax error: unexpected …`."""
    if isinstance(error, UnexpectedCharacters):
        return f"parse error at line {error.line}, col {error.column}: {_bad_character(text, error)}"
    assert isinstance(error, UnexpectedToken)
    if error.token.type == "ATTRIBUTE" and (bare := _BARE.search(text, 0, error.token.start_pos or 0)):
        # A scope is missing, as in {service.name = "x"}.
        column = (error.column or 0) - len(bare[0])
        return f"parse error at line {error.line}, col {column}: unknown identifier: {bare[0]}"
    expected = sorted(
        error.accepts or (), key=lambda name: (name not in _ORDER, name in _ORDER and _ORDER.index(name))
    )
    wanted = f", expecting {' or '.join(map(_terminal, expected))}" if 0 < len(expected) <= 4 else ""
    return f"{_where(error.token, text)}syntax error: unexpected {_shown(error.token)}{wanted}"


def _where(token: Token, text: str) -> str:
    if token.type != "$END":
        return at(token)
    if not text.strip():
        return "parse error : "
    return f"parse error at line {text.count(chr(10)) + 1}, col {len(text) - text.rfind(chr(10))}: "


def _bad_character(text: str, error: UnexpectedCharacters) -> str:
    quote = text[error.pos_in_stream or 0] in '"`'
    return "literal not terminated" if quote else "syntax error: unexpected IDENTIFIER"


def _shown(token: Token) -> str:
    return token.type if token.type in _NAMED else _SHOWN.get(token.type, str(token))


def _terminal(name: str) -> str:
    return name if name in _NAMED else _SHOWN.get(name, name.lower())
